"""`headgate dev` as a program, and the processes it leaves."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

DEV = (sys.executable, "-c", "from headgate_devcluster.command import dev; dev()")


async def headgate_dev(*arguments: str) -> tuple[int, str, str]:
    """Run `headgate dev …`; exit code, stdout, stderr."""
    command = await asyncio.create_subprocess_exec(*DEV, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    async with asyncio.timeout(120):
        out, err = await command.communicate()
    assert command.returncode is not None
    return command.returncode, out.decode(), err.decode()


def processes_of(folder: Path) -> list[int]:
    """Every process whose command line or environment names the folder, zombies apart."""
    return list(_processes_of(str(folder).encode()))


def _processes_of(needle: bytes) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if needle in (entry / "cmdline").read_bytes():
                    yield int(entry.name)
            except OSError:
                continue
