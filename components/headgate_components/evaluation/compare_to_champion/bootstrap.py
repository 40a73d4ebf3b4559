"""How sure a difference between two models is that were measured on the same rows: the paired bootstrap.

Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 8 (paired samples) and 13.3 (percentile intervals). Rows are drawn
with replacement, as many as there are; both models are measured on the same draw, so that what makes rows hard cancels out. The lower
`1 - confidence` quantile of the differences bounds the true one from below. Rows are taken as independent of each other: where one bad day
makes thousands of them late together, the bound is too sure of itself.

A draw is held as how often each row was drawn, and a metric is computed from those weights for many draws at once.
"""

from collections.abc import Callable
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from headgate_components.labels import Labels, log_losses
from headgate_components.scored import Scores

WEIGHTS_AT_ONCE = 500_000

Weights = NDArray[np.float64]
"""How often each row was drawn, shape (draws, rows)."""

Measure = Callable[[Weights], Scores]
"""The metric in each draw, shape (draws,); NaN if a class is absent."""


class Metric(StrEnum):
    """What models are compared by."""

    ROC_AUC = "roc_auc"
    PR_AUC = "pr_auc"
    LOG_LOSS = "log_loss"
    BRIER = "brier"

    @property
    def sign(self) -> int:
        """1 if more is better, −1 if less is."""
        return 1 if self in (Metric.ROC_AUC, Metric.PR_AUC) else -1


def value(metric: Metric, labels: Labels, probabilities: Scores) -> float:
    """The metric on the rows as they are."""
    return float(_measure(metric, labels, probabilities)(np.ones((1, len(labels))))[0])


def improvements(metric: Metric, labels: Labels, champion: Scores, challenger: Scores, *, resamples: int, seed: int) -> Scores:
    """How much better the challenger is in each draw, shape (resamples,).

    Args:
        metric: what to compare by.
        labels: 0 or 1, shape (rows,).
        champion: its probabilities, shape (rows,).
        challenger: its probabilities, shape (rows,).
        resamples: how many draws.
        seed: of the draws.
    """
    random = np.random.default_rng(seed)
    measures = [_measure(metric, labels, probabilities) for probabilities in (challenger, champion)]
    rows = len(labels)
    at_once = max(1, WEIGHTS_AT_ONCE // rows)
    found = np.empty(resamples)
    for start in range(0, resamples, at_once):
        draws = min(at_once, resamples - start)
        weights = np.stack([np.bincount(random.integers(rows, size=rows), minlength=rows) for _ in range(draws)]).astype(np.float64)
        better, worse = (measure(weights) for measure in measures)
        found[start : start + draws] = metric.sign * (better - worse)
    return found


def lower_bound(differences: Scores, confidence: float) -> float:
    """What the true difference exceeds with this confidence (one-sided)."""
    return float(np.nanquantile(differences, 1 - confidence)) + 0.0  # of minus nothing, nothing


def _measure(metric: Metric, labels: Labels, probabilities: Scores) -> Measure:
    if metric is Metric.ROC_AUC:
        return _roc_auc(labels, probabilities)
    if metric is Metric.PR_AUC:
        return _pr_auc(labels, probabilities)
    if metric is Metric.BRIER:
        return _mean((probabilities - labels) ** 2)
    return _mean(log_losses(labels, probabilities))


def _mean(losses: Scores) -> Measure:
    return lambda weights: weights @ losses / weights.sum(axis=1)


def _roc_auc(labels: Labels, probabilities: Scores) -> Measure:
    """The share of pairs of a row of each class that are in the right order, a tie counting half (Mann and Whitney)."""
    positives, negatives = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    negatives = negatives[np.argsort(probabilities[negatives])]
    below = np.searchsorted(probabilities[negatives], probabilities[positives], side="left")
    not_above = np.searchsorted(probabilities[negatives], probabilities[positives], side="right")

    def measure(weights: Weights) -> Scores:
        positive, negative = weights[:, positives], _running_totals(weights[:, negatives])
        won = np.einsum("dr,dr->d", positive, negative[:, below] + negative[:, not_above]) / 2
        return _divided(won, positive.sum(axis=1) * negative[:, -1])

    return measure


def _pr_auc(labels: Labels, probabilities: Scores) -> Measure:
    """Average precision: the precision at each row of label 1, averaged over them."""
    order = np.argsort(-probabilities)
    positives = order[labels[order] == 1]
    falling = -probabilities[order]
    predicted = np.searchsorted(falling, -probabilities[positives], side="right")
    right = np.searchsorted(-probabilities[positives], -probabilities[positives], side="right")

    def measure(weights: Weights) -> Scores:
        positive, total = weights[:, positives], _running_totals(weights[:, order])
        found = _running_totals(positive)
        precision = _divided(found[:, right], total[:, predicted])
        # A row that was not drawn has no say, even if nothing above it was drawn either.
        return _divided(np.einsum("dr,dr->d", positive, np.nan_to_num(precision)), positive.sum(axis=1))

    return measure


def _running_totals(weights: Weights) -> Weights:
    """Cumulative sums from 0, shape (draws, rows + 1)."""
    totals = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=totals[:, 1:])
    return totals


def _divided(share: Scores, whole: Scores) -> Scores:
    result: Scores = np.divide(share, whole, out=np.full(share.shape, np.nan), where=whole > 0)
    return result
