"""How the command ends: exit codes, and errors as one sentence."""

from enum import IntEnum
from typing import IO, Any

import click


class Exit(IntEnum):
    """Exit codes of every subcommand."""

    OK = 0
    FAILED = 1
    """Something was refused, rejected or could not be reached."""
    USAGE = 2
    TIMED_OUT = 3


class Failure(click.ClickException):
    """One sentence for the person at the terminal, and how the process ends."""

    def __init__(self, sentence: str, exit_code: Exit = Exit.FAILED) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it from the instance

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it the way every error of ours looks."""
        click.echo(f"headgate: error: {self.format_message()}", err=True, file=file)
