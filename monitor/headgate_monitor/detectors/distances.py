"""How far two samples are apart, between 0 and 1, whatever their sizes: effect sizes, not tests.

Numbers: Kolmogorov–Smirnov, the largest difference of the distribution functions. Categories: total variation, the share of
rows that would have to change their category; for a yes/no column both are the difference of the shares.
"""

import numpy as np
from numpy.typing import NDArray

from headgate_monitor.detectors.columns import Values


def ks_distance(sorted_reference: Values, window: Values) -> float:
    """Exactly SciPy's two-sample statistic, in O(window · log reference) because the reference is sorted already.

    The distribution functions can only differ most at a window value or just below one.
    """
    values = np.sort(window)
    steps = np.arange(len(values) + 1) / len(values)
    above = steps[1:] - np.searchsorted(sorted_reference, values, "right") / len(sorted_reference)
    below = np.searchsorted(sorted_reference, values, "left") / len(sorted_reference) - steps[:-1]
    return float(max(above.max(), below.max()))


def ks_distance_to_rest(sorted_all: Values, window: Values) -> float:
    """The distance of a window, contained in the sorted sample, to the rest of it."""
    values = np.sort(window)
    rest = len(sorted_all) - len(values)
    own_right, own_left = np.searchsorted(values, values, "right"), np.searchsorted(values, values, "left")
    above = own_right / len(values) - (np.searchsorted(sorted_all, values, "right") - own_right) / rest
    below = (np.searchsorted(sorted_all, values, "left") - own_left) / rest - own_left / len(values)
    return float(max(above.max(), below.max()))


def total_variation(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Half the sum of the absolute differences of shares; counts by category, in one order."""
    return float(np.abs(one / one.sum() - other / other.sum()).sum() / 2)


def counts(codes: Values, size: int) -> NDArray[np.int64]:
    """How often each code 0 … size − 1 occurs."""
    return np.bincount(codes.astype(np.int64), minlength=size)
