"""`headgate watch`: `headgate status`, renewed until interrupted. In a pipe or a log, printed anew whenever something changed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import click
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from headgate_operator.cli.cluster import Deployment, Target, read, run, target_options
from headgate_operator.cli.view import console, view
from headgate_operator.kube.protocol import KubeApi, UnavailableError

_SECONDS = 1.0

Look = tuple[Deployment, str]
"""What was last seen, and why it could not be seen again; empty if it could."""


@click.command()
@click.argument("name")
@target_options
def watch(name: str, target: Target) -> None:
    """Follow a rollout in the terminal; end with Ctrl-C."""
    screen = console()
    show = _live if screen.is_terminal else _print_changes
    with contextlib.suppress(KeyboardInterrupt):
        run(target, lambda api: show(screen, _looks(api, target, name)))


async def _looks(api: KubeApi, target: Target, name: str) -> AsyncIterator[Look]:
    deployment, trouble = await read(api, target, name), ""
    while True:
        yield deployment, trouble
        await asyncio.sleep(_SECONDS)
        try:
            deployment, trouble = await read(api, target, name), ""
        except UnavailableError as error:
            trouble = f"the API server cannot be reached: {error}"


async def _live(screen: Console, looks: AsyncIterator[Look]) -> None:
    with Live(console=screen, auto_refresh=False) as live:
        async for deployment, trouble in looks:
            live.update(Group(view(deployment, datetime.now(UTC)), Text(trouble, "red")), refresh=True)


async def _print_changes(screen: Console, looks: AsyncIterator[Look]) -> None:
    before = None
    async for deployment, trouble in looks:
        if (deployment.status, trouble) != before:
            screen.print(view(deployment, datetime.now(UTC)), trouble)
        before = deployment.status, trouble
