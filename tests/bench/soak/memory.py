"""How much memory processes have, and whether it grows."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.bench.report import Table

_EVERY = 2.0
_WATCHED = ("operator", "envoy")


class Memory:
    """Resident memory of the operator and Envoy over time, by process."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int], list[tuple[float, float]]] = {}

    async def watch(self, pids: Callable[[], Mapping[str, int]]) -> None:
        """Look for ever."""
        while True:
            running = pids()
            for name in _WATCHED:
                if name in running and (size := resident(running[name])) is not None:
                    self._seen.setdefault((name, running[name]), []).append((time.monotonic(), size))
            await asyncio.sleep(_EVERY)

    def table(self, *, calm: float) -> Table:
        """Return the largest of all lives, and the growth of the last one, without its first part, in which caches fill."""
        rows = []
        for name in _WATCHED:
            lives = [seen for (who, _), seen in self._seen.items() if who == name]
            if not lives:
                continue
            last = [point for point in lives[-1] if point[0] >= max(lives[-1][0][0] + _WARM, lives[-1][-1][0] - calm)]
            (first_at, first), (last_at, now) = (last[0], last[-1]) if last else (lives[-1][-1], lives[-1][-1])
            largest = max(size for seen in lives for _, size in seen)
            rows.append((name, len(lives), round(largest, 1), round(now, 1), round(now - first, 1), round((last_at - first_at) / 60, 1)))
        columns = ("process", "lives", "MB, largest", "MB, at the end", "MB, growth", "in the last minutes")
        return Table(title="Memory", columns=columns, rows=list(rows))


_WARM = 30.0
"""Seconds at the start of a life that do not count as growth."""


def resident(pid: int) -> float | None:
    """Return a process' resident memory in MB; None if it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1000 for line in status.splitlines() if line.startswith("VmRSS:")), None)
