"""Compares the columns of a table with those of a reference: has the data moved so far that its source may be broken?

These are coarse limits for whole files, not drift detection: a month of flights differs from the month before by .1 to .2.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from headgate_monitor.detectors.distances import ks_distance


@dataclass(frozen=True)
class Limits:
    """Largest differences that pass, each in [0, 1]."""

    distance: float = 0.3
    """Kolmogorov-Smirnov distance of numbers, total variation distance of categories."""

    missing_change: float = 0.2
    """Change of the share of missing values."""


@dataclass(frozen=True)
class ColumnShift:
    """How far a column moved."""

    column: str
    distance: float
    missing_change: float

    def problem(self, limits: Limits) -> str | None:
        """One sentence if a limit is passed."""
        if self.missing_change > limits.missing_change:
            moved = f"the share of missing values of '{self.column}' moved by {self.missing_change:.2f}"
            return f"{moved} from the reference, allowed is {limits.missing_change:.2f}"
        if self.distance > limits.distance:
            return f"the distribution of '{self.column}' moved by {self.distance:.2f} from the reference, allowed is {limits.distance:.2f}"
        return None


def shifts(frame: pd.DataFrame, reference: pd.DataFrame) -> list[ColumnShift]:
    """The shift of every numeric and every string column that both tables have; columns of unique ids are left out."""
    both = [name for name in frame.columns if name in reference.columns]
    comparable = [name for name in both if pd.api.types.is_numeric_dtype(frame[name]) or not _is_id(reference[name])]
    return [_shift(name, frame[name], reference[name]) for name in comparable if not pd.api.types.is_datetime64_any_dtype(frame[name])]


def _shift(name: str, values: pd.Series, reference: pd.Series) -> ColumnShift:
    missing = abs(float(values.isna().mean()) - float(reference.isna().mean()))
    known, expected = values.dropna(), reference.dropna()
    if known.empty or expected.empty:
        return ColumnShift(name, 0.0, missing)
    numbers = all(pd.api.types.is_numeric_dtype(column) for column in (known, expected))
    distance = ks_distance(np.sort(expected.to_numpy()), known.to_numpy()) if numbers else _total_variation(known, expected)
    return ColumnShift(name, distance, missing)


def _total_variation(values: pd.Series, reference: pd.Series) -> float:
    shares = [column.astype(str).value_counts(normalize=True) for column in (values, reference)]
    return float(shares[0].subtract(shares[1], fill_value=0).abs().sum() / 2)


def _is_id(values: pd.Series) -> bool:
    return bool(values.nunique() > len(values) / 2)
