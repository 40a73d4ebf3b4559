"""What a request asked and what was answered, as columns; and how columns become the rows of a reference, many at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from headgate_monitor.detectors.columns import RawColumns, Values
from headgate_monitor.detectors.errors import DriftError
from headgate_monitor.detectors.reference import Reference

CHUNK: Final = 256
"""Rows that are encoded together: one by one, the overhead of arrays would cost more than all the rest."""

_UNFIT: Final = (DriftError, TypeError, ValueError, OverflowError)
"""What encoding raises for values nobody thought of: arrays in a column, integers beyond any float."""


@dataclass(frozen=True)
class Rows:
    """The rows of one request. Bodies without names (a V1 matrix) have the columns in the model's order, under no names."""

    columns: Mapping[str, Sequence[Any]] | Sequence[Sequence[Any]]
    count: int

    def named(self, names: Sequence[str]) -> RawColumns:
        """Return the columns by name.

        Raises:
            DriftError: a feature is absent, or the number of unnamed columns is another one.
        """
        if isinstance(self.columns, Mapping):
            absent = next((name for name in names if name not in self.columns), None)
            if absent is not None:
                raise DriftError(f"the request has no column '{absent}'")
            return self.columns
        if len(self.columns) != len(names):
            raise DriftError(f"the request has {len(self.columns)} columns without names, the reference has {len(names)} features")
        return dict(zip(names, self.columns, strict=True))


class Encoder:
    """Collects rows and encodes them in chunks; rows that cannot be encoded are counted, the others of their chunk are kept."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self._names = [feature.name for feature in reference.features]
        self._waiting: list[list[Any]] = [[] for _ in self._names]
        self.bad = 0
        """Rows since the last `flush` that did not have the reference's columns or kinds."""

    @property
    def waiting(self) -> int:
        """Rows that were not encoded yet."""
        return len(self._waiting[0])

    def add(self, rows: Rows) -> None:
        """Add a request's rows."""
        try:
            columns = rows.named(self._names)
        except DriftError:
            self.bad += rows.count
            return
        for waiting, name in zip(self._waiting, self._names, strict=True):
            waiting.extend(columns[name])

    def flush(self) -> tuple[Values, int]:
        """Return the rows that wait, encoded, and how many rows since the last time were bad."""
        columns = dict(zip(self._names, self._waiting, strict=True))
        try:
            matrix = self.reference.encode(columns)
        except _UNFIT:
            matrix = self._one_by_one(columns)
        bad, self.bad = self.bad, 0
        self._waiting = [[] for _ in self._names]
        return matrix, bad

    def _one_by_one(self, columns: Mapping[str, list[Any]]) -> Values:
        good = list(self._encodable(columns))
        self.bad += self.waiting - len(good)
        return np.concatenate(good) if good else np.empty((0, len(self._names)))

    def _encodable(self, columns: Mapping[str, list[Any]]) -> Iterator[Values]:
        for row in range(self.waiting):
            try:
                yield self.reference.encode({name: values[row : row + 1] for name, values in columns.items()})
            except _UNFIT:
                continue
