"""Scoring files of any size: every row, in order, in bounded memory, whole or not at all."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headgate_components import models, tables
from headgate_components.deployment.batch_score.logic import Scored, batch_score
from headgate_components.step import StepError


def score(trained: Any, source: Path | str, target: Path, *, rows: int = 100) -> Scored:
    return batch_score(str(source), trained.features, trained.model, target, id_column="id", rows=rows)


def refusing(trained: Any, folder: Path) -> Any:
    """The same model, but one that refuses categories it has never seen."""
    content = json.loads(trained.features.read_text())
    (folder / "features").write_text(json.dumps(content | {"unknown": "error"}))
    return type(trained)(trained.train_rows, trained.evaluation_rows, folder / "features", trained.model)


def test_each_row_gets_what_the_model_says_whatever_the_batches(trained: Any, tmp_path: Path) -> None:
    table = pq.read_table(trained.evaluation_rows)
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=70)
    features = models.read_features(trained.features)
    expected = models.predict(models.read_model(trained.model), models.encode(features, tables.arrays(table, features.names)))
    for rows in (1, 33, 1000):
        assert score(trained, tmp_path / "rows.parquet", tmp_path / "scores", rows=rows) == Scored(600, (), {})
        found = pq.read_table(tmp_path / "scores")
        assert found.column_names == ["id", "probability"]
        assert found["id"].to_pylist() == table["id"].to_pylist()
        assert np.array_equal(found["probability"].to_numpy(), expected)


def test_a_feature_without_a_column_and_a_category_the_model_refuses_are_missing(
    trained: Any, make_table: Callable[..., pa.Table], tmp_path: Path
) -> None:
    table = make_table(50)
    strange = table.set_column(2, "city", pa.array(["Atlantis", *table["city"].to_pylist()[1:]])).drop(["wind"])
    pq.write_table(strange, tmp_path / "strange.parquet")
    nulls = pa.nulls(50, pa.float64())
    known = strange.set_column(2, "city", pa.array([None, *table["city"].to_pylist()[1:]])).append_column("wind", nulls)
    pq.write_table(known, tmp_path / "known.parquet")
    model = refusing(trained, tmp_path)
    assert score(model, tmp_path / "strange.parquet", tmp_path / "one") == Scored(50, ("wind",), {"city": 1})
    score(model, tmp_path / "known.parquet", tmp_path / "two")
    assert pq.read_table(tmp_path / "one").equals(pq.read_table(tmp_path / "two"))


def test_dictionary_columns_are_read_like_any_other(trained: Any, make_table: Callable[..., pa.Table], tmp_path: Path) -> None:
    table = make_table(50)
    pq.write_table(table.set_column(2, "city", table["city"].dictionary_encode()), tmp_path / "rows.parquet")
    assert score(refusing(trained, tmp_path), tmp_path / "rows.parquet", tmp_path / "scores").unknown == {}


def test_what_cannot_be_scored_is_told_with_its_rows_and_leaves_no_file(
    trained: Any, make_table: Callable[..., pa.Table], tmp_path: Path
) -> None:
    table = make_table(250)
    load = table["load"].to_pylist()
    load[120] = float("inf")
    pq.write_table(table.set_column(3, "load", pa.array(load)), tmp_path / "rows.parquet", row_group_size=100)
    with pytest.raises(StepError, match=r"in rows 100 to 199: feature 'load' is infinite .* in row 20"):
        score(trained, tmp_path / "rows.parquet", tmp_path / "out" / "scores")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda table: table.drop(["id"]), "has no column 'id'"),
        (lambda table: table.select(["id", "at"]), "none of the model's features; it has id, at"),
        (lambda table: table.set_column(3, "load", pa.array(["x"] * 5)), "feature 'load' must hold numbers"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(
    trained: Any, make_table: Callable[..., pa.Table], tmp_path: Path, change: Callable[[pa.Table], pa.Table], says: str
) -> None:
    pq.write_table(change(make_table(5)), tmp_path / "rows.parquet")
    with pytest.raises(StepError, match=says):
        score(trained, tmp_path / "rows.parquet", tmp_path / "scores")


def test_a_file_that_is_none_is_refused(trained: Any, tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"nowhere\.parquet' does not exist"):
        score(trained, tmp_path / "nowhere.parquet", tmp_path / "scores")
    (tmp_path / "text.parquet").write_text("id,load")
    with pytest.raises(StepError, match=r"text\.parquet' could not be scored: .*Parquet"):
        score(trained, tmp_path / "text.parquet", tmp_path / "scores")
    with pytest.raises(StepError, match=r"rows\.csv' is CSV; what is to be scored must be Parquet"):
        score(trained, tmp_path / "rows.csv", tmp_path / "scores")
    with pytest.raises(StepError, match="unknown scheme"):
        score(trained, "ftp://x/y.parquet", tmp_path / "scores")
    with pytest.raises(StepError, match="allowed are 1 to 1,000,000"):
        score(trained, "x.parquet", tmp_path / "scores", rows=0)


MEASURE = """
import resource, sys
from pathlib import Path
from headgate_components.deployment.batch_score.logic import batch_score
def peak(): return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) / 1000
small, large, features, model = map(Path, sys.argv[1:])
batch_score(str(small), features, model, small.with_suffix(".out"), id_column="id", rows=5_000)
before = peak()
batch_score(str(large), features, model, large.with_suffix(".out"), id_column="id", rows=5_000)
print(before, peak())
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to measure memory")
def test_a_file_many_times_as_long_takes_no_more_memory(trained: Any, make_table: Callable[..., pa.Table], tmp_path: Path) -> None:
    table = make_table(20_000)
    for name, times in (("small", 1), ("large", 15)):
        with pq.ParquetWriter(tmp_path / f"{name}.parquet", table.schema) as writer:
            for _ in range(times):
                writer.write_table(table)
    paths = [tmp_path / "small.parquet", tmp_path / "large.parquet", trained.features, trained.model]
    found = subprocess.run([sys.executable, "-c", MEASURE, *map(str, paths)], capture_output=True, text=True, check=True, timeout=300)
    before, after = map(float, found.stdout.split())
    assert after - before < 12, f"{before:.0f} MB became {after:.0f} MB; the file is {paths[1].stat().st_size / 1e6:.0f} MB"
