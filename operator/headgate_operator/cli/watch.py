"""`headgate watch`: one rollout, or a line for each of several, renewed until interrupted.

In a terminal it is drawn over itself and follows the terminal's size; in a pipe or a log it is printed anew whenever something changed.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from headgate_operator.api.quantities import format_duration
from headgate_operator.cli.cluster import Deployment, Target, read, read_all, run, target_options
from headgate_operator.cli.options import duration_option
from headgate_operator.cli.overview import overview
from headgate_operator.cli.view import console, view
from headgate_operator.kube.protocol import KubeApi, UnavailableError

_SHORTEST: Final = timedelta(milliseconds=200)

Look = tuple[Sequence[Deployment], str]
"""What was last seen, and why it could not be seen again; empty if it could."""


def _interval(ctx: click.Context, parameter: click.Parameter, text: str) -> timedelta:
    found = duration_option(ctx, parameter, text)
    if found < _SHORTEST:
        raise click.BadParameter(f"'{text}' is shorter than {format_duration(_SHORTEST)}", param=parameter)
    return found


@click.command()
@click.argument("names", nargs=-1)
@click.option("--once", is_flag=True, help="Print once and exit.")
@click.option("--plain", is_flag=True, help="Print again whenever something changed, as into a pipe, even in a terminal.")
@click.option("--interval", default="1s", show_default=True, callback=_interval, help="How often to look.")
@target_options
def watch(names: tuple[str, ...], target: Target, once: bool, plain: bool, interval: timedelta) -> None:
    """Follow a rollout in the terminal; Ctrl-C to stop.

    With several NAMES, shows a line for each; with none, a line for each ModelDeployment in the namespace.
    """
    screen = console()
    show = _live if screen.is_terminal and not (plain or once) else _print_changes
    with contextlib.suppress(KeyboardInterrupt):
        run(target, lambda api: show(screen, _looks(api, target, names, None if once else interval.total_seconds()), one=len(names) == 1))


async def _looks(api: KubeApi, target: Target, names: Sequence[str], seconds: float | None) -> AsyncIterator[Look]:
    """Yield looks, one every so many seconds, or just one."""
    seen, trouble = await _look(api, target, names), ""
    yield seen, trouble
    while seconds is not None:
        await asyncio.sleep(seconds)
        try:
            seen, trouble = await _look(api, target, names), ""
        except UnavailableError as error:
            trouble = f"the API server cannot be reached: {error}"
        yield seen, trouble


async def _look(api: KubeApi, target: Target, names: Sequence[str]) -> Sequence[Deployment]:
    return [await read(api, target, name) for name in names] if names else await read_all(api, target)


async def _live(screen: Console, looks: AsyncIterator[Look], *, one: bool) -> None:
    with Live(console=screen, auto_refresh=False) as live:
        async for seen, trouble in looks:
            live.update(Group(_drawn(seen, one=one), Text(trouble, "red")), refresh=True)


async def _print_changes(screen: Console, looks: AsyncIterator[Look], *, one: bool) -> None:
    before = None
    async for seen, trouble in looks:
        now = [(deployment.name, deployment.status) for deployment in seen], trouble
        if now != before:
            screen.print(_drawn(seen, one=one), Text(trouble, "red"))
        before = now


def _drawn(seen: Sequence[Deployment], *, one: bool) -> RenderableType:
    return view(seen[0], datetime.now(UTC)) if one else overview(seen)
