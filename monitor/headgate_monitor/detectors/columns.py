"""Raw columns → arrays a detector can compare: numbers with NaN for missing, categories as codes.

Codes of a category with k known values: 0 … k − 1, k for any other value, k + 1 for missing. Its own small encoder instead of
the model's, because the monitor's image carries no XGBoost and a reference may keep fewer categories than the model.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from headgate_monitor.detectors.errors import DriftError

Values: TypeAlias = NDArray[np.float64]
RawColumns: TypeAlias = Mapping[str, Sequence[str | float | int | None]]


class ColumnKind(StrEnum):
    """How the values of a column are compared."""

    NUMBER = "number"
    CATEGORY = "category"


def encode_numbers(name: str, values: Sequence[Any]) -> Values:
    """The column as floats, NaN for missing and for infinities (a broken sender must not become the largest value).

    Raises:
        DriftError: a value is no number.
    """
    array: NDArray[Any] = np.asarray(values)
    if array.dtype.kind not in "fiu":
        wrong = [value for value in _as_list(values) if not (value is None or isinstance(value, float | int))]
        if wrong:
            raise DriftError(f"column '{name}' must hold numbers or null, found {wrong[0]!r}")
    encoded = array.astype(np.float64)
    encoded[np.isinf(encoded)] = np.nan
    return encoded


def encode_categories(values: Sequence[Any], categories: Sequence[str] | Sequence[float]) -> Values:
    """The column as codes; see the module's description."""
    codes: dict[Any, float] = {category: float(code) for code, category in enumerate(categories)}
    other = float(len(categories))
    return np.array([other + 1 if _is_missing(value) else codes.get(value, other) for value in _as_list(values)], dtype=np.float64)


def most_frequent(values: Sequence[Any], limit: int) -> tuple[str, ...]:
    """The column's most frequent categories, ties by name."""
    counts = Counter(value for value in _as_list(values) if not _is_missing(value))
    return tuple(str(value) for value in sorted(counts, key=lambda value: (-counts[value], str(value)))[:limit])


def stacked(columns: Sequence[Values]) -> Values:
    """Encoded columns side by side, shape (rows, columns).

    Raises:
        DriftError: their lengths differ.
    """
    if len({len(column) for column in columns}) != 1:
        raise DriftError("the columns have different lengths")
    return np.column_stack(columns)


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _as_list(values: Sequence[Any]) -> list[Any]:
    tolist = getattr(values, "tolist", None)
    return list(values) if tolist is None else list(tolist())
