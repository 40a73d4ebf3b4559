"""How good probabilities are: discrimination, calibration, and what a threshold of one half would decide."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headgate_components.finite import finite, thinned

CURVE_POINTS = 200
CALIBRATION_BINS = 10
THRESHOLD = 0.5

Labels = NDArray[np.int64]
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """A curve in the unit square, thinned to at most 200 points, with the probability threshold of each."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    thresholds: tuple[float, ...]

    @property
    def points(self) -> list[tuple[float, float]]:
        """(x, y) pairs."""
        return list(zip(self.x, self.y, strict=True))


@dataclass(frozen=True)
class CalibrationBin:
    """Rows whose probabilities are alike: what was predicted and what happened."""

    predicted: float
    observed: float
    rows: int


@dataclass(frozen=True)
class Quality:
    """Everything measured about a set of predictions."""

    rows: int
    base_rate: float
    """Share of rows with label 1."""

    roc_auc: float
    pr_auc: float
    """Average precision: the area under the precision-recall curve without interpolation."""

    brier: float
    """Mean squared error of the probabilities."""

    log_loss: float
    confusion: tuple[tuple[int, int], tuple[int, int]]
    """Counts by (label, predicted at one half): ((0 as 0, 0 as 1), (1 as 0, 1 as 1))."""

    roc: Curve
    """x false positive rate, y true positive rate."""

    precision_recall: Curve
    """x recall, y precision."""

    calibration: tuple[CalibrationBin, ...]


def quality(labels: Labels, probabilities: Scores) -> Quality:
    """Measures predictions of 0 or 1, both of which must occur.

    Args:
        labels: 0 or 1, shape (rows,).
        probabilities: of label 1, shape (rows,).

    Raises:
        StepError: a metric is not finite.
    """
    thresholds, true_positives, false_positives = _counts(labels, probabilities)
    positives, negatives = true_positives[-1], false_positives[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        recall = true_positives / positives
        fall_out = false_positives / negatives
        precision = true_positives / (true_positives + false_positives)
    clipped = np.clip(probabilities, 1e-15, 1 - 1e-15)
    return Quality(
        rows=len(labels),
        base_rate=finite("base rate", labels.mean()),
        roc_auc=finite("ROC AUC", np.trapezoid(np.append(0.0, recall), np.append(0.0, fall_out))),
        pr_auc=finite("PR AUC", np.sum(np.diff(np.append(0.0, recall)) * precision)),
        brier=finite("Brier score", np.mean((probabilities - labels) ** 2)),
        log_loss=finite("log loss", -np.mean(np.where(labels == 1, np.log(clipped), np.log1p(-clipped)))),
        confusion=_confusion(labels, probabilities),
        # scikit-learn starts the ROC curve at an infinite threshold, which no pipeline can carry; no probability exceeds 1.
        roc=_thinned(np.append(0.0, fall_out), np.append(0.0, recall), np.append(1.0, thresholds)),
        precision_recall=_thinned(recall, precision, thresholds),
        calibration=_calibration(labels, probabilities),
    )


def _counts(labels: Labels, probabilities: Scores) -> tuple[Scores, Labels, Labels]:
    """For each distinct probability, falling: how many rows of each label have at least that much."""
    order = np.argsort(-probabilities, kind="stable")
    ordered = probabilities[order]
    last_of_value = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    true_positives = np.cumsum(labels[order])[last_of_value]
    return ordered[last_of_value], true_positives, 1 + last_of_value - true_positives


def _confusion(labels: Labels, probabilities: Scores) -> tuple[tuple[int, int], tuple[int, int]]:
    predicted = probabilities >= THRESHOLD
    rows = [[int(np.sum((labels == label) & (predicted == bool(decision)))) for decision in (0, 1)] for label in (0, 1)]
    return (rows[0][0], rows[0][1]), (rows[1][0], rows[1][1])


def _calibration(labels: Labels, probabilities: Scores) -> tuple[CalibrationBin, ...]:
    edges = np.linspace(0, 1, CALIBRATION_BINS + 1)[1:-1]
    position = np.digitize(probabilities, edges)
    groups = [position == number for number in range(CALIBRATION_BINS)]
    return tuple(
        CalibrationBin(float(probabilities[group].mean()), float(labels[group].mean()), int(group.sum())) for group in groups if group.any()
    )


def _thinned(x: Scores, y: Scores, thresholds: Scores) -> Curve:
    kept = thinned(len(x), CURVE_POINTS)
    return Curve(*(tuple(float(value) for value in values[kept]) for values in (x, y, thresholds)))
