"""Predictions remembered for a while: the same encoded rows have the same answer from the same model.

The encoded row is the key, so a hit is exact whatever protocol the request came in, and what was imputed is counted all the same.
"""

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

MOST_ROWS = 16
"""Requests of more rows are hardly ever asked twice, and would take the room of many small ones."""


class Cache:
    """Answers by matrix, each for `ttl` seconds, the oldest leaving first when there are too many."""

    def __init__(self, *, ttl: float, entries: int, clock: Callable[[], float]) -> None:
        self._ttl, self._entries, self._clock = ttl, entries, clock
        self._kept: OrderedDict[bytes, tuple[float, NDArray[np.float64]]] = OrderedDict()

    def __len__(self) -> int:
        """How many answers are kept."""
        return len(self._kept)

    def get(self, key: bytes) -> NDArray[np.float64] | None:
        """The answer, if it is there and young enough."""
        found = self._kept.get(key)
        if found is None:
            return None
        if found[0] <= self._clock():
            del self._kept[key]
            return None
        return found[1]

    def put(self, key: bytes, answer: NDArray[np.float64]) -> None:
        """Keep an answer."""
        self._kept.pop(key, None)
        self._kept[key] = (self._clock() + self._ttl, answer)
        if len(self._kept) > self._entries:
            self._kept.popitem(last=False)  # the first one in is the first one to expire
