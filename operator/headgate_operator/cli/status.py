"""`headgate status`: one look, or wait until the rollout is over."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from headgate_operator.api.quantities import format_duration
from headgate_operator.cli.cluster import Deployment, Target, read, run, target_options
from headgate_operator.cli.errors import Exit, Failure
from headgate_operator.cli.options import duration_option
from headgate_operator.cli.outcome import Outcome, outcome, waits_for
from headgate_operator.cli.output import Format, output_option, show
from headgate_operator.cli.view import console, view
from headgate_operator.kube.protocol import KubeApi, UnavailableError

_POLL_SECONDS = 1.0


@click.command()
@click.argument("name")
@click.option("--wait", is_flag=True, help="Wait until the rollout is over, its watch included.")
@click.option("--revision", metavar="ID", help="With --wait: the revision to wait for (default: the one the manifest names).")
@click.option("--timeout", default="1h", show_default=True, callback=duration_option, help="With --wait: give up after this long.")
@output_option(Format.TABLE, Format.JSON, Format.YAML)
@target_options
@click.pass_context
def status(ctx: click.Context, name: str, target: Target, wait: bool, revision: str | None, timeout: timedelta, output: Format) -> None:
    """Show what is serving, what is on trial and why.

    With --wait, exits with 0 when the new revision is promoted and its watch is over, 1 when it is refused or a person is needed
    (Stalled), 3 when the time is up. It waits through holds, suspensions and pauses, which end on their own or were asked for.
    """
    if revision and not wait:
        raise click.UsageError("--revision goes with --wait", ctx)
    deployment, ended = run(target, lambda api: _look(api, target, name, _waiting(revision, timeout) if wait else None))
    _print(deployment, output)
    if wait:
        if ended is None:
            why = waits_for(deployment.status)
            still = f"{name} is still {deployment.status.phase} after {format_duration(timeout)}"
            raise Failure(f"{still}: {why}" if why else still, Exit.TIMED_OUT)
        click.echo(ended.sentence, err=True)
        ctx.exit(ended.exit_code)


Ended = Callable[[Deployment], Outcome | None]


def _waiting(revision: str | None, timeout: timedelta) -> tuple[Ended, float]:
    """Return a judge that remembers whether it saw the revision on trial, and its patience in seconds."""
    seen = False

    def ended(deployment: Deployment) -> Outcome | None:
        nonlocal seen
        candidate = deployment.status.candidate
        seen = seen or (candidate is not None and candidate.id == revision)
        return outcome(deployment.status, deployment.generation, revision=revision, seen_as_candidate=seen)

    return ended, timeout.total_seconds()


async def _look(api: KubeApi, target: Target, name: str, waiting: tuple[Ended, float] | None) -> tuple[Deployment, Outcome | None]:
    deployment = await read(api, target, name)
    if waiting is None:
        return deployment, None
    ended, seconds = waiting
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while (how := ended(deployment)) is None and loop.time() < deadline:
        await asyncio.sleep(min(_POLL_SECONDS, max(0.0, deadline - loop.time())))
        try:
            deployment = await read(api, target, name)
        except UnavailableError:
            continue  # an API server that restarts does not end the wait
    return deployment, how


def _print(deployment: Deployment, output: Format) -> None:
    if output is Format.TABLE:
        console().print(view(deployment, datetime.now(UTC)))
        return
    answer: dict[str, Any] = {
        "name": deployment.name,
        "namespace": deployment.namespace,
        "generation": deployment.generation,
        "status": deployment.obj.get("status") or {},
    }
    show(answer, output)
