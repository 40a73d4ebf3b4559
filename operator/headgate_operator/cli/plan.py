"""`headgate plan`: how a rollout will go at a given traffic, rehearsed with the operator's own code before anybody applies it."""

import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import click
from rich.console import Console
from rich.progress import Progress

from headgate_operator.api.manifest import problems
from headgate_operator.api.names import KIND
from headgate_operator.api.quantities import format_duration, parse_share
from headgate_operator.api.spec import ModelDeploymentSpec, counting_fallbacks
from headgate_operator.cli.errors import Exit, Failure
from headgate_operator.cli.forecast import Forecast, forecast, looks_in_all, rehearsals_in_all
from headgate_operator.cli.manifests import claims_to_be_ours, read_documents
from headgate_operator.cli.output import Format, output_option, show
from headgate_operator.cli.plan_view import plan_data, print_plan
from headgate_operator.cli.rehearsal import Scene

_MOST_LOOKS: Final = 10_000_000
"""Polls that may be simulated: a few minutes' work."""


def _base_rate(_ctx: click.Context, parameter: click.Parameter, text: str) -> float:
    """Read the base error rate; unlike other shares it may be 0%."""
    try:
        return 0.0 if text in {"0", "0%"} else parse_share(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param=parameter) from error


@click.command()
@click.argument("file")
@click.option(
    "--rate", type=click.FloatRange(0.001, 10_000), required=True, metavar="N", help="Requests per second, all versions together."
)
@click.option("--base-error-rate", default="0.5%", show_default=True, callback=_base_rate, help="Share of bad answers of a good version.")
@click.option("--runs", type=click.IntRange(1, 100_000), default=100, show_default=True, help="Rehearsals of a good version.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same numbers.")
@output_option(Format.TABLE, Format.JSON, Format.YAML)
def plan(file: str, rate: float, base_error_rate: float, runs: int, seed: int, output: Format) -> None:
    """Rehearse a manifest's rollout at a given rate of traffic.

    Tells you when each step begins and ends, how many requests it takes there to catch a version that fails 5 %, 10 % or all of the time,
    how many it takes to promote a good one, and how likely a good one is to be rolled back by mistake. Warns if there is too little
    traffic for the plan. FILE holds one ModelDeployment; - reads standard input. Needs no cluster.

    The rehearsals are simulations: requests arrive at random at a constant rate, and for every metric each answer is bad with the given
    probability, independently of the others. The verdicts come from the code that the operator runs.
    """
    name, spec = _manifest(file)
    scene = Scene.of(spec, rate=rate, base_rate=base_error_rate)
    _refuse_what_takes_hours(scene, runs)
    found = _rehearsed(scene, runs, seed)
    if output is Format.TABLE:
        print_plan(name, found)
    else:
        show(plan_data(name, found, seed), output)


def _manifest(file: str) -> tuple[str, ModelDeploymentSpec]:
    documents = [document for document in read_documents(file) if isinstance(document.content, Mapping)]
    ours = [document for document in documents if claims_to_be_ours(document.content)]
    if len(ours) != 1:
        raise Failure(f"{file}: {len(ours) or 'no'} documents of kind {KIND}; a plan is made for one")
    found = problems(ours[0].content)
    if found:
        raise Failure(f"{ours[0].source}: {found[0]}" + (f" (and {len(found) - 1} more: see `headgate lint`)" if found[1:] else ""))
    return ours[0].content["metadata"]["name"], counting_fallbacks(
        ModelDeploymentSpec.model_validate(ours[0].content["spec"]), prometheus=False
    )


def _refuse_what_takes_hours(scene: Scene, runs: int) -> None:
    looks = looks_in_all(scene, runs)
    if looks <= _MOST_LOOKS:
        return
    lasts = format_duration(sum((stage.min_duration for stage in scene.stages), timedelta()))
    fewer = runs * _MOST_LOOKS // looks
    remedy = f"try --runs {fewer}" if fewer else "rehearse it with shorter steps"
    raise Failure(f"a rollout of at least {lasts} takes too long to be rehearsed {runs} times; {remedy}", Exit.USAGE)


def _rehearsed(scene: Scene, runs: int, seed: int) -> Forecast:
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("rehearsing", total=rehearsals_in_all(scene, runs))
        return forecast(scene, runs=runs, seed=seed, advanced=lambda: progress.advance(task))
