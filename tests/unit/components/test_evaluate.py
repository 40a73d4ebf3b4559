"""Evaluation: what is measured is finite and thin, and a model that is not good enough is told so with its reports kept."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, precision_score, recall_score

from headgate_components import models
from headgate_components.evaluation.evaluate.edge_cases import edge_cases
from headgate_components.evaluation.evaluate.logic import Evaluation, Limits, evaluate
from headgate_components.evaluation.evaluate.operating_point import Asked, Measure, Target, choose, operating_point, target_problem
from headgate_components.evaluation.evaluate.quality import CURVE_POINTS, quality
from headgate_components.finite import finite, thinned
from headgate_components.step import StepError

NO_LIMITS = Limits()
ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 10)), min_size=2, max_size=60)


def run(trained: Any, folder: Path, limits: Limits = NO_LIMITS, *, rows: Path | None = None, slices: tuple[str, ...] = ()) -> Evaluation:
    return evaluate(
        rows or trained.evaluation_rows,
        trained.features,
        trained.model,
        label="late",
        limits=limits,
        slice_columns=slices,
        metrics_path=folder / "metrics",
        report=folder / "report.html",
    )


def drawn(rows: list[tuple[int, int]]) -> tuple[Any, Any]:
    """Labels of both classes and probabilities with ties."""
    return np.array([0, 1, *(label for label, _ in rows)]), np.array([0.5, 0.5, *(tenth / 10 for _, tenth in rows)])


@given(ROWS, st.integers(0, 10))
def test_decisions_are_counted_as_scikit_learn_counts_them(rows: list[tuple[int, int]], tenth: int) -> None:
    labels, probabilities = drawn(rows)
    decided = probabilities >= tenth / 10
    point = operating_point(labels, probabilities, tenth / 10)
    assert [list(row) for row in point.confusion] == confusion_matrix(labels, decided).tolist()
    assert point.recall == pytest.approx(recall_score(labels, decided))
    assert point.precision == pytest.approx(precision_score(labels, decided, zero_division=0))


@given(ROWS)
def test_every_threshold_of_the_curves_is_an_operating_point(rows: list[tuple[int, int]]) -> None:
    labels, probabilities = drawn(rows)
    curve = quality(labels, probabilities).thresholds
    for place, threshold in enumerate(curve.threshold):
        point = operating_point(labels, probabilities, threshold)
        assert (point.recall, point.precision, point.specificity) == (curve.recall[place], curve.precision[place], curve.specificity[place])


@given(ROWS, st.sampled_from(list(Measure)), st.sampled_from(list(Measure)), st.integers(0, 20))
def test_no_threshold_that_holds_the_condition_has_more_of_the_goal(
    rows: list[tuple[int, int]], goal: Measure, condition: Measure, twentieth: int
) -> None:
    labels, probabilities = drawn(rows)
    curve = quality(labels, probabilities).thresholds
    target = Target(Asked(goal, 0), Asked(condition, twentieth / 20))
    chosen = operating_point(labels, probabilities, choose(target, curve))
    every = [operating_point(labels, probabilities, threshold) for threshold in curve.threshold]
    allowed = [getattr(point, goal) for point in every if getattr(point, condition) >= twentieth / 20]
    assert not allowed or (getattr(chosen, goal) == max(allowed) and getattr(chosen, condition) >= twentieth / 20)


def test_curves_are_thin_finite_and_keep_their_ends() -> None:
    random = np.random.default_rng(0)
    found = quality(random.integers(0, 2, 20_000), random.random(20_000)).thresholds
    false_positive_rates, true_positive_rates, thresholds = found.roc()
    assert len(false_positive_rates) == len(true_positive_rates) == len(thresholds) == CURVE_POINTS
    assert all(math.isfinite(value) for value in (*false_positive_rates, *true_positive_rates, *thresholds))
    assert (false_positive_rates[0], true_positive_rates[0]) == (0, 0)
    assert (false_positive_rates[-1], true_positive_rates[-1]) == (1, 1)
    assert type(false_positive_rates[-1]) is float


def test_calibration_bins_hold_every_row() -> None:
    found = quality(np.array([0, 1, 1, 0]), np.array([0.0, 0.05, 0.95, 1.0]))
    assert [(bin_.rows, bin_.observed) for bin_ in found.calibration] == [(2, 0.5), (2, 0.5)]
    assert found.calibration_error == pytest.approx((0.475 + 0.475) / 2)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -math.inf, np.float64("nan")])
def test_a_metric_that_is_not_finite_is_refused_by_name(value: float) -> None:
    with pytest.raises(StepError, match="the metric 'AUC' is"):
        finite("AUC", value)


@given(st.integers(1, 3000), st.integers(2, 200))
def test_thinning_keeps_the_ends_and_the_bound(count: int, most: int) -> None:
    kept = thinned(count, most)
    assert len(kept) == min(count, most)
    assert (kept[0], kept[-1]) == (0, count - 1)


def test_a_target_is_read_with_or_without_spaces() -> None:
    assert Target.parse(" recall >= 0.85 at precision>=.9 ") == Target(Asked(Measure.RECALL, 0.85), Asked(Measure.PRECISION, 0.9))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("recall > 0.85", "cannot be read; write it like 'recall >= 0.85 at precision >= 0.90', of recall, precision, specificity"),
        ("recall >= 85 at precision >= 0.9", "recall >= 85; allowed are shares from 0 to 1"),
        ("recall >= 0.8.5 at precision >= 0.9", "recall >= 0.8.5, which is no number"),
        ("recall >= 0.8 at recall >= 0.9", "names recall twice"),
    ],
)
def test_a_target_that_cannot_be_read_is_refused_with_an_example(text: str, sentence: str) -> None:
    with pytest.raises(StepError, match=sentence):
        Target.parse(text)


def test_a_good_model_passes_and_the_files_say_what_was_measured(trained: Any, tmp_path: Path) -> None:
    target = Target.parse("recall >= 0.4 at precision >= 0.9")
    found = run(trained, tmp_path, Limits(roc_auc=0.7, pr_auc=0.5, target=target, latency_ms=1000), slices=("city",))
    assert found.problems == ()
    assert json.loads((tmp_path / "metrics").read_text()) == found.metrics
    assert found.metrics["rocAuc"] > 0.75
    assert found.metrics["precision"] >= 0.9
    assert found.metrics["worstSliceRocAuc"] < found.metrics["rocAuc"]
    assert found.metrics["singleRowMedianMs"] > 0
    assert all(type(value) is float for value in found.metrics.values())


def test_a_weak_model_is_told_everything_that_is_wrong_and_keeps_its_report(trained: Any, tmp_path: Path) -> None:
    target = Target.parse("recall >= 0.95 at precision >= 0.9")
    limits = Limits(roc_auc=0.99, pr_auc=0.98, slice_roc_auc=0.85, target=target, latency_ms=1e-6)
    problems = run(trained, tmp_path, limits, slices=("city", "nowhere")).problems
    assert problems[0].startswith("the evaluation rows have no column 'nowhere' to group by")
    assert problems[1].endswith(", at least 0.990 is required")
    assert problems[2].endswith(", at least 0.980 is required")
    assert problems[3].startswith("ROC AUC where 'city' is Rome is 0.8")
    assert "at precision >= 0.9 (threshold 0.6" in problems[-2]
    assert problems[-1].endswith("ms (median), at most 1e-06 ms are allowed")
    report = (tmp_path / "report.html").read_text()
    assert "Failed" in report
    assert report.count("<svg") == 4


def test_slices_too_small_or_of_one_class_are_shown_but_not_judged(trained: Any, tmp_path: Path) -> None:
    found = run(trained, tmp_path, Limits(slice_roc_auc=0.999), slices=("late",))
    assert found.problems == ()
    assert "worstSliceRocAuc" not in found.metrics
    assert (tmp_path / "report.html").read_text().count("<svg") == 3


def test_a_condition_that_no_threshold_holds_is_said_so() -> None:
    labels, probabilities = np.array([0, 1, 1, 0]), np.array([0.9, 0.8, 0.2, 0.1])
    curve = quality(labels, probabilities).thresholds
    target = Target.parse("recall >= 0.1 at precision >= 0.9")
    point = operating_point(labels, probabilities, choose(target, curve))
    assert point.threshold == 0.5
    assert target_problem(target, point, curve) == "no threshold reaches precision >= 0.9; the most is 0.667"


def test_rows_nobody_hopes_for_get_an_answer(trained: Any) -> None:
    answers = edge_cases(models.read_model(trained.model), models.read_features(trained.features))
    assert set(answers) == {"everything missing", "very large numbers", "very small numbers", "unseen categories"}
    assert all(0 <= float(answer) <= 1 for answer in answers.values())


def test_rows_no_model_can_be_judged_by_are_said_so_in_a_report(
    trained: Any, make_table: Callable[..., pa.Table], write_table: Callable[..., Path], tmp_path: Path
) -> None:
    def problem(table: pa.Table) -> tuple[str, ...]:
        found = run(trained, tmp_path, rows=write_table(table))
        assert found.metrics == json.loads((tmp_path / "metrics").read_text()) == {}
        assert found.problems[0].split(";")[0] in (tmp_path / "report.html").read_text().replace("&#x27;", "'")
        return found.problems

    whole = make_table(300)

    def labelled(label: Any) -> pa.Table:
        return whole.set_column(whole.column_names.index("late"), "late", label)

    assert problem(whole.slice(0, 99)) == ("99 evaluation rows are too few; at least 100 are needed",)
    assert problem(whole.slice(0, 0)) == ("0 evaluation rows are too few; at least 100 are needed",)
    assert problem(labelled(pa.array([1] * 300))) == ("the label 'late' is 1 in all 300 evaluation rows; rows of both classes are needed",)
    assert problem(labelled(pa.array(["yes"] * 300))) == ("the label 'late' holds 'yes' in the evaluation rows; allowed are 0 and 1",)
    assert problem(labelled(pa.array([None, 1.0] * 150))) == ("the label 'late' holds nan in the evaluation rows; allowed are 0 and 1",)


def test_a_model_that_answers_no_probability_is_said_so(trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "predict", lambda _, matrix: np.where(matrix[:, 1] > 0, np.nan, 0.5))
    problem = run(trained, tmp_path).problems[0]
    assert problem.startswith("the model answers no probability (NaN, or outside 0 to 1) for ")
    assert problem.endswith(" of 600 evaluation rows; train it again")
