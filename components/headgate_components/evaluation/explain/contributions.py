"""What each feature adds to a prediction: SHAP values of trees, as XGBoost computes them.

Lundberg et al., "From local explanations to global understanding with explainable AI for trees", Nature Machine Intelligence 2 (2020).
They are log-odds, and add up to the prediction: for every row, base + sum of contributions = log(p / (1 − p)).
"""

from dataclasses import dataclass

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from headgate_components.step import StepError
from headgate_serving.model.booster import contributions as contributions_of

BATCH_ROWS = 4096


@dataclass(frozen=True)
class Contributions:
    """The contributions to the predictions of some rows."""

    base: float
    """Log-odds before any feature is known: the mean over the training rows."""

    values: NDArray[np.float64]
    """Log-odds, shape (rows, features)."""

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """The prediction of each row, shape (rows,)."""
        total: NDArray[np.float64] = 1 / (1 + np.exp(-(self.base + self.values.sum(axis=1))))
        return total


def contributions(booster: xgb.Booster, matrix: NDArray[np.float32]) -> Contributions:
    """The contributions to each row's prediction, some thousand rows at a time.

    Raises:
        StepError: XGBoost cannot explain this model.
    """
    parts = (matrix[start : start + BATCH_ROWS] for start in range(0, len(matrix), BATCH_ROWS))
    try:
        found = np.concatenate([contributions_of(booster, part) for part in parts])
    except xgb.core.XGBoostError as error:
        raise StepError(f"XGBoost cannot explain this model: {str(error).splitlines()[0]}") from error
    return Contributions(base=float(found[0, -1]), values=found[:, :-1])
