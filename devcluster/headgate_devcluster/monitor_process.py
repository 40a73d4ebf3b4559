"""The drift monitor as a process of its own, as it would run in a pod of each namespace: production code and flags."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from headgate_devcluster import process
from headgate_devcluster.errors import ClusterError, free_port

_READY_DEADLINE = 30.0
_STOP_GRACE = 12.0
"""Longer than the monitor's own drain."""


@dataclass(frozen=True)
class MonitorProcess:
    """A running monitor. It keeps its state in a folder, and listens on one address for its whole life."""

    url: str
    child: process.Child

    async def stop(self) -> None:
        """End it, gently first."""
        await self.child.stop(_STOP_GRACE)


async def start_monitor(state: Path, log: Path) -> MonitorProcess:
    """Start the monitor and wait until it is ready.

    Raises:
        ClusterError: it ended or was not ready in time.
    """
    address = f"127.0.0.1:{free_port()}"
    argv: list[str | Path] = [sys.executable, "-m", "headgate_monitor", "--address", address, "--state", state]
    child = await process.start("monitor", argv, log=log, env=dict(os.environ))
    try:
        async with asyncio.timeout(_READY_DEADLINE):
            await process.until_ready(child, f"http://{address}/readyz")
    except TimeoutError as error:
        await child.stop(0)
        msg = f"the monitor was not ready within {_READY_DEADLINE:.0f} s: {child.last_words()} (log: {log})"
        raise ClusterError(msg) from error
    return MonitorProcess(f"http://{address}", child)
