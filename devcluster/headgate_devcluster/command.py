"""`headgate dev`: a cluster to try things in."""

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

from headgate_devcluster.errors import ClusterError, writing_to
from headgate_devcluster.lock import read_facts, supervisor

_START_DEADLINE = 120.0
_STOP_DEADLINE = 60.0
_POLL_SECONDS = 0.1


class Refusal(click.ClickException):
    """One sentence on stderr, exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it the way every `headgate` command does."""
        click.echo(f"headgate: error: {self.format_message()}", err=True, file=file)


@contextmanager
def _one_sentence() -> Iterator[None]:
    try:
        yield
    except ClusterError as error:
        raise Refusal(str(error)) from error


def _with_folder(command: Callable[..., None]) -> Callable[..., None]:
    kind = click.Path(path_type=Path, file_okay=False)
    text = "The cluster's folder: kubeconfig, logs, state. One cluster each."
    return click.option("--folder", type=kind, default=Path("build/dev"), show_default=True, help=text)(command)


@click.group()
def dev() -> None:
    """A whole cluster in one process tree, for development: API server and KServe are doubles, Envoy and model servers are real."""


@dev.command()
@_with_folder
@click.option("--namespace", default="ml", show_default=True, help="The namespace that the operator watches.")
@click.option("--gateway-port", type=click.IntRange(0, 65535), default=0, help="The gateway's port; default: any free one.")
@click.option("--api-port", type=click.IntRange(0, 65535), default=0, help="The API server's port; default: any free one.")
@click.option("--operator/--no-operator", default=True, show_default=True, help="Whether to run the operator in it.")
@click.option("--detach", is_flag=True, help="Return when the cluster is up, and leave it running.")
def up(folder: Path, namespace: str, gateway_port: int, api_port: int, operator: bool, detach: bool) -> None:
    """Bring a cluster up and keep it until Ctrl-C (or `headgate dev down`)."""
    folder = folder.absolute()
    with _one_sentence():
        if detach:
            options = {"--folder": folder, "--namespace": namespace, "--gateway-port": gateway_port, "--api-port": api_port}
            flags = [str(part) for option in options.items() for part in option]
            _detach(folder, ["up", *flags, "--operator" if operator else "--no-operator"])
            return
        from headgate_devcluster.cluster import Cluster  # a second of imports that `down` and `status` do not need

        logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
        cluster = Cluster(folder, namespace=namespace, operator=operator, gateway_port=gateway_port, api_port=api_port)
        asyncio.run(_keep_up(cluster))


@dev.command()
@_with_folder
def down(folder: Path) -> None:
    """Stop the cluster of a folder and everything in it."""
    folder = folder.absolute()
    pid = supervisor(folder)
    if pid is None:
        click.echo(f"no cluster runs in {folder}")
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    if not _within(_STOP_DEADLINE, lambda: supervisor(folder) is None and _has_ended(pid)):
        msg = f"the cluster in {folder} (process {pid}) did not end within {_STOP_DEADLINE:.0f} s; its children end with it: kill -9 {pid}"
        raise Refusal(msg)
    click.echo(f"the cluster in {folder} is down")


@dev.command()
@_with_folder
def status(folder: Path) -> None:
    """Say whether a cluster runs in a folder, and where to reach its parts. Exit code 1 if none does."""
    folder = folder.absolute()
    facts, pid = read_facts(folder), supervisor(folder)
    if facts is None:
        state = f"is starting or stopping (process {pid})" if pid else f"is not running; start it with `headgate dev up --folder {folder}`"
        msg = f"the cluster in {folder} {state}"
        raise Refusal(msg)
    _tell(folder)


async def _keep_up(cluster: Any) -> None:
    """Run the cluster until SIGINT or SIGTERM; both end it in order, also while it is still starting."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        async with cluster:
            _tell(cluster.folder)
            click.echo("Ctrl-C ends the cluster and everything in it.")
            await asyncio.Event().wait()
    except asyncio.CancelledError:
        click.echo("the cluster is down")


def _tell(folder: Path) -> None:
    facts = read_facts(folder)
    if facts is None:
        return
    rows = {
        "kubeconfig": facts.kubeconfig,
        "API server": facts.api_url,
        "gateway": f"{facts.gateway_url} (choose the route with the Host header)",
        "Envoy admin": facts.envoy_admin_url,
        "cluster-local": f"{facts.cluster_local_proxy} (HTTP proxy for <service>.{facts.namespace}.svc.cluster.local)",
        "logs": str(folder / "logs"),
        "process": str(facts.pid),
    }
    for name, value in rows.items():
        click.echo(f"{name:<14} {value}")


def _detach(folder: Path, arguments: list[str]) -> None:
    """Run `headgate dev` with these arguments in a session of its own, and return once its cluster is up."""
    if supervisor(folder) is not None:
        msg = f"a cluster already runs in {folder}; stop it with `headgate dev down --folder {folder}`"
        raise ClusterError(msg)
    log = folder / "up.log"
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        output = log.open("wb")
    with output:
        command = [sys.executable, "-c", "from headgate_devcluster.command import dev; dev()"]
        child = subprocess.Popen(
            [*command, *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    up = _within(_START_DEADLINE, lambda: read_facts(folder) is not None or child.poll() is not None)
    if not up or child.poll() is not None:
        child.terminate()
        words = log.read_text(errors="replace").strip().splitlines()[-1:] or ["no output"]
        raise ClusterError(words[0].removeprefix("headgate: error: "))
    _tell(folder)


def _has_ended(pid: int) -> bool:
    try:
        # A zombie counts: in a container there may be nobody to reap it.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _within(seconds: float, met: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not met():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
