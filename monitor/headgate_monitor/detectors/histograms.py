"""Histograms on the reference's own bins, and what is commonly read off them: PSI and the Jensen–Shannon distance.

Counts of the same bins merge by addition, over windows and over replicas. Neither number decides anything here: they are what people
know from other tools, told beside the test that decides.
"""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from headgate_monitor.detectors.columns import ColumnKind, Values
from headgate_monitor.detectors.distances import counts
from headgate_monitor.detectors.feature import FeatureReference

Counts = NDArray[np.int64]


def histogram(feature: FeatureReference, encoded: Values) -> Counts:
    """How many values fall into each of the feature's bins, shape (bins,); missing ones into none."""
    if feature.kind is ColumnKind.CATEGORY:
        return counts(encoded, feature.codes)[: feature.bins]
    return np.bincount(np.searchsorted(feature.edges, encoded[~np.isnan(encoded)], "right"), minlength=feature.bins)


def population_stability_index(reference: Counts, window: Counts) -> float:
    """PSI without its bias: small windows alone give (bins − 1)(1/n + 1/m), which is taken off. Empty bins count as half a value."""
    rows, own = int(reference.sum()), int(window.sum())
    if not rows or not own:
        return 0.0
    p, q = _shares(reference), _shares(window)
    return float(max(0.0, ((q - p) * np.log(q / p)).sum() - (len(p) - 1) * (1 / rows + 1 / own)))


def jensen_shannon_distance(reference: Counts, window: Counts) -> float:
    """The root of the Jensen–Shannon divergence in bits: 0 for equal shares, 1 for nothing in common."""
    if not reference.sum() or not window.sum():
        return 0.0
    p, q = reference / reference.sum(), window / window.sum()
    middle = (p + q) / 2
    return sqrt(max(0.0, (_divergence(p, middle) + _divergence(q, middle)) / 2))


def _shares(found: Counts) -> Values:
    padded = np.maximum(found, 0.5)
    return np.asarray(padded / padded.sum())


def _divergence(p: Values, middle: Values) -> float:
    there = p > 0
    return float((p[there] * np.log2(p[there] / middle[there])).sum())
