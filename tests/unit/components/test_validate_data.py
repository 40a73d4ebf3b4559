"""Validation: a schema, a reference, and a report whatever the verdict."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from headgate_components.data_processing.validate_data.distribution import Limits
from headgate_components.data_processing.validate_data.logic import Validation, validate
from headgate_components.step import StepError

SCHEMA = """
columns:
  id: {dtype: str, unique: true}
  city: {dtype: str, nullable: true, checks: {isin: [Oslo, Rome, Bern, Riga, Cork]}}
  load: {dtype: float64, checks: {in_range: {min_value: -10, max_value: 10}}}
  late: {dtype: float64, nullable: true, checks: {isin: [0.0, 1.0]}}
"""


@pytest.fixture
def run(tmp_path: Path, write_table: Callable[..., Path]) -> Callable[..., Validation]:
    """`run(table, reference=None)` writes `report.html` into the test's folder."""

    def build(table: pa.Table, reference: pa.Table | None = None, schema: str = SCHEMA) -> Validation:
        compared = None if reference is None else write_table(reference, "reference")
        return validate(write_table(table), schema, tmp_path / "report.html", reference=compared, limits=Limits(0.3, 0.2))

    return build


def replaced(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


def test_a_good_table_passes_with_a_self_contained_report(run: Any, make_table: Any, tmp_path: Path) -> None:
    assert run(make_table(200)).problems == ()
    report = (tmp_path / "report.html").read_text()
    assert "Passed" in report
    assert "<script" not in report
    assert "://" not in report


def test_each_failing_check_is_one_sentence_and_the_report_is_written(run: Any, make_table: Any, tmp_path: Path) -> None:
    table = make_table(200)
    table = replaced(table, "load", pc.add(table["load"], 50.0)).drop_columns(["late"])
    problems = run(table).problems
    assert len(problems) == 2
    assert any("200 rows fail the check in_range(-10, 10) of 'load'" in problem for problem in problems)
    assert "the column 'late' is missing; the table has id, at, city, load, wind" in problems
    assert "Failed" in (tmp_path / "report.html").read_text()


def test_unknown_values_missing_values_and_repeated_ids_are_found(run: Any, make_table: Any) -> None:
    table = make_table(100)
    table = replaced(table, "id", pa.array(["same"] * 2 + table["id"].to_pylist()[2:]))
    table = replaced(table, "city", pa.array(["Atlantis", *table["city"].to_pylist()[1:]]))
    table = replaced(table, "load", pa.array([None, *table["load"].to_pylist()[1:]], pa.float64()))
    problems = " | ".join(run(table).problems)
    assert "of 'city', such as Atlantis" in problems
    assert "of 'id', such as same" in problems
    assert "1 row fails the check not_nullable of 'load'" in problems


def test_a_column_of_another_type_is_named_with_both_types(run: Any, make_table: Any) -> None:
    table = make_table(100)
    whole = replaced(table, "late", pa.array([0, 1] * 50, pa.int64()))
    assert run(whole).problems == ("the column 'late' is int64; the schema says float64",)
    text = replaced(table, "load", pa.array(["many", *map(str, table["load"].to_pylist()[1:])]))
    assert run(text).problems == ("the column 'load' is text, such as many; the schema says float64",)
    dates = replaced(table, "late", pa.array([date(2024, 5, 1)] * 100))
    times = SCHEMA.replace("late: {dtype: float64, nullable: true, checks: {isin: [0.0, 1.0]}}", "late: {dtype: 'datetime64[ms]'}")
    assert run(dates, schema=times).problems == ("the column 'late' is date, such as 2024-05-01; the schema says datetime64[ns]",)


def test_every_missing_column_is_named_beside_those_that_are_there(run: Any, make_table: Any) -> None:
    (problem,) = run(make_table(100).drop_columns(["late", "city"])).problems
    assert problem.startswith("the columns 'city', 'late' are missing; the table has id, ")


def test_values_in_the_report_are_escaped(run: Any, make_table: Any, tmp_path: Path) -> None:
    table = make_table(100)
    run(replaced(table, "city", pa.array(["<script>alert(1)</script>", *table["city"].to_pylist()[1:]])))
    assert "<script>" not in (tmp_path / "report.html").read_text()


def test_a_table_like_the_reference_passes(run: Any, make_table: Any) -> None:
    assert run(make_table(600, seed=5), make_table(600)).problems == ()


def test_a_moved_number_category_and_missing_rate_are_found(run: Any, make_table: Any) -> None:
    table = make_table(600)
    moved = replaced(table, "load", pc.add(table["load"], 1.5))
    moved = replaced(moved, "city", pa.array(["Rome"] * 600))
    moved = replaced(moved, "wind", pa.array([None] * 500 + [1.0] * 100, pa.float64()))
    problems = " | ".join(run(moved, table).problems)
    assert "the distribution of 'load' moved by" in problems
    assert "the distribution of 'city' moved by" in problems
    assert "the share of missing values of 'wind' moved by 0.50" in problems


@pytest.mark.parametrize("schema", ["", "just text", "columns: {}", "columns: [", "columns: {load: {dtype: no_such_type}}"])
def test_a_bad_schema_is_refused_with_a_sentence(run: Any, make_table: Any, schema: str) -> None:
    with pytest.raises(StepError, match="the validation schema"):
        run(make_table(10), schema=schema)


def test_a_corrupt_table_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "table").write_bytes(b"not parquet")
    with pytest.raises(StepError, match="table' cannot be read"):
        validate(tmp_path / "table", SCHEMA, tmp_path / "report.html")
