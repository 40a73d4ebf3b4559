"""How good probabilities are at every threshold: discrimination and calibration."""

from dataclasses import dataclass

import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score, roc_curve

from headgate_components.finite import finite, thinned
from headgate_components.labels import Labels
from headgate_components.scored import Scores

CURVE_POINTS = 200
CALIBRATION_BINS = 10


@dataclass(frozen=True)
class Thresholds:
    """What each threshold would decide, thresholds falling; arrays of one shape."""

    threshold: Scores
    recall: Scores
    """Share of the rows with label 1 that are predicted 1."""

    precision: Scores
    """Share of the rows predicted 1 that have label 1."""

    specificity: Scores
    """Share of the rows with label 0 that are predicted 0."""

    def thinned(self) -> "Thresholds":
        """Fewer than 200 of them, the first and the last among them."""
        kept = thinned(len(self.threshold), CURVE_POINTS - 1)
        return Thresholds(self.threshold[kept], self.recall[kept], self.precision[kept], self.specificity[kept])

    def roc(self) -> tuple[list[float], list[float], list[float]]:
        """False positive rates, true positive rates and thresholds of at most 200 points; the first predicts nothing."""
        kept = self.thinned()
        return [0.0, *(1 - kept.specificity).tolist()], [0.0, *kept.recall.tolist()], [1.0, *kept.threshold.tolist()]


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
    calibration_error: float
    """Mean distance of predicted and observed over the calibration bins, weighted by their rows."""

    thresholds: Thresholds
    """At every probability that was predicted."""

    calibration: tuple[CalibrationBin, ...]


def quality(labels: Labels, probabilities: Scores) -> Quality:
    """Measures predictions of 0 or 1, both of which must occur.

    Args:
        labels: 0 or 1, shape (rows,).
        probabilities: of label 1, shape (rows,).

    Raises:
        StepError: a metric is not finite.
    """
    bins = _calibration(labels, probabilities)
    return Quality(
        rows=len(labels),
        base_rate=finite("base rate", labels.mean()),
        roc_auc=finite("ROC AUC", roc_auc_score(labels, probabilities)),
        pr_auc=finite("PR AUC", average_precision_score(labels, probabilities)),
        brier=finite("Brier score", brier_score_loss(labels, probabilities)),
        log_loss=finite("log loss", log_loss(labels, probabilities)),
        calibration_error=sum(group.rows * abs(group.predicted - group.observed) for group in bins) / len(labels),
        thresholds=_thresholds(labels, probabilities),
        calibration=bins,
    )


def _thresholds(labels: Labels, probabilities: Scores) -> Thresholds:
    fall_out, recall, thresholds = roc_curve(labels, probabilities, drop_intermediate=False)
    positives, negatives = labels.sum(), len(labels) - labels.sum()
    # Counts, because a share that is 0.9 exactly must not come out as 0.8999…. The first point is left out: an infinite threshold that
    # nothing reaches has no precision, and no pipeline can carry infinity.
    true_positives, false_positives = np.rint(recall[1:] * positives), np.rint(fall_out[1:] * negatives)
    return Thresholds(
        threshold=thresholds[1:],
        recall=true_positives / positives,
        precision=true_positives / (true_positives + false_positives),
        specificity=(negatives - false_positives) / negatives,
    )


def _calibration(labels: Labels, probabilities: Scores) -> tuple[CalibrationBin, ...]:
    observed, predicted = calibration_curve(labels, probabilities, n_bins=CALIBRATION_BINS)
    # calibration_curve leaves out empty bins and does not tell how many rows the others have.
    edges = np.linspace(0, 1, CALIBRATION_BINS + 1)
    counts = np.bincount(np.searchsorted(edges[1:-1], probabilities), minlength=CALIBRATION_BINS)
    bins = zip(predicted, observed, counts[counts > 0], strict=True)
    return tuple(CalibrationBin(float(mean), float(share), int(rows)) for mean, share, rows in bins)
