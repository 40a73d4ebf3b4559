"""Ends the processes this one has started, and theirs.

A pipeline step is a Python below a shell below us, and kfp hands out neither; when a run is interrupted, nobody else would end them.
"""

import contextlib
import os
import signal
from pathlib import Path

PROCESSES = Path("/proc")


def end_children() -> None:
    """Sends SIGTERM to every descendant; on systems without /proc there is nothing to go by, and they end by themselves."""
    for pid in _descendants(os.getpid()):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGTERM)


def _descendants(pid: int) -> list[int]:
    parents = _parents()
    found = [pid]
    for parent in found:
        found += [child for child, its_parent in parents.items() if its_parent == parent]
    return found[1:]


def _parents() -> dict[int, int]:
    parents = {}
    for stat in PROCESSES.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            # The name stands in brackets and may itself hold spaces and brackets; state and parent follow the last one.
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
            parents[int(stat.parent.name)] = int(fields[1])
    return parents
