"""A bounded uniform sample of rows: whatever arrives, memory stays the same and the tests stay valid."""

import numpy as np

from headgate_monitor.detectors.columns import Values


class Sample:
    """Rows of a window, shape (rows, width); beyond `limit` a uniform sample of them.

    Args:
        width: How many columns a row has.
        limit: How many rows are kept.
        random: Where chance comes from.
    """

    def __init__(self, width: int, limit: int, random: np.random.Generator) -> None:
        self._limit, self._random = limit, random
        self._rows: list[Values] = [np.empty((0, width))]
        self._keys: list[Values] = [np.empty(0)]
        self._kept = 0
        self.seen = 0
        """How many rows were added."""

    def add(self, rows: Values) -> None:
        """Add rows."""
        self._rows.append(rows)
        self._keys.append(self._random.random(len(rows)))
        self._kept += len(rows)
        self.seen += len(rows)
        if self._kept > 2 * self._limit:
            self._shrink()

    def take(self) -> Values:
        """Return at most `limit` rows."""
        if len(self._rows) > 1:
            self._shrink()
        return self._rows[0]

    def _shrink(self) -> None:
        rows, keys = np.concatenate(self._rows), np.concatenate(self._keys)
        if len(rows) > self._limit:
            chosen = np.argpartition(keys, self._limit)[: self._limit]
            rows, keys = rows[chosen], keys[chosen]
        self._rows, self._keys, self._kept = [rows], [keys], len(rows)
