"""Fit a reference, with floors learned in time order.

Real traffic is not independent: against five months of flights every single window of 500 "drifts", by the weekday, the hour
and the weather. So each feature's floor is how far a window was from the rest when nothing was wrong, and between two windows twice that.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headgate_monitor.detectors.choice import Detector
from headgate_monitor.detectors.columns import ColumnKind, RawColumns, Values, encode_categories, encode_numbers, most_frequent
from headgate_monitor.detectors.errors import DriftError
from headgate_monitor.detectors.feature import FLOOR_FACTOR, MINIMUM_FLOOR, MINIMUM_ROWS, PREDICTION, FeatureReference
from headgate_monitor.detectors.joint import joint_distances
from headgate_monitor.detectors.reference import Reference
from headgate_monitor.detectors.windows import cut, in_seconds, wandered

_QUANTILE_BINS = 20


def fit_reference(
    columns: RawColumns,
    timestamps: Sequence[Any],
    kinds: Mapping[str, str],
    *,
    window_rows: int = 500,
    window_seconds: float | None = None,
    excluded: Collection[str] = (),
    max_categories: int = 50,
    max_rows: int = 10_000,
    seed: int = 0,
    model_version: str = "",
    expected_shift: float = 0.0,
    detector: Detector = Detector.TABULAR,
) -> Reference:
    """The reference of these training rows.

    Args:
        columns: Raw rows, by feature.
        timestamps: When each row happened: seconds, datetimes or datetime64, all of one kind.
        kinds: `number` or `category` for each feature to watch.
        window_rows: The length of the windows that will be compared with it.
        window_seconds: Or their length in time, whichever is reached first; None: rows alone.
        excluded: Features that never alarm (seasonal ones); they are scored all the same.
        max_categories: How many categories a feature keeps; the others count as one. Rare ones inflate chi-square.
        max_rows: How many rows are stored, a seeded sample when there are more.
        seed: Of that sample.
        model_version: The registry version the reference belongs to.
        expected_shift: How far the model's predictions were from its predecessor's on the same rows (KS distance, 0 to 1).
        detector: Which test decides whether a window differs from the reference.

    Raises:
        DriftError: no rows, unequal lengths, a column of the wrong kind, or an unknown name.
    """
    _check(columns, timestamps, kinds, window_rows, window_seconds, excluded)
    seconds = in_seconds(timestamps)
    order = np.argsort(seconds, kind="stable")
    plan = _Plan(order, cut(seconds[order], rows=window_rows, seconds=window_seconds), max_categories)
    fitted = [_fit_feature(name, ColumnKind(kind), columns[name], plan, excluded=name in excluded) for name, kind in kinds.items()]
    features, everything = tuple(feature for feature, _ in fitted), np.column_stack([encoded for _, encoded in fitted])
    stored = _sampled(everything, max_rows, seed)
    reference = Reference(features, stored, window_rows, len(order), model_version, expected_shift, window_seconds, detector)
    if detector is not Detector.CLASSIFIER:
        return reference
    return replace(reference, joint_floor=_floor(joint_distances(everything, plan.windows, max_rows=max_rows)))


def with_predictions(
    reference: Reference, predictions: Sequence[float] | Values, timestamps: Sequence[Any], *, max_rows: int = 10_000, seed: int = 0
) -> Reference:
    """The reference with the model's predictions, whose floor is learned as a feature's is.

    Args:
        reference: The model's; its windows are those that the floor is learned on.
        predictions: One a row, of rows that the model did not learn from: for its training rows it is too sure of itself.
        timestamps: When each of those rows happened.
        max_rows: How many predictions are stored, a seeded sample when there are more.
        seed: Of that sample.

    Raises:
        DriftError: too few predictions to compare anything with, one that is no number, or unequal lengths.
    """
    values = np.asarray(predictions, dtype=np.float64)
    if len(values) < MINIMUM_ROWS or not np.isfinite(values).all():
        raise DriftError(f"a reference of predictions needs at least {MINIMUM_ROWS}, all of them numbers; found {len(values)}")
    fitted = fit_reference(
        {PREDICTION: values},  # type: ignore[dict-item]  # an array is a sequence in all that matters here
        timestamps,
        {PREDICTION: ColumnKind.NUMBER},
        window_rows=reference.window_rows,
        window_seconds=reference.window_seconds,
        max_rows=max_rows,
        seed=seed,
    )
    return replace(reference, predictions=fitted)


@dataclass(frozen=True)
class _Plan:
    """What all features are fitted by: rows in their order of time, cut into windows."""

    order: NDArray[np.int64]
    windows: Sequence[slice]
    max_categories: int


def _check(
    columns: RawColumns,
    timestamps: Sequence[Any],
    kinds: Mapping[str, str],
    window_rows: int,
    window_seconds: float | None,
    excluded: Collection[str],
) -> None:
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
    if window_seconds is not None and not 0 < window_seconds < float("inf"):
        raise DriftError(f"window_seconds must be above 0, found {window_seconds}")


def _fit_feature(name: str, kind: ColumnKind, values: Sequence[Any], plan: _Plan, *, excluded: bool) -> tuple[FeatureReference, Values]:
    categories = most_frequent(values, plan.max_categories) if kind is ColumnKind.CATEGORY else ()
    encoded = encode_numbers(name, values) if kind is ColumnKind.NUMBER else encode_categories(values, categories)
    encoded = encoded[plan.order]
    found = wandered(encoded, kind, missing_code=len(categories) + 1, windows=plan.windows)
    feature = FeatureReference(
        name=name,
        kind=kind,
        missing_rate=float(found.missing.mean()),
        floor=_floor(found.distances),
        missing_floor=_floor(found.missing_distances),
        windows=len(found.distances),
        pair_floor=_floor(found.distances, windows=2),
        pair_missing_floor=_floor(found.missing_distances, windows=2),
        unseen_rate=float((encoded == len(categories)).mean()) if kind is ColumnKind.CATEGORY else 0.0,
        categories=categories,
        edges=_quantile_edges(encoded) if kind is ColumnKind.NUMBER else (),
        excluded=excluded,
    )
    return feature, encoded


def _sampled(rows: Values, most: int, seed: int) -> Values:
    """So many of the rows, in their order; all of them if there are fewer."""
    if len(rows) <= most:
        return rows
    return rows[np.sort(np.random.default_rng(seed).choice(len(rows), most, replace=False))]


def _floor(distances: Sequence[float], *, windows: int = 1) -> float:
    """Two windows may each have wandered as far as any did, in opposite directions."""
    return max([MINIMUM_FLOOR, *(FLOOR_FACTOR * distance * windows for distance in distances)])


def _quantile_edges(encoded: Values) -> tuple[float, ...]:
    present = encoded[~np.isnan(encoded)]
    if not len(present):
        return ()
    edges = np.quantile(present, np.linspace(0, 1, _QUANTILE_BINS + 1)[1:-1])
    return tuple(float(edge) for edge in np.unique(edges))
