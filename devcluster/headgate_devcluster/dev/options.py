"""What the subcommands of `headgate dev` share: the folder, durations, and one sentence for what went wrong."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, TypeVar

import click

from headgate_devcluster.errors import ClusterError
from headgate_operator.api.quantities import parse_duration

F = TypeVar("F", bound=Callable[..., Any])
DEFAULT_FOLDER: Final = Path("build/dev")


class Refusal(click.ClickException):
    """One sentence on stderr, exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it the way every `headgate` command does."""
        click.echo(f"headgate: error: {self.format_message()}", err=True, file=file)


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turn a `ClusterError` into a refusal."""
    try:
        yield
    except ClusterError as error:
        raise Refusal(str(error)) from error


def with_folder(command: F) -> F:
    """Add `--folder`, as an absolute path."""
    return click.option(
        "--folder",
        type=click.Path(path_type=Path, file_okay=False),
        default=DEFAULT_FOLDER,
        show_default=True,
        callback=lambda _context, _parameter, value: value.absolute(),
        help="The cluster's folder: kubeconfig, logs, state. One cluster each.",
    )(command)


class Seconds(click.ParamType[float]):
    """A duration such as `500ms`, `90s` or `5m`, as seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds; a usage error for what is no duration."""
        try:
            return parse_duration(value).total_seconds()
        except ValueError as error:
            self.fail(str(error), param, ctx)
