"""What a prediction costs once its label is known. Every loss is scaled to 0 … 1, because bets need a bound."""

from enum import StrEnum
from math import log
from typing import Final

import numpy as np
import numpy.typing as npt

from headgate_monitor.detectors.columns import Values

Flags = npt.NDArray[np.bool_]

_CLIPPED: Final = 0.001
"""Log loss takes no probability for less than this, or one label that nobody expected would outweigh thousands."""


class Metric(StrEnum):
    """How predictions are compared with labels."""

    BRIER = "brier"
    LOG_LOSS = "logLoss"
    ACCURACY = "accuracy"

    @property
    def words(self) -> str:
        """How sentences call it."""
        return {Metric.BRIER: "Brier score", Metric.LOG_LOSS: "log loss", Metric.ACCURACY: "share of errors"}[self]

    @property
    def worst(self) -> float:
        """The largest loss in the metric's own unit; scaled losses are shares of it."""
        return -log(_CLIPPED) if self is Metric.LOG_LOSS else 1.0


def scaled_losses(metric: Metric, predictions: Values, labels: Values) -> Values:
    """Return the losses as shares of the worst one.

    Args:
        metric: Which loss.
        predictions: Probabilities of label 1, shape (n,). What is none (NaN, or outside 0 to 1) predicts nothing and costs the most.
        labels: 0 or 1, shape (n,).
    """
    known = probable(predictions)
    p = np.where(known, predictions, 0.5)
    if metric is Metric.BRIER:
        loss = (p - labels) ** 2
    elif metric is Metric.ACCURACY:
        loss = ((p >= 0.5) != (labels >= 0.5)).astype(np.float64)
    else:
        of_label = np.where(labels >= 0.5, p, 1 - p)
        loss = -np.log(np.maximum(of_label, _CLIPPED)) / metric.worst
    return np.where(known, loss, 1.0)


def probable(predictions: Values) -> Flags:
    """Return which predictions are probabilities."""
    return (predictions >= 0) & (predictions <= 1)  # NaN compares as False
