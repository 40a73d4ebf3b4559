"""`headgate pipeline submit` and `schedule`: pipelines on a Kubeflow cluster, by its REST API."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from headgate_pipelines.errors import one_sentence
from headgate_pipelines.names import PIPELINES

if TYPE_CHECKING:
    from headgate_pipelines.kubeflow.api import Kubeflow
    from headgate_pipelines.kubeflow.submission import Compiled

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_CRON_FIELDS = 6
_FILE = click.Path(dir_okay=False, path_type=Path)


class SecondsType(click.ParamType[int]):
    """A time such as 90s, 30m, 12h or 7d."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Whole seconds, at least one."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([1-9]\d{0,8})([smhd])", str(value))
        if found is None:
            self.fail(f"'{value}' is not a duration; give one such as 90s, 30m, 12h or 7d", param, ctx)
        return int(found[1]) * _UNITS[found[2]]


class CronType(click.ParamType[str]):
    """A cron schedule of five fields, or of six with seconds first, as Kubeflow Pipelines has it."""

    name = "cron"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Six fields."""
        fields = str(value).split()
        if len(fields) == _CRON_FIELDS - 1:
            fields = ["0", *fields]
        if len(fields) != _CRON_FIELDS or not all(re.fullmatch(r"[\dA-Za-z*/,?\-LW#]+", field) for field in fields):
            self.fail(f"'{value}' is not a cron schedule; give five fields such as '0 3 * * MON', or six with seconds first", param, ctx)
        return " ".join(fields)


def _cluster(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of both commands."""
    options = (
        click.argument("pipeline", type=click.Choice(PIPELINES)),
        click.option("--host", envvar="HEADGATE_KFP_HOST", required=True, help="Address of the API, such as https://kubeflow.example.com."),
        click.option("--token-file", envvar="HEADGATE_KFP_TOKEN_FILE", type=_FILE, help="File with a bearer token."),
        click.option("--ca", envvar="HEADGATE_KFP_CA", type=_FILE, help="Certificate authority to trust."),
        click.option("--namespace", envvar="HEADGATE_KFP_NAMESPACE", default="", help="The user's namespace; none in single-user mode."),
        click.option("--experiment", default="headgate", show_default=True, help="The experiment; made if it does not exist."),
        click.option("--recipe", type=_FILE, help="What to know about the data, as for a local run."),
        click.option("--parameters", type=_FILE, help="YAML file of parameters by name."),
        click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A parameter; may be repeated."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@_cluster
@click.option("--name", default="", help="Display name of the run; by default the same for the same version and parameters.")
@click.option("--wait", type=SecondsType(), metavar="TIME", help="Wait this long for it to end, such as 2h, and report its steps.")
def submit(*, name: str, wait: int | None, experiment: str, **options: Any) -> None:
    """Run a pipeline on a cluster, unless the same run is under way or has succeeded.

    Uploads the pipeline if this version is not there. Exit codes: 0 started, or with --wait succeeded, 1 otherwise, 2 wrong usage.
    """
    from headgate_pipelines.kubeflow.submission import submit as start
    from headgate_pipelines.kubeflow.waiting import wait as wait_for

    with one_sentence():
        kubeflow, compiled, parameters = _prepared(**options)
        run = start(kubeflow, compiled, experiment=experiment, parameters=parameters, name=name)
        click.echo(f"headgate: {'started' if run.started else 'there is already'} {run.name}, run {run.run_id} of {compiled.version}")
        if wait is not None:
            wait_for(kubeflow, run.run_id, seconds=wait, tell=lambda line: click.echo(f"headgate: {line}"))
            click.echo(f"headgate: {run.name} succeeded")


@click.command()
@_cluster
@click.option("--name", default="", help="Display name of the recurring run; the pipeline's by default.")
@click.option("--cron", type=CronType(), help="When: '0 3 * * MON', by the cluster's clock.")
@click.option("--every", type=SecondsType(), metavar="TIME", help="Or how often: 12h, 7d.")
@click.option("--paused", is_flag=True, help="Keep the schedule but start nothing; run again without this flag to resume.")
@click.option("--remove", is_flag=True, help="Delete the schedule; runs that it started stay.")
def schedule(
    *, name: str, cron: str | None, every: int | None, paused: bool, remove: bool, experiment: str, pipeline: str, **options: Any
) -> None:
    """Run a pipeline on a schedule. Creates or updates the schedule to match; running this twice changes nothing."""
    if not remove and (cron is None) == (every is None):
        raise click.UsageError("give either --cron or --every")
    from headgate_pipelines.kubeflow.submission import Schedule, unschedule
    from headgate_pipelines.kubeflow.submission import schedule as arrange

    name = name or pipeline
    with one_sentence():
        kubeflow, compiled, parameters = _prepared(pipeline=pipeline, **options)
        if remove:
            click.echo(f"headgate: removed {unschedule(kubeflow, experiment=experiment, name=name)} schedules named {name}")
            return
        when = Schedule(cron=cron or "", seconds=every or 0, paused=paused)
        found = arrange(kubeflow, compiled, when, experiment=experiment, parameters=parameters, name=name)
        click.echo(f"headgate: schedule {found.name} {found.done}, recurring run {found.recurring_run_id} of {compiled.version}")


def _prepared(
    *,
    pipeline: str,
    host: str,
    token_file: Path | None,
    ca: Path | None,
    namespace: str,
    recipe: Path | None,
    parameters: Path | None,
    settings: tuple[str, ...],
) -> tuple["Kubeflow", "Compiled", dict[str, Any]]:
    from headgate_components.rest import Server, Token
    from headgate_pipelines.kubeflow.api import Kubeflow
    from headgate_pipelines.kubeflow.parameters import declared_types, read_file, typed
    from headgate_pipelines.kubeflow.submission import Compiled
    from headgate_pipelines.recipe import read_recipe, recipe_parameters

    compiled = Compiled.of(pipeline)
    declared = declared_types(compiled.spec)
    known = {key: value for key, value in recipe_parameters(read_recipe(recipe)).items() if key in declared} if recipe else {}
    values = typed(declared, known | (read_file(parameters) if parameters else {}), settings)
    return Kubeflow(Server(url=host, token=Token(file=token_file), ca=ca), namespace), compiled, values
