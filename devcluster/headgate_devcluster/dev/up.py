"""`headgate dev up`: a cluster in the foreground, or left running in the background."""

import asyncio
import logging
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Any, Final

import click

from headgate_devcluster.dev.options import one_sentence, with_folder
from headgate_devcluster.dev.status import tell
from headgate_devcluster.dev.waiting import within
from headgate_devcluster.errors import ClusterError, writing_to
from headgate_devcluster.lock import read_facts, supervisor

_START_DEADLINE: Final = 120.0
_PROGRESS: Final = "ready: "
LOG: Final = "up.log"
"""The output of a cluster that runs in the background."""


@click.command()
@with_folder
@click.option("--namespace", default="ml", show_default=True, help="The namespace that the operator watches.")
@click.option("--gateway-port", type=click.IntRange(0, 65535), default=0, help="The gateway's port; default: any free one.")
@click.option("--api-port", type=click.IntRange(0, 65535), default=0, help="The API server's port; default: any free one.")
@click.option("--operator/--no-operator", default=True, show_default=True, help="Whether to run the operator in it.")
@click.option("--rbac", is_flag=True, help="Enforce RBAC: the operator works with the rights of manifests/rbac and no others.")
@click.option("--fresh", is_flag=True, help="Forget the objects that an earlier cluster left in the folder.")
@click.option("--detach", is_flag=True, help="Return when the cluster is up, and leave it running.")
def up(folder: Path, namespace: str, gateway_port: int, api_port: int, operator: bool, rbac: bool, fresh: bool, detach: bool) -> None:
    """Bring a cluster up and keep it until Ctrl-C (or `headgate dev down`). It goes on with the objects of an earlier one in its folder."""
    with one_sentence():
        if read_facts(folder) is not None:
            click.echo(f"a cluster already runs in {folder}")
            tell(folder)
            return
        if detach:
            options = {"--folder": folder, "--namespace": namespace, "--gateway-port": gateway_port, "--api-port": api_port}
            flags = [str(part) for option in options.items() for part in option]
            switches = [name for name, on in (("--no-operator", not operator), ("--rbac", rbac), ("--fresh", fresh)) if on]
            _detach(folder, ["up", *flags, *switches])
            return
        from headgate_devcluster.cluster import Cluster  # a second of imports that `down` and `status` do not need

        logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
        cluster = Cluster(
            folder,
            namespace=namespace,
            operator=operator,
            gateway_port=gateway_port,
            api_port=api_port,
            persistent=True,
            fresh=fresh,
            rbac=rbac,
            progress=lambda part: click.echo(f"{_PROGRESS}{part}"),
        )
        asyncio.run(_keep_up(cluster))


async def _keep_up(cluster: Any) -> None:
    """Run the cluster until SIGINT or SIGTERM; both end it in order, also while it is still starting."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        async with cluster:
            tell(cluster.folder)
            click.echo("Ctrl-C ends the cluster and everything in it.")
            await asyncio.Event().wait()
    except asyncio.CancelledError:
        click.echo("the cluster is down")


def _detach(folder: Path, arguments: list[str]) -> None:
    """Run `headgate dev` with these arguments in a session of its own, and return once its cluster is up."""
    if (pid := supervisor(folder)) is not None:
        raise ClusterError(f"the cluster in {folder} is starting or stopping (process {pid}); try again in a moment")
    log = folder / LOG
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        output = log.open("wb")
    with output, log.open() as told:
        command = [sys.executable, "-c", "from headgate_devcluster.command import dev; dev()"]
        child = subprocess.Popen(
            [*command, *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        up = within(_START_DEADLINE, lambda: _relayed(told) and (read_facts(folder) is not None or child.poll() is not None))
    if not up or child.poll() is not None:
        child.terminate()
        words = log.read_text(errors="replace").strip().splitlines()[-1:] or ["no output"]
        raise ClusterError(words[0].removeprefix("headgate: error: "))
    tell(folder)


def _relayed(told: IO[str]) -> bool:
    """Show what the cluster in the background said about its progress since the last time; always true."""
    for line in told:
        if line.startswith(_PROGRESS):
            click.echo(line, nl=False)
    return True
