"""How far the features of the evaluation rows are from those of the training rows, as the model sees them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headgate_components.step import StepError
from headgate_monitor.detectors.distances import counts, ks_distance, total_variation
from headgate_monitor.detectors.histograms import population_stability_index
from headgate_serving.model import Feature, FeatureKind, FeatureSet

BINS = 10

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
    """Population stability index, as the drift monitor has it, missing values included; by custom, 0.1 is little and 0.25 is much.

    Siddiqi, "Credit Risk Scorecards" (2006), chapter 8.
    """


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
        stability_index=population_stability_index(*histograms),
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
