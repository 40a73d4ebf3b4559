"""Evaluation: the metrics are right, finite and thin, and a weak model is told so with its reports kept."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, confusion_matrix, log_loss, roc_auc_score

from headgate_components.evaluation.evaluate.behaviour import edge_cases
from headgate_components.evaluation.evaluate.logic import Evaluation, Minimums, evaluate
from headgate_components.evaluation.evaluate.quality import CURVE_POINTS, quality
from headgate_components.finite import finite, thinned
from headgate_components.models import read_features, read_model
from headgate_components.step import StepError

NO_MINIMUMS = Minimums()


def run(trained: Any, folder: Path, minimums: Minimums = NO_MINIMUMS) -> Evaluation:
    return evaluate(
        trained.evaluation_rows,
        trained.features,
        trained.model,
        label="late",
        minimums=minimums,
        metrics_path=folder / "metrics",
        report=folder / "report.html",
    )


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 10)), min_size=2, max_size=60))
def test_the_metrics_are_those_of_scikit_learn(rows: list[tuple[int, int]]) -> None:
    labels = np.array([0, 1, *(label for label, _ in rows)])
    probabilities = np.array([0.5, 0.5, *(tenth / 10 for _, tenth in rows)])
    found = quality(labels, probabilities)
    assert found.roc_auc == pytest.approx(roc_auc_score(labels, probabilities))
    assert found.pr_auc == pytest.approx(average_precision_score(labels, probabilities))
    assert found.brier == pytest.approx(brier_score_loss(labels, probabilities))
    assert found.log_loss == pytest.approx(log_loss(labels, np.clip(probabilities, 1e-15, 1 - 1e-15)))
    assert [list(row) for row in found.confusion] == confusion_matrix(labels, probabilities >= 0.5).tolist()


def test_curves_are_thin_finite_and_keep_their_ends() -> None:
    random = np.random.default_rng(0)
    found = quality(random.integers(0, 2, 20_000), random.random(20_000))
    for curve in (found.roc, found.precision_recall):
        assert len(curve.x) == len(curve.y) == len(curve.thresholds) == CURVE_POINTS
        assert all(math.isfinite(value) for values in (curve.x, curve.y, curve.thresholds) for value in values)
    assert (found.roc.points[0], found.roc.points[-1]) == ((0.0, 0.0), (1.0, 1.0))
    assert type(found.roc.x[0]) is float


def test_calibration_bins_hold_every_row() -> None:
    found = quality(np.array([0, 1, 1, 0]), np.array([0.0, 0.05, 0.95, 1.0]))
    assert [(bin_.rows, bin_.observed) for bin_ in found.calibration] == [(2, 0.5), (2, 0.5)]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -math.inf, np.float64("nan")])
def test_a_metric_that_is_not_finite_is_refused_by_name(value: float) -> None:
    with pytest.raises(StepError, match="the metric 'AUC' is"):
        finite("AUC", value)


def test_labels_of_one_class_are_refused_by_name() -> None:
    with pytest.raises(StepError, match="the metric 'ROC AUC' is nan"):
        quality(np.array([1, 1, 1]), np.array([0.1, 0.2, 0.3]))


@given(st.integers(1, 3000), st.integers(2, 200))
def test_thinning_keeps_the_ends_and_the_bound(count: int, most: int) -> None:
    kept = thinned(count, most)
    assert len(kept) == min(count, most)
    assert (kept[0], kept[-1]) == (0, count - 1)


def test_a_good_model_passes_and_the_files_say_what_was_measured(trained: Any, tmp_path: Path) -> None:
    found = run(trained, tmp_path, Minimums(roc_auc=0.7, pr_auc=0.5))
    assert found.problems == ()
    assert json.loads((tmp_path / "metrics").read_text()) == found.metrics
    assert found.metrics["rocAuc"] > 0.75
    assert found.metrics["singleRowMedianMs"] > 0
    assert all(type(value) is float for value in found.metrics.values())


def test_a_weak_model_does_not_pass_but_keeps_its_report(trained: Any, tmp_path: Path) -> None:
    found = run(trained, tmp_path, Minimums(roc_auc=0.99, pr_auc=0.98))
    assert [problem.split(",")[1] for problem in found.problems] == [" at least 0.990 is required", " at least 0.980 is required"]
    report = (tmp_path / "report.html").read_text()
    assert "Failed" in report
    assert report.count("<svg") == 3
    assert "http" not in report


def test_rows_nobody_hopes_for_get_an_answer(trained: Any) -> None:
    answers = edge_cases(read_model(trained.model), read_features(trained.features))
    assert set(answers) == {"everything missing", "very large numbers", "very small numbers", "unseen categories"}
    assert all(0 <= float(answer) <= 1 for answer in answers.values())


def test_too_few_rows_are_refused(trained: Any, make_table: Any, write_table: Any, tmp_path: Path) -> None:
    few = write_table(make_table(99))
    with pytest.raises(StepError, match="99 evaluation rows are too few"):
        evaluate(
            few,
            trained.features,
            trained.model,
            label="late",
            minimums=Minimums(),
            metrics_path=tmp_path / "metrics",
            report=tmp_path / "report",
        )
