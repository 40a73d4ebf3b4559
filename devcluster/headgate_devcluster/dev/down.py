"""`headgate dev down`: the end of a cluster and of every process in it."""

import contextlib
import os
import signal
from pathlib import Path
from typing import Final

import click

from headgate_devcluster.dev.options import Refusal, with_folder
from headgate_devcluster.dev.waiting import within
from headgate_devcluster.lock import supervisor

_GRACE: Final = 60.0
_KILL_DEADLINE: Final = 10.0


@click.command()
@with_folder
def down(folder: Path) -> None:
    """Stop the cluster of a folder and everything in it. Its objects stay in the folder for the next `up`."""
    pid = supervisor(folder)
    if pid is None:
        click.echo(f"no cluster runs in {folder}")
        return
    if not _ended(folder, pid, signal.SIGTERM, _GRACE):
        click.echo(
            f"the cluster in {folder} (process {pid}) did not end within {_GRACE:.0f} s: killing it and, with it, its children", err=True
        )
        if not _ended(folder, pid, signal.SIGKILL, _KILL_DEADLINE):
            raise Refusal(f"the cluster in {folder} (process {pid}) does not end, not even when killed; its owner may be another user")
    click.echo(f"the cluster in {folder} is down")


def _ended(folder: Path, pid: int, number: int, seconds: float) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
    return within(seconds, lambda: supervisor(folder) is None and _has_ended(pid))


def _has_ended(pid: int) -> bool:
    try:
        # A zombie counts: in a container there may be nobody to reap it.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
