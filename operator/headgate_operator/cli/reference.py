"""The page docs/cli.md: one section a command, from what `--help` says.

`python -m headgate_operator.cli.reference > docs/cli.md` writes it; a test compares.
"""

from collections.abc import Iterator
from typing import Final

import click

from headgate_operator.cli.main import main

_WIDTH: Final = 110
_HEAD: Final = """\
# The `headgate` command

Generated from `headgate … --help`; edit the commands, not this page.

Exit codes: 0 ok, 1 refused or failed, 2 wrong usage, 3 timed out. Errors are one sentence on standard error, starting with
`headgate: error:`. With `-o json` or `-o yaml` standard output has nothing but the answer.

Commands about live objects look up the revision themselves and write it into the annotation `headgate.dev/command`, such as
`promote@r3f9a1c02`; `--revision` insists on one. A command that comes too late, for a revision that is no longer the candidate, does
nothing and says so. `--wait`, the default, waits until the operator has acknowledged it in `status.lastCommand`. The same annotation
can be written with `kubectl annotate`.

`headgate status NAME --wait` ends with

| code | when |
|---|---|
| 0 | the revision serves all traffic, and its watch is over |
| 1 | it was refused, withdrawn or rolled back, or a person is needed (`Stalled`) |
| 3 | the time was up: the rollout still moves, holds, is suspended, or is paused and waits for `promote` or `resume` |
"""


def cli_markdown() -> str:
    """Return the whole page."""
    context = click.Context(main, info_name="headgate", **main.context_settings)  # for -h
    sections = [section for name in main.list_commands(context) for section in _sections(name, main.get_command(context, name), context)]
    return "\n".join([_HEAD, *sections])


def _sections(name: str, command: click.Command | None, parent: click.Context) -> Iterator[str]:
    """Yield the section of a command, then those of its subcommands."""
    assert command is not None
    context = click.Context(command, info_name=name, parent=parent, terminal_width=_WIDTH, max_content_width=_WIDTH)
    level = "#" * (context.command_path.count(" ") + 1)
    yield f"{level} {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            yield from _sections(inner, command.get_command(context, inner), context)


if __name__ == "__main__":
    click.echo(cli_markdown(), nl=False)
