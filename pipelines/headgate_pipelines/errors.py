"""How the `headgate pipeline` commands end when something is wrong: with exit code 1 and one sentence."""

import contextlib
from collections.abc import Iterator
from typing import IO, Any

import click

from headgate_components.step import ERROR_PREFIX, StepError


class PipelineFailure(click.ClickException):
    """Ends the command with exit code 1 and one sentence."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Prints the sentence the way all of Headgate does."""
        click.echo(f"{ERROR_PREFIX}{self.message}", file=file, err=True)


@contextlib.contextmanager
def one_sentence() -> Iterator[None]:
    """Turns what is foreseen into that one sentence."""
    from headgate_pipelines.flights.source import FlightsError
    from headgate_pipelines.local import PipelineError
    from headgate_pipelines.recipe import RecipeError

    try:
        yield
    except PipelineError as error:
        if error.summary:
            click.echo(f"headgate: what ran, and its reports, are in {error.summary}")
        raise PipelineFailure(str(error)) from error
    except (RecipeError, FlightsError, StepError) as error:
        raise PipelineFailure(str(error)) from error
    except OSError as error:
        where = f" '{error.filename}'" if error.filename else ""
        raise PipelineFailure(f"{error.strerror or error}{where}") from error
