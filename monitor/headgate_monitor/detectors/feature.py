"""One feature of a drift reference: its categories, and how far windows of it wandered when nothing was wrong."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from headgate_monitor.detectors.columns import ColumnKind, RawColumns, Values, encode_categories, encode_numbers
from headgate_monitor.detectors.errors import DriftError

MINIMUM_FLOOR = 0.10
"""No shift below this is worth an alarm, however certain it is."""

FLOOR_FACTOR = 1.1
"""How far above the largest distance ever seen a floor lies."""

SEVERE_MARGIN = 0.10
"""How far above its floor a shift is severe."""

MINIMUM_WINDOWS = 5
"""Fewer windows say too little about how far apart windows are: the feature counts as uncalibrated."""

MINIMUM_ROWS = 100
"""Fewer non-null rows give no verdict."""

PREDICTION = "prediction"
"""What a model's predictions are called where they are compared as a feature is."""


@dataclass(frozen=True)
class FeatureReference:
    """One feature of a reference.

    `floor` is the distance below which no window alarms, `missing_floor` the same for the share of missing values; the pair floors are
    those of one window against another. `windows` is how many windows they were learned from. `edges` are the inner quantile edges of a
    number; `unseen_rate` is the share of values that are none of the `categories`, which are numbers only in a reference that was imported.
    """

    name: str
    kind: ColumnKind
    missing_rate: float
    floor: float
    missing_floor: float
    windows: int
    pair_floor: float = MINIMUM_FLOOR
    pair_missing_floor: float = MINIMUM_FLOOR
    unseen_rate: float = 0.0
    categories: tuple[str, ...] | tuple[float, ...] = ()
    edges: tuple[float, ...] = ()
    excluded: bool = False

    @property
    def severe(self) -> float:
        """The distance from which one window alone alarms."""
        return self.floor + SEVERE_MARGIN

    @property
    def calibrated(self) -> bool:
        """Whether the floor was learned from enough windows."""
        return self.windows >= MINIMUM_WINDOWS

    @property
    def codes(self) -> int:
        """How many codes a category has, with those for other and missing."""
        return len(self.categories) + 2

    @property
    def bins(self) -> int:
        """How many bins its histogram has: between and beyond the edges, or the categories and other; missing has none."""
        return len(self.edges) + 1 if self.kind is ColumnKind.NUMBER else len(self.categories) + 1

    def between_windows(self) -> Self:
        """This feature as it is judged when one window is compared with another."""
        return replace(self, floor=self.pair_floor, missing_floor=self.pair_missing_floor)

    def encode(self, columns: RawColumns) -> Values:
        """This feature's column of raw rows.

        Raises:
            DriftError: the column is absent or holds values of the wrong kind.
        """
        if self.name not in columns:
            raise DriftError(f"the rows have no column '{self.name}'; they have {', '.join(columns)}")
        values = columns[self.name]
        return encode_numbers(self.name, values) if self.kind is ColumnKind.NUMBER else encode_categories(values, self.categories)

    def missing(self, encoded: Values) -> NDArray[np.bool_]:
        """Which rows of an encoded column are missing."""
        if self.kind is ColumnKind.NUMBER:
            return np.isnan(encoded)
        return np.asarray(encoded == self.codes - 1)

    def unseen(self, encoded: Values) -> float:
        """The share of rows of an encoded column that hold no known category; 0 of a number."""
        return float((encoded == self.codes - 2).mean()) if self.kind is ColumnKind.CATEGORY else 0.0
