"""The demo's cluster, in a process of its own: `headgate dev up`, as a user would run it.

Not in the demo's own process, for two reasons: drawing must not slow the cluster down, and with `--keep` it outlives the demo.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from headgate_devcluster import process
from headgate_devcluster.errors import ClusterError
from headgate_devcluster.lock import ClusterFacts, read_facts

START_SECONDS: Final = 90
STOP_SECONDS: Final = 30
_POLL_SECONDS: Final = 0.1
_DEV: Final = (sys.executable, "-c", "from headgate_devcluster.command import dev; dev()")


@asynccontextmanager
async def cluster_process(folder: Path, *, keep: bool) -> AsyncIterator[ClusterFacts]:
    """Run a cluster in `folder`; end it with the body, unless it is to be kept and the body succeeded.

    Raises:
        ClusterError: it did not come up; the message is its own last words.
    """
    running = _detached(folder) if keep else _attached(folder)
    async with running as facts:
        yield facts


@asynccontextmanager
async def _attached(folder: Path) -> AsyncIterator[ClusterFacts]:
    """A child, which dies with the demo however the demo dies."""
    log = folder.with_suffix(".log")
    child = await process.start("the cluster", (*_DEV, "up", "--folder", folder), log=log)
    try:
        yield await _facts(folder, child)
    finally:
        await child.stop(STOP_SECONDS)


@asynccontextmanager
async def _detached(folder: Path) -> AsyncIterator[ClusterFacts]:
    """A process of its own, ended only if the demo fails or is interrupted."""
    await _dev("up", "--detach", "--folder", str(folder))
    try:
        facts = read_facts(folder)
        if facts is None:
            raise ClusterError(f"the cluster in {folder} ended right after it started; see {folder}/up.log")
        yield facts
    except BaseException:
        await asyncio.shield(_dev("down", "--folder", str(folder)))
        raise


async def _facts(folder: Path, child: process.Child) -> ClusterFacts:
    async with asyncio.timeout(START_SECONDS):
        while (facts := read_facts(folder)) is None:
            if not child.running:
                raise ClusterError(f"the cluster did not come up: {child.last_words(1).removeprefix('headgate: error: ')}")
            await asyncio.sleep(_POLL_SECONDS)
    return facts


async def _dev(*arguments: str) -> None:
    command = await asyncio.create_subprocess_exec(
        *_DEV, *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, start_new_session=True
    )
    _, words = await command.communicate()
    if command.returncode:
        raise ClusterError(
            words.decode(errors="replace").strip().removeprefix("headgate: error: ") or f"headgate dev {arguments[0]} failed"
        )
