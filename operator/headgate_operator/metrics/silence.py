"""Servers that did not answer are left alone for a moment.

One outage concerns many objects at the same time: they all learn it at once, instead of each waiting for it and holding a worker.
"""

import time
from collections.abc import Callable
from typing import Final

_MOST_REMEMBERED: Final = 256  # servers


class Silence:
    """Which servers were silent, and what was said about that."""

    def __init__(self, seconds: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._until: dict[str, tuple[float, str]] = {}

    def why(self, address: str) -> str | None:
        """Return why a server is not asked now; None if it may be."""
        until, why = self._until.get(address, (0.0, ""))
        return why if self._monotonic() < until else None

    def keep(self, address: str, why: str) -> None:
        """Leave a server alone from now on."""
        if len(self._until) >= _MOST_REMEMBERED:
            self._until.clear()
        self._until[address] = (self._monotonic() + self._seconds, why)
