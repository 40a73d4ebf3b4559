"""alibi-detect's TabularDrift, an order of magnitude faster with the same decisions, and safe with missing numbers.

The stock detector sorts the reference again for every window and spends a millisecond on every p-value; one NaN silences a
feature for ever. Only its public hook `feature_score` is replaced: corrections, thresholds and answers are alibi-detect's.
"""

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, kolmogorov
from scipy.stats import kstwo

from headgate_monitor.detectors.alibi import TabularDrift
from headgate_monitor.detectors.columns import Values
from headgate_monitor.detectors.distances import ks_distance

_CLOSE = 2.0
"""Factor around a decision level within which the exact p-value is computed; the quick one is off by a few per cent there."""


class PresortedTabularDrift(TabularDrift):  # type: ignore[misc]  # alibi-detect is untyped
    """TabularDrift on a reference that is sorted and counted once.

    Args:
        x_ref: The reference, shape (rows, features); NaN for missing numbers.
        p_val: The significance level of a window, before correction.
        categorical: The columns that hold category codes.
        correction: `bonferroni` or `fdr`.
        minimum_rows: Features with fewer non-null rows on either side get p = 1, distance 0.
    """

    def __init__(
        self, x_ref: Values, p_val: float, categorical: Sequence[int], *, correction: str = "bonferroni", minimum_rows: int = 1
    ) -> None:
        super().__init__(x_ref, p_val=p_val, categories_per_feature=dict.fromkeys(categorical), correction=correction)
        self._minimum_rows = minimum_rows
        self._sorted = {
            column: np.sort(_present(x_ref[:, column])) for column in range(x_ref.shape[1]) if column not in self.x_ref_categories
        }
        self._counted = {column: np.unique(x_ref[:, column], return_counts=True) for column in categorical}

    def feature_score(self, x_ref: Values, x: Values) -> tuple[NDArray[np.float32], NDArray[np.float32]]:  # noqa: ARG002 - it was sorted
        """p-values and statistics (KS or chi-square) of each feature, shape (features,)."""
        scores = [self._score(column, x[:, column]) for column in range(self.n_features)]
        return np.array([p for p, _ in scores], dtype=np.float32), np.array([distance for _, distance in scores], dtype=np.float32)

    def _score(self, column: int, window: Values) -> tuple[float, float]:
        if column in self._counted:
            return _chi_square(self._counted[column], window)
        reference, present = self._sorted[column], _present(window)
        if min(len(reference), len(present)) < self._minimum_rows:
            return 1.0, 0.0
        distance = ks_distance(reference, present)
        return self._ks_p_value(distance, len(reference), len(present)), distance

    def _ks_p_value(self, distance: float, reference_rows: int, window_rows: int) -> float:
        """Stephens' approximation, and SciPy's slow exact value where the answer could depend on it."""
        rows = reference_rows * window_rows / (reference_rows + window_rows)
        quick = float(kolmogorov((sqrt(rows) + 0.12 + 0.11 / sqrt(rows)) * distance))
        if self.p_val / self.n_features / _CLOSE <= quick <= self.p_val * _CLOSE:
            return float(kstwo.sf(distance, np.round(rows)))
        return quick


def _present(values: Values) -> Values:
    return values[~np.isnan(values)]


def _chi_square(reference: tuple[Any, Any], window: Values) -> tuple[float, float]:
    categories, reference_counts = reference
    found, window_counts = np.unique(window, return_counts=True)
    union = np.union1d(categories, found)
    table = np.zeros((2, len(union)))
    table[0, np.searchsorted(union, categories)] = reference_counts
    table[1, np.searchsorted(union, found)] = window_counts
    return _chi_square_test(table)


def _chi_square_test(table: NDArray[np.float64]) -> tuple[float, float]:
    """SciPy's `chi2_contingency` for two rows and no empty column, Yates' correction for two categories included.

    Its checks of arguments cost ten times as much as the test.
    """
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    difference = np.abs(table - expected)
    freedom = table.shape[1] - 1
    if freedom == 0:
        return 1.0, 0.0
    if freedom == 1:
        difference -= np.minimum(0.5, difference)
    statistic = float((difference**2 / expected).sum())
    return float(chdtrc(freedom, statistic)), statistic
