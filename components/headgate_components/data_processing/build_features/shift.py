"""How far the features of the evaluation rows are from those of the training rows, as the model sees them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headgate_components.step import StepError
from headgate_monitor.detectors.distances import counts, ks_distance, total_variation
from headgate_serving.model import Feature, FeatureKind, FeatureSet

BINS = 10
SMALLEST_SHARE = 1e-4
"""A bin that is empty on one side would make the index infinite."""

Column = NDArray[np.float64]


@dataclass(frozen=True)
class FeatureShift:
    """How far a feature moved."""

    name: str
    missing_in_training: float
    """Share of the rows."""

    missing_in_evaluation: float
    distance: float | None
    """Of the values that are known: Kolmogorov–Smirnov for numbers, total variation for categories, 0 to 1; None if a part has none."""

    stability_index: float
    """Population stability index, missing values included; by custom, up to 0.1 is little and from 0.25 on is much."""


def shifts(features: FeatureSet, train: NDArray[np.float32], evaluation: NDArray[np.float32]) -> list[FeatureShift]:
    """Of each feature, furthest first.

    Args:
        features: what the columns of the matrices are.
        train: encoded training rows.
        evaluation: encoded evaluation rows.

    Raises:
        StepError: a part has no rows.
    """
    for name, part in (("training", train), ("evaluation", evaluation)):
        if not len(part):
            raise StepError(f"there is no {name} row; check the periods of the split")
    # Column by column: a copy of all in double precision would be twice as large as the matrices.
    columns = ((part.astype(np.float64) for part in (train[:, place], evaluation[:, place])) for place in range(len(features.names)))
    found = [_shift(feature, *pair) for feature, pair in zip(features.features, columns, strict=True)]
    return sorted(found, key=lambda shift: -shift.stability_index)


def stability_index(expected: NDArray[np.int64], found: NDArray[np.int64]) -> float:
    """Population stability index of two histograms: Σ (q − p) · ln(q / p) over their shares p and q.

    Siddiqi, "Credit Risk Scorecards" (2006), chapter 8. It is the sum of the Kullback–Leibler divergences both ways.
    """
    p, q = (np.maximum(part / part.sum(), SMALLEST_SHARE) for part in (expected, found))
    return float(np.sum((q - p) * np.log(q / p)))


def _shift(feature: Feature, train: Column, evaluation: Column) -> FeatureShift:
    known, seen = train[~np.isnan(train)], evaluation[~np.isnan(evaluation)]
    codes, new_codes = _bins(feature, known, known), _bins(feature, known, seen)
    size = max(BINS, len(feature.categories)) + 1  # the last for categories that training does not know
    histograms = [np.append(counts(part, size), len(column) - len(part)) for part, column in ((codes, train), (new_codes, evaluation))]
    both = len(known) > 0 and len(seen) > 0
    numbers = feature.kind is FeatureKind.NUMBER
    return FeatureShift(
        name=feature.name,
        missing_in_training=1 - len(known) / len(train),
        missing_in_evaluation=1 - len(seen) / len(evaluation),
        distance=(ks_distance(np.sort(known), seen) if numbers else _total_variation(histograms)) if both else None,
        stability_index=stability_index(*histograms),
    )


def _bins(feature: Feature, known: Column, values: Column) -> Column:
    """The bin of each value: its category, or the tenth of the training values that it lies in."""
    if feature.kind is FeatureKind.CATEGORY:
        return values
    if not len(known):
        return np.zeros(len(values))
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(edges, values, side="right").astype(np.float64)


def _total_variation(histograms: list[NDArray[np.int64]]) -> float:
    known, seen = (histogram[:-1] for histogram in histograms)
    return total_variation(known, seen)
