"""alibi-detect's own univariate detectors, one a feature, so that each feature's missing values can be left out of its own test."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headgate_monitor.detectors.alibi import ChiSquareDrift, CVMDrift, KSDrift
from headgate_monitor.detectors.choice import Detector
from headgate_monitor.detectors.columns import ColumnKind, Values
from headgate_monitor.detectors.feature import FeatureReference


class StockTests:
    """The p-value of each feature by the chosen stock detector.

    Args:
        features: What the columns are.
        matrix: The reference's rows, encoded, shape (rows, features).
        detector: Which detector tests numbers; categories are tested by `ChiSquareDrift`.
        minimum_rows: Features with fewer non-null rows on either side get p = 1.
    """

    def __init__(self, features: Sequence[FeatureReference], matrix: Values, detector: Detector, *, minimum_rows: int) -> None:
        self._features, self._minimum_rows, self._by_bins = features, minimum_rows, detector is Detector.CHI_SQUARE
        self._numbers = CVMDrift if detector is Detector.CVM else ChiSquareDrift if self._by_bins else KSDrift
        self._references = [self._tested(feature, matrix[:, column]) for column, feature in enumerate(features)]

    def p_values(self, window: Values) -> NDArray[np.float64]:
        """p-values of encoded rows, shape (features,)."""
        return np.array([self._p_value(column, feature, window[:, column]) for column, feature in enumerate(self._features)])

    def _p_value(self, column: int, feature: FeatureReference, values: Values) -> float:
        reference, window = self._references[column], self._tested(feature, values)
        if min(len(reference), len(window)) < max(1, self._minimum_rows):
            return 1.0
        if feature.kind is ColumnKind.NUMBER and not self._by_bins:
            detector = self._numbers(reference)
        else:
            # Of categories the detector must know every one that occurs, and none that does not.
            detector = ChiSquareDrift(reference, categories_per_feature={0: np.union1d(reference, window).astype(int).tolist()})
        ((p,), _) = detector.feature_score(detector.x_ref, window)
        return float(p)

    def _tested(self, feature: FeatureReference, values: Values) -> Values:
        """Return what the detector gets of a column, shape (rows, 1): present values, numbers as bins if they are tested by chi-square."""
        present = values if feature.kind is ColumnKind.CATEGORY else values[~np.isnan(values)]
        if feature.kind is ColumnKind.NUMBER and self._by_bins:
            present = np.searchsorted(feature.edges, present, "right").astype(np.float64)
        return present.reshape(-1, 1)
