"""Whether a classifier can tell a window's rows from the reference's: alibi-detect's `ClassifierDrift`, for all features together."""

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from headgate_monitor.detectors.columns import Values

_SEED: Final = 0
_CALIBRATING: Final = 12
"""So many windows are asked for the floor: each costs the training of a classifier."""


@dataclass(frozen=True)
class JointScore:
    """What the classifier found. `distance` is the KS distance of its scores of held-out rows, 0 to 1, above what chance alone gives."""

    p: float
    distance: float
    floor: float
    alarm: bool
    severe: bool


class JointTest:
    """`ClassifierDrift` with gradient-boosted trees, which take missing values as they are.

    One split into halves instead of folds: folds share rows, and their p-values alarm twice as often as they should.
    """

    def __init__(self, matrix: Values) -> None:
        from sklearn.ensemble import HistGradientBoostingClassifier  # a second to import, and only this detector needs it

        from headgate_monitor.detectors.alibi import classifier_drift

        logging.getLogger("alibi_detect.cd.sklearn.classifier").setLevel(logging.ERROR)  # it warns of its own default at every window
        model = HistGradientBoostingClassifier(max_iter=50, early_stopping=False, random_state=_SEED)
        self._detector: Any = classifier_drift(matrix, backend="sklearn", model=model, train_size=0.5, preds_type="probs", seed=_SEED)

    def test(self, window: Values) -> tuple[float, float]:
        """p-value and distance of encoded rows."""
        from threadpoolctl import threadpool_limits

        # Threads that wait for each other cost more than they bring on rows so few. SciPy warns where its exact p-value overflows, and goes
        # on with the asymptotic one.
        with threadpool_limits(1, user_api="openmp"), warnings.catch_warnings(action="ignore", category=RuntimeWarning):
            found = self._detector.predict(window, return_p_val=True, return_distance=True, return_probs=False, return_model=False)
        data = found["data"]
        return float(data["p_val"]), float(data["distance"])


def joint_distances(matrix: Values, windows: Sequence[slice], *, max_rows: int) -> list[float]:
    """How far windows of the training rows, spread over their time, were from the rest of them."""
    chosen = np.unique(np.linspace(0, len(windows) - 1, min(_CALIBRATING, len(windows))).astype(int)) if windows else ()
    return [_to_rest(matrix, windows[index], max_rows) for index in chosen if windows[index].stop - windows[index].start < len(matrix)]


def _to_rest(matrix: Values, window: slice, max_rows: int) -> float:
    rest = np.delete(matrix, window, axis=0)
    if len(rest) > max_rows:
        rest = rest[np.random.default_rng(_SEED).choice(len(rest), max_rows, replace=False)]
    return JointTest(rest).test(matrix[window])[1]
