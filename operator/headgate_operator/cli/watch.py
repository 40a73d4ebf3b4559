"""`headgate watch`: `headgate status`, renewed until interrupted."""

import asyncio
import contextlib
from datetime import UTC, datetime

import click
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from headgate_operator.cli.cluster import Target, read, run, target_options
from headgate_operator.cli.view import console, view
from headgate_operator.kube.protocol import KubeApi, UnavailableError

_SECONDS = 1.0


@click.command()
@click.argument("name")
@target_options
def watch(name: str, target: Target) -> None:
    """Follow a rollout in the terminal; end with Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        run(target, lambda api: _follow(api, target, name))


async def _follow(api: KubeApi, target: Target, name: str) -> None:
    shown: RenderableType = view(await read(api, target, name), datetime.now(UTC))
    with Live(shown, console=console(), auto_refresh=False, transient=False) as live:
        while True:
            live.update(shown, refresh=True)
            await asyncio.sleep(_SECONDS)
            try:
                shown = view(await read(api, target, name), datetime.now(UTC))
            except UnavailableError as error:
                live.update(Group(shown, Text(f"the API server cannot be reached: {error}", "red")), refresh=True)
