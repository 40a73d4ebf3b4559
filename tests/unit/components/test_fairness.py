"""Fairness: each group's rates are right, groups that differ too much are named, and what cannot be compared is said so."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from headgate_components.evaluation.fairness.logic import Fairness, Rule, fairness
from headgate_components.evaluation.fairness.rates import Gap, compare
from headgate_components.step import StepError

NO_LIMIT = Rule()


def run(trained: Any, folder: Path, *groups: str, rule: Rule = NO_LIMIT, rows: Path | None = None) -> Fairness:
    return fairness(
        rows or trained.evaluation_rows,
        trained.features,
        trained.model,
        label="late",
        groups=groups,
        rule=rule,
        metrics_path=folder / "metrics",
        report=folder / "report.html",
    )


def test_the_rates_of_groups_are_those_counted_by_hand() -> None:
    names = np.array(["a"] * 4 + ["b"] * 4 + ["c"] * 2, dtype=object)
    labels = np.array([1, 1, 0, 0, 1, 0, 0, 0, 0, 0])
    decided = np.array([1, 0, 1, 0, 1, 1, 1, 0, 0, 0])
    found = compare("group", names, labels, decided, minimum_rows=3)
    assert [(group.name, group.rows) for group in found.groups] == [("a", 4), ("b", 4), ("c", 2)]
    assert found.groups[0].rates == {"selection rate": 0.5, "true positive rate": 0.5, "false positive rate": 0.5, "error rate": 0.5}
    assert found.groups[1].rates == {"selection rate": 0.75, "true positive rate": 1, "false positive rate": 2 / 3, "error rate": 0.5}
    assert found.groups[2].rates == {"selection rate": 0, "true positive rate": None, "false positive rate": 0, "error rate": 0}
    assert [group.name for group in found.compared] == ["a", "b"]
    assert found.gap("selection rate") == Gap(0.75, "b", 0.5, "a")


def test_groups_that_differ_too_much_are_named_with_both_rates_and_the_report_is_kept(trained: Any, tmp_path: Path) -> None:
    found = run(trained, tmp_path, "city", rule=Rule(maximum_difference=0.1, minimum_rows=80))
    assert found.problems[0].startswith("the selection rate is 0.5")
    assert "where 'city' is Rome and 0." in found.problems[0]
    assert found.problems[0].endswith("a difference of at most 0.1 is allowed")
    assert json.loads((tmp_path / "metrics").read_text()) == found.metrics
    assert found.metrics["selectionRateDifference"] > 0.1
    report = (tmp_path / "report.html").read_text()
    assert "Failed" in report
    assert report.count("<svg") == 1
    assert "missing" in report  # a group of its own


def test_without_a_limit_the_differences_are_only_reported(trained: Any, tmp_path: Path) -> None:
    found = run(trained, tmp_path, "city", "load")
    assert found.problems == ()
    assert set(found.metrics) == {
        "selectionRateDifference",
        "truePositiveRateDifference",
        "falsePositiveRateDifference",
        "errorRateDifference",
    }


def test_without_groups_there_is_nothing_to_find(trained: Any, tmp_path: Path) -> None:
    found = run(trained, tmp_path)
    assert (found.problems, found.metrics) == ((), {})
    report = (tmp_path / "report.html").read_text()
    assert "No groups were compared." in report
    assert "Passed" not in report


def test_a_column_that_is_not_there_is_named_and_the_others_are_reported(trained: Any, tmp_path: Path) -> None:
    found = run(trained, tmp_path, "age", "city")
    assert found.problems == ("the evaluation rows have no column 'age' to group by; they have id, at, city, load, wind, late",)
    assert found.comparisons[0].column == "city"


def test_groups_too_small_to_compare_are_no_evidence_of_fairness(trained: Any, tmp_path: Path) -> None:
    found = run(trained, tmp_path, "city", rule=Rule(maximum_difference=0.1, minimum_rows=500))
    assert found.problems == ("'city' has no two groups of at least 500 rows to compare; name another column",)


def test_rows_of_one_class_are_said_so_in_the_report(
    trained: Any, make_table: Callable[..., pa.Table], write_table: Callable[..., Path], tmp_path: Path
) -> None:
    table = make_table(200)
    constant = table.set_column(table.column_names.index("late"), "late", pa.array([0.0] * 200))
    found = run(trained, tmp_path, "city", rows=write_table(constant))
    assert found.problems == ("the label 'late' is 0 in all 200 evaluation rows; rows of both classes are needed",)
    assert "rows of both classes are needed" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (Rule(threshold=1.5), "threshold is 1.5; allowed are 0 to 1"),
        (Rule(maximum_difference=-1), "maximum_difference is -1; allowed are 0 to 1"),
        (Rule(minimum_rows=0), "minimum_rows is 0; allowed are 1 and more"),
        (Rule(maximum_difference=0.1), "groups is empty"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(trained: Any, tmp_path: Path, rule: Rule, sentence: str) -> None:
    with pytest.raises(StepError, match=sentence):
        run(trained, tmp_path, rule=rule)
