"""The `headgate` command. Each subcommand is imported only when it is used: `headgate lint` needs neither a cluster client nor kfp.

Subcommands from other packages come in through the entry-point group `headgate.commands`.
"""

import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points, version
from typing import Any, Final

import click

from headgate_operator.cli.errors import Exit, Failure

PLUG_INS: Final = "headgate.commands"

_OWN: Final = {
    "lint": "Check manifests and say what the rollout will do.",
    "plan": "Rehearse a manifest's rollout at a given rate of traffic.",
    "render": "Print the plain YAML that the operator would create.",
    "status": "Show what is serving, what is on trial and why.",
    "watch": "Follow a rollout in the terminal.",
    "report": "Write a page about a rollout that can be kept and sent.",
    "history": "List promoted and refused revisions.",
    "doctor": "Check that everything rollouts need is there.",
    "audit": "Show who or what changed traffic, from the operator's audit log.",
    "lineage": "Print the data, code and run behind a model version, and where it serves.",
    "promote": "Let the candidate go on without waiting any longer.",
    "pause": "Freeze the candidate's weight.",
    "resume": "End a pause.",
    "abort": "Refuse the candidate now; all traffic goes to the stable version.",
    "retry": "Give a refused revision another chance.",
    "rollback": "Return to the revision before the stable one.",
    "evidence": "Calculate the evidence in some requests, as the operator does.",
    "crd": "Print the CustomResourceDefinition.",
}
"""Subcommand → its line in `headgate --help`; the code is in the module of that name."""

_BUNDLED: Final = {
    "demo": "Real flights, from training to an automatic rollback, on this machine.",
    "dev": "A whole cluster in one process tree, to try things out.",
    "pipeline": "Compile and run the pipelines.",
}
"""Plug-ins that come with Headgate: known by heart, so that `headgate --help` need not import them."""


class Commands(click.Group):
    """Our subcommands and those of the plug-ins, imported when needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Name every subcommand, ours first."""
        return [*_OWN, *sorted(name for name in _plug_ins() if name not in _OWN)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one subcommand; Failure if a plug-in cannot be imported."""
        if cmd_name in _OWN:
            return _own(cmd_name)
        plug_in = _plug_ins().get(cmd_name)
        return None if plug_in is None else _load(plug_in)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing one."""
        rows = [(name, _OWN.get(name) or _BUNDLED.get(name) or "From a plug-in.") for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> Any:  # type: ignore[override]
        """Run, and end with one of our exit codes; errors are one sentence on stderr."""
        extra.pop("standalone_mode", None)
        try:
            code = super().main(args, prog_name or "headgate", standalone_mode=False, **extra)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            code = Exit.USAGE
        except click.UsageError as error:
            hint = f" (see `{error.ctx.command_path} --help`)" if error.ctx else ""
            Failure(f"{error.format_message().rstrip('.')}{hint}").show()
            code = Exit.USAGE
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except click.Abort:
            click.echo("headgate: interrupted", err=True)
            code = 130
        except BrokenPipeError:  # `headgate … | head`
            sys.stderr.close()
            code = Exit.OK
        sys.exit(int(code or 0))


def _own(name: str) -> click.Command:
    command = getattr(importlib.import_module(f"headgate_operator.cli.{name}"), name)
    assert isinstance(command, click.Command)
    return command


def _plug_ins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=PLUG_INS)}


def _load(plug_in: EntryPoint) -> click.Command:
    try:
        command = plug_in.load()
    except Exception as error:
        raise Failure(f"the subcommand '{plug_in.name}' cannot be loaded from {plug_in.value}: {type(error).__name__}: {error}") from error
    if not isinstance(command, click.Command):
        raise Failure(f"the subcommand '{plug_in.name}' cannot be loaded from {plug_in.value}: it is no click command")
    return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(version("headgate"), prog_name="headgate")
def main() -> None:
    """Headgate decides how much live traffic a new model version may take, and shuts when the evidence turns bad.

    A rollout is declared in a ModelDeployment manifest; the operator carries it out. These commands check manifests, show what
    is going on and let a person step in.

    Exit codes: 0 ok, 1 refused or failed, 2 wrong usage, 3 timed out.
    """
