"""Training rows cut into windows as live traffic will be, and how far these windows were from the rest when nothing was wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headgate_monitor.detectors.columns import ColumnKind, Values
from headgate_monitor.detectors.distances import counts, ks_distance_to_rest, total_variation
from headgate_monitor.detectors.feature import MINIMUM_ROWS


def in_seconds(timestamps: Sequence[Any]) -> Values:
    """Moments as seconds: of datetimes and datetime64 since the epoch, numbers as they are."""
    array: NDArray[Any] = np.asarray(timestamps)
    if array.dtype.kind == "M":
        return array.astype("datetime64[us]").astype(np.float64) / 1e6
    if array.dtype.kind == "O" and len(array) and isinstance(array[0], datetime):
        return np.array([moment.timestamp() for moment in array], dtype=np.float64)
    return array.astype(np.float64)


def cut(times: Values, *, rows: int, seconds: float | None) -> list[slice]:
    """Windows of so many rows or seconds, whichever is reached first; what is left at the end is none.

    Args:
        times: Moments in seconds, ascending, shape (n,).
        rows: The most rows of a window.
        seconds: Its longest duration; None: only rows count.
    """
    found: list[slice] = []
    start, began = 0, float(times[0])
    while start < len(times):
        over = int(np.searchsorted(times, began + seconds, "left")) if seconds is not None else len(times)
        end = min(start + rows, over)
        if end == len(times) and end - start < rows:  # neither full nor over
            break
        if end > start:
            found.append(slice(start, end))
        full = end - start >= rows
        began = began + seconds if seconds is not None and not full else float(times[min(end, len(times) - 1)])
        start = end
    return found


@dataclass(frozen=True)
class Wandering:
    """How far windows of one feature were from the rest, and how far their shares of missing values were."""

    missing: NDArray[np.bool_]
    distances: list[float]
    missing_distances: list[float]


def wandered(encoded: Values, kind: ColumnKind, *, missing_code: int, windows: Sequence[slice]) -> Wandering:
    """Measure one encoded column, in its order of time."""
    missing = np.isnan(encoded) if kind is ColumnKind.NUMBER else encoded == missing_code
    distances = _numbers(encoded, windows) if kind is ColumnKind.NUMBER else _categories(encoded, windows)
    total, size = int(missing.sum()), len(missing)
    lost = [(int(missing[window].sum()), window.stop - window.start) for window in windows]
    return Wandering(missing, distances, [abs(own / rows - (total - own) / (size - rows)) for own, rows in lost if size > rows])


def _numbers(encoded: Values, windows: Sequence[slice]) -> list[float]:
    everything = np.sort(encoded[~np.isnan(encoded)])
    present = [window[~np.isnan(window)] for window in (encoded[rows] for rows in windows)]
    return [ks_distance_to_rest(everything, window) for window in present if MINIMUM_ROWS <= len(window) < len(everything)]


def _categories(encoded: Values, windows: Sequence[slice]) -> list[float]:
    size = int(encoded.max()) + 1
    everything = counts(encoded, size)
    found = [counts(encoded[rows], size) for rows in windows]
    return [total_variation(window, everything - window) for window in found if (everything - window).any()]
