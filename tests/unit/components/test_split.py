"""Split: by time, labelled rows only, and no leaks."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from headgate_components.data_processing.split.logic import Period, SplitRows, split
from headgate_components.data_processing.split.roles import Columns
from headgate_components.step import StepError

COLUMNS = Columns(time="at", label="late", id="id")
JANUARY, FEBRUARY = Period("2024-01-01T00:00:00", "2024-01-15"), Period("2024-01-15", "2024-01-22")


@pytest.fixture
def run(tmp_path: Path, write_table: Callable[..., Path]) -> Callable[..., SplitRows]:
    """`run(table, train=…, evaluation=…, features=…)` writes `train` and `evaluation` into the test's folder."""

    def build(
        table: pa.Table, *, train: Period = JANUARY, evaluation: Period = FEBRUARY, features: Sequence[str] = ("city", "load")
    ) -> SplitRows:
        paths = {"train_path": tmp_path / "train", "evaluation_path": tmp_path / "evaluation"}
        return split(write_table(table), COLUMNS, features, train, evaluation, **paths)

    return build


def test_rows_go_where_their_time_says(run: Any, make_table: Any, columns_of: Any, tmp_path: Path) -> None:
    rows = run(make_table(600))
    assert (rows.train, rows.evaluation) == (14 * 24, 7 * 24)
    train, evaluation = columns_of(tmp_path / "train"), columns_of(tmp_path / "evaluation")
    assert max(train["at"]) < min(evaluation["at"])
    assert str(min(evaluation["at"])) == "2024-01-15 00:00:00"
    assert set(train) == {"id", "at", "city", "load", "late"}


def test_parts_are_in_time_order_whatever_the_order_of_the_file(run: Any, make_table: Any, columns_of: Any, tmp_path: Path) -> None:
    table = make_table(600)
    run(table.take(list(range(599, -1, -1))))
    for name in ("train", "evaluation"):
        times = columns_of(tmp_path / name)["at"]
        assert times == sorted(times)


def test_rows_without_a_label_are_in_neither_part(run: Any, make_table: Any, columns_of: Any, tmp_path: Path) -> None:
    table = make_table(600)
    labels = [None if row < 10 else value for row, value in enumerate(table["late"].to_pylist())]
    rows = run(table.set_column(table.column_names.index("late"), "late", pa.array(labels, pa.float64())))
    assert (rows.train, rows.unlabelled) == (14 * 24 - 10, 10)
    assert None not in columns_of(tmp_path / "train")["late"]


def test_evaluation_before_the_end_of_training_is_refused(run: Any, make_table: Any) -> None:
    with pytest.raises(StepError, match="training ends at 2024-01-16, after evaluation starts at 2024-01-15"):
        run(make_table(600), train=Period("2024-01-01", "2024-01-16"))


@pytest.mark.parametrize("leak", ["late", "id", "at"])
def test_label_id_and_time_are_refused_as_features(run: Any, make_table: Any, leak: str) -> None:
    with pytest.raises(StepError, match=f"{leak} cannot be a feature"):
        run(make_table(600), features=("city", leak))


def test_an_id_in_both_parts_is_refused(run: Any, make_table: Any) -> None:
    table = pa.concat_tables([make_table(400), make_table(100, start="2024-01-18")])
    with pytest.raises(StepError, match="96 values of 'id' occur more than once in training and evaluation, such as r"):
        run(table)


def test_a_period_without_rows_is_refused_with_what_there_is(run: Any, make_table: Any) -> None:
    with pytest.raises(StepError, match="no rows for evaluation from 2025-01-01 to 2025-02-01; the data reaches from 2024-01-01"):
        run(make_table(600), evaluation=Period("2025-01-01", "2025-02-01"))


def test_a_label_of_one_class_is_refused(run: Any, make_table: Any) -> None:
    table = make_table(600)
    table = table.set_column(table.column_names.index("late"), "late", pa.array([1.0] * 600))
    with pytest.raises(StepError, match=r"the label 'late' takes the values \[1.0\] in training; it must be 0 and 1"):
        run(table)


def test_an_absent_column_and_a_bad_time_are_refused(run: Any, make_table: Any) -> None:
    with pytest.raises(StepError, match="has no column 'snow'; it has id, at"):
        run(make_table(600), features=("snow",))
    with pytest.raises(StepError, match="'May' is not a time"):
        run(make_table(600), train=Period("May", "2024-01-02"))
