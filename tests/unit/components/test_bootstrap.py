"""The paired bootstrap: the same numbers as scikit-learn on the same draws, DeLong's spread, and errors as rare as promised."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from headgate_components.evaluation.compare_to_champion.bootstrap import Metric, improvements, lower_bound, value

SKLEARN: dict[Metric, Callable[..., float]] = {
    Metric.ROC_AUC: roc_auc_score,
    Metric.PR_AUC: average_precision_score,
    Metric.LOG_LOSS: log_loss,
    Metric.BRIER: brier_score_loss,
}
SIMULATIONS = 300


def problem(
    rows: int, seed: int, *, worse: float = 1.0, better: float = 1.0, digits: int = 6
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Labels and two models' probabilities, each the truth behind noise of that size, with ties if rounded."""
    random = np.random.default_rng(seed)
    truth = random.normal(size=rows)
    labels = (random.random(rows) < 1 / (1 + np.exp(-2 * truth))).astype(np.int64)
    first, second = (1 / (1 + np.exp(-truth - random.normal(size=rows) * noise)) for noise in (worse, better))
    return labels, first.round(digits), second.round(digits)


@pytest.mark.parametrize("metric", Metric)
def test_each_draw_gives_what_scikit_learn_gives_on_the_drawn_rows(metric: Metric) -> None:
    labels, champion, challenger = problem(150, 3, digits=1)
    found = improvements(metric, labels, champion, challenger, resamples=40, seed=5)
    random = np.random.default_rng(5)
    for improvement in found:
        rows = random.integers(150, size=150)
        better, worse = (SKLEARN[metric](labels[rows], model[rows]) for model in (challenger, champion))
        assert improvement == pytest.approx(metric.sign * (better - worse), abs=1e-12)
    assert value(metric, labels, champion) == pytest.approx(SKLEARN[metric](labels, champion))


def test_draws_held_in_several_parts_are_the_same_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, champion, challenger = problem(150, 3)
    whole = improvements(Metric.ROC_AUC, labels, champion, challenger, resamples=40, seed=5)
    monkeypatch.setattr("headgate_components.evaluation.compare_to_champion.bootstrap.WEIGHTS_AT_ONCE", 1000)
    assert improvements(Metric.ROC_AUC, labels, champion, challenger, resamples=40, seed=5).tolist() == whole.tolist()


def delong_deviation(labels: NDArray[Any], first: NDArray[Any], second: NDArray[Any]) -> float:
    """Standard deviation of the difference of two ROC AUC on the same rows: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988)."""
    parts = []
    for scores in (first, second):
        positives, negatives = scores[labels == 1, None], scores[None, labels == 0]
        won = (positives > negatives) + 0.5 * (positives == negatives)
        parts.append((won.mean(axis=1), won.mean(axis=0)))
    (first_positives, first_negatives), (second_positives, second_negatives) = parts
    positives, negatives = first_positives - second_positives, first_negatives - second_negatives
    return float(np.sqrt(positives.var(ddof=1) / len(positives) + negatives.var(ddof=1) / len(negatives)))


def test_the_spread_is_delongs() -> None:
    labels, champion, challenger = problem(800, 1, worse=1.5, better=0.8)
    found = improvements(Metric.ROC_AUC, labels, champion, challenger, resamples=2000, seed=0)
    assert found.std() == pytest.approx(delong_deviation(labels, champion, challenger), rel=0.06)


@pytest.mark.parametrize("metric", [Metric.ROC_AUC, Metric.BRIER])
def test_a_challenger_that_is_no_better_is_seldom_promoted_and_one_that_is_often(metric: Metric) -> None:
    def promoted(better: float) -> int:
        bounds = []
        for seed in range(SIMULATIONS):
            labels, champion, challenger = problem(250, seed, worse=1.5, better=better)
            bounds.append(lower_bound(improvements(metric, labels, champion, challenger, resamples=150, seed=seed), 0.95))
        return sum(bound > 0 for bound in bounds)

    # 5 % of 300 are 15 with a standard deviation of 3.8.
    assert promoted(better=1.5) <= 27
    assert promoted(better=0.4) >= 0.8 * SIMULATIONS


def test_draws_without_one_of_the_classes_are_left_out_of_the_bound() -> None:
    labels = np.array([1] + [0] * 30)
    scores = np.linspace(0.9, 0.1, 31)
    found = improvements(Metric.PR_AUC, labels, scores, scores, resamples=200, seed=0)
    assert np.isnan(found).any()
    assert lower_bound(found, 0.95) == 0
