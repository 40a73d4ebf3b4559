"""`headgate report`: everything about one rollout as a page that can be kept and sent, drawn like the operator's web view."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import click

from headgate_operator.cli.cluster import Deployment, Target, read, run, target_options
from headgate_operator.cli.errors import Failure
from headgate_operator.cli.options import duration_option
from headgate_operator.kube.protocol import ApiError, KubeApi, Object, Resource, UnavailableError
from headgate_operator.pages.deployment import Shown, Told
from headgate_operator.pages.document import report as page
from headgate_operator.pages.sample import sample_of
from headgate_operator.pages.words import utc
from headgate_operator.web.ring import Ring

_EVENTS: Final = Resource("events.k8s.io", "v1", "events", "Event")
_MOST_EVENTS: Final = 200
_SECONDS: Final = 1.0


@click.command()
@click.argument("name")
@click.option("-o", "--output", "path", type=click.Path(path_type=Path, dir_okay=False), help="File (default: NAME.html).")
@click.option("--for", "duration", default="0s", show_default=True, callback=duration_option,
              help="Watch for this long first: the cluster knows only how things stand now, not how they got there.")  # fmt: skip
@target_options
def report(name: str, target: Target, path: Path | None, duration: timedelta) -> None:
    """Write one HTML page about a rollout: versions, evidence, conditions, Events, history and refused versions with their numbers.

    The page is self-contained, so you can send it to anyone. Its charts cover what was seen during --for, or until Ctrl-C; the operator's
    web view (--ui) has a longer past, and can save its pages too.
    """
    path = path or Path(f"{name}.html")
    ring = Ring()
    try:
        deployment, told = run(target, lambda api: _look_on(api, target, name, ring, duration.total_seconds()))
    except KeyboardInterrupt:
        deployment, told = run(target, lambda api: _look_on(api, target, name, ring, 0.0))
    text = page(_shown(deployment, ring, told or []), utc(datetime.now(UTC)))
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}") from None
    click.echo(f"{path}: {name} is {deployment.status.phase}")
    if told is None:
        click.echo("headgate: without Events, which you may not list in this namespace", err=True)


async def _look_on(api: KubeApi, target: Target, name: str, ring: Ring, seconds: float) -> tuple[Deployment, list[Told] | None]:
    """Look once a second into the ring; return the last look and the Events, None if those may not be read."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    deployment = await read(api, target, name)
    while True:
        ring.add(sample_of(deployment.status, datetime.now(UTC).timestamp()))
        if loop.time() >= end:
            break
        await asyncio.sleep(min(_SECONDS, max(0.0, end - loop.time())))
        try:
            deployment = await read(api, target, name)
        except UnavailableError:
            continue  # an API server that restarts does not end the report
    try:
        events = await api.list(_EVENTS, deployment.namespace)
    except ApiError:
        return deployment, None
    return deployment, _told(events, str(deployment.obj["metadata"]["uid"]))


def _told(events: Sequence[Object], uid: str) -> list[Told]:
    """Return what was said about the object with that uid, newest first."""
    ours = [event for event in events if (event.get("regarding") or {}).get("uid") == uid]
    told = [found for event in ours if (found := _event(event)) is not None]
    return sorted(told, key=lambda one: one.at, reverse=True)[:_MOST_EVENTS]


def _event(event: Object) -> Told | None:
    at = (event.get("series") or {}).get("lastObservedTime") or event.get("eventTime") or event.get("deprecatedLastTimestamp")
    if not at:
        return None
    warning = event.get("type") == "Warning"
    return Told(at=datetime.fromisoformat(at), reason=event.get("reason") or "", message=event.get("note") or "", warning=warning)


def _shown(deployment: Deployment, ring: Ring, told: list[Told]) -> Shown:
    return Shown(
        namespace=deployment.namespace, name=deployment.name, status=deployment.status, steps=deployment.steps, owner=deployment.owner,
        samples=list(ring), told=told,
    )  # fmt: skip
