"""Fit a reference, with floors learned in time order.

Real traffic is not independent: against five months of flights every single window of 500 "drifts", by the weekday, the hour
and the weather. So each feature's floor is how far a window was from the rest when nothing was wrong.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from headgate_monitor.detectors.columns import ColumnKind, RawColumns, Values, encode_categories, encode_numbers, most_frequent
from headgate_monitor.detectors.distances import counts, ks_distance_to_rest, total_variation
from headgate_monitor.detectors.errors import DriftError
from headgate_monitor.detectors.feature import MINIMUM_FLOOR, MINIMUM_ROWS, FeatureReference
from headgate_monitor.detectors.reference import Reference

FLOOR_FACTOR = 1.1
"""How far above the largest distance ever seen a floor lies."""

_QUANTILE_BINS = 20


def fit_reference(
    columns: RawColumns,
    timestamps: Sequence[Any],
    kinds: Mapping[str, str],
    *,
    window_rows: int = 500,
    excluded: Collection[str] = (),
    max_categories: int = 50,
    max_rows: int = 10_000,
    seed: int = 0,
    model_version: str = "",
    expected_shift: float = 0.0,
) -> Reference:
    """The reference of these training rows.

    Args:
        columns: Raw rows, by feature.
        timestamps: When each row happened: numbers, datetimes or datetime64, all of one kind.
        kinds: `number` or `category` for each feature to watch.
        window_rows: The length of the windows that will be compared with it.
        excluded: Features that never alarm (seasonal ones); they are scored all the same.
        max_categories: How many categories a feature keeps; the others count as one. Rare ones inflate chi-square.
        max_rows: How many rows are stored, a seeded sample when there are more.
        seed: Of that sample.
        model_version: The registry version the reference belongs to.
        expected_shift: How far the model's predictions were from its predecessor's on the same rows (KS distance, 0 to 1).

    Raises:
        DriftError: no rows, unequal lengths, a column of the wrong kind, or an unknown name.
    """
    _check(columns, timestamps, kinds, window_rows, excluded)
    order = np.argsort(np.asarray(timestamps), kind="stable")
    fitted = [
        _fit_feature(name, ColumnKind(kind), columns[name], order, window_rows, max_categories, excluded=name in excluded)
        for name, kind in kinds.items()
    ]
    matrix = np.column_stack([encoded for _, encoded in fitted])
    if len(matrix) > max_rows:
        matrix = matrix[np.sort(np.random.default_rng(seed).choice(len(matrix), max_rows, replace=False))]
    return Reference(tuple(feature for feature, _ in fitted), matrix, window_rows, len(order), model_version, expected_shift)


def _check(columns: RawColumns, timestamps: Sequence[Any], kinds: Mapping[str, str], window_rows: int, excluded: Collection[str]) -> None:
    absent = [name for name in kinds if name not in columns]
    if absent or not kinds:
        raise DriftError(f"the training data has no column '{absent[0]}'" if absent else "a reference needs at least one feature")
    unknown = [name for name in excluded if name not in kinds]
    if unknown:
        raise DriftError(f"'{unknown[0]}' is excluded from alarms but not a feature; the features are {', '.join(kinds)}")
    lengths = {len(timestamps), *(len(columns[name]) for name in kinds)}
    if len(lengths) != 1 or not len(timestamps):
        raise DriftError(f"timestamps and columns must have one common length above 0, found {', '.join(map(str, sorted(lengths)))}")
    if window_rows < MINIMUM_ROWS:
        raise DriftError(f"window_rows must be at least {MINIMUM_ROWS}, found {window_rows}")


def _fit_feature(
    name: str, kind: ColumnKind, values: Sequence[Any], order: Any, window_rows: int, max_categories: int, *, excluded: bool
) -> tuple[FeatureReference, Values]:
    categories = most_frequent(values, max_categories) if kind is ColumnKind.CATEGORY else ()
    encoded = encode_numbers(name, values) if kind is ColumnKind.NUMBER else encode_categories(values, categories)
    encoded = encoded[order]
    missing = np.isnan(encoded) if kind is ColumnKind.NUMBER else encoded == len(categories) + 1
    windows = [slice(start, start + window_rows) for start in range(0, len(encoded) - window_rows + 1, window_rows)]
    distances = _number_distances(encoded, windows) if kind is ColumnKind.NUMBER else _category_distances(encoded, windows)
    feature = FeatureReference(
        name=name,
        kind=kind,
        missing_rate=float(missing.mean()),
        floor=_floor(distances),
        missing_floor=_floor(_rate_distances(missing, windows)),
        windows=len(distances),
        categories=categories,
        edges=_quantile_edges(encoded) if kind is ColumnKind.NUMBER else (),
        excluded=excluded,
    )
    return feature, encoded


def _number_distances(encoded: Values, windows: Sequence[slice]) -> list[float]:
    everything = np.sort(encoded[~np.isnan(encoded)])
    present = [window[~np.isnan(window)] for window in (encoded[rows] for rows in windows)]
    return [ks_distance_to_rest(everything, window) for window in present if len(window) >= MINIMUM_ROWS and len(everything) > len(window)]


def _category_distances(encoded: Values, windows: Sequence[slice]) -> list[float]:
    size = int(encoded.max()) + 1
    everything = counts(encoded, size)
    found = [counts(encoded[rows], size) for rows in windows]
    return [total_variation(window, everything - window) for window in found if (everything - window).any()]


def _rate_distances(missing: Any, windows: Sequence[slice]) -> list[float]:
    total, rows = int(missing.sum()), len(missing)
    found = [(int(missing[window].sum()), window.stop - window.start) for window in windows]
    return [abs(own / length - (total - own) / (rows - length)) for own, length in found if rows > length]


def _floor(distances: Sequence[float]) -> float:
    return max([MINIMUM_FLOOR, *(FLOOR_FACTOR * distance for distance in distances)])


def _quantile_edges(encoded: Values) -> tuple[float, ...]:
    present = encoded[~np.isnan(encoded)]
    if not len(present):
        return ()
    edges = np.quantile(present, np.linspace(0, 1, _QUANTILE_BINS + 1)[1:-1])
    return tuple(float(edge) for edge in np.unique(edges))
