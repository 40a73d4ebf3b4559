"""Explanation: contributions add up to predictions, importance ranks what the data were made with, and the sample is bounded."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headgate_components import models, tables
from headgate_components.evaluation.explain.contributions import contributions
from headgate_components.evaluation.explain.logic import Importance, explain
from headgate_components.step import StepError


def run(trained: Any, folder: Path, rows: int = 300, evaluation: Path | None = None) -> Importance:
    return explain(
        evaluation or trained.evaluation_rows,
        trained.features,
        trained.model,
        rows=rows,
        seed=0,
        importance=folder / "importance",
        report=folder / "report.html",
    )


def test_base_and_contributions_add_up_to_each_prediction(trained: Any) -> None:
    features, booster = models.read_features(trained.features), models.read_model(trained.model)
    matrix = models.encode(features, tables.arrays(tables.read(trained.evaluation_rows), features.names))
    assert contributions(booster, matrix).probabilities == pytest.approx(models.predict(booster, matrix), abs=1e-5)


def test_the_features_that_made_the_label_are_the_important_ones(trained: Any, tmp_path: Path) -> None:
    found = run(trained, tmp_path)
    assert [feature.name for feature in found.features] == ["load", "city", "wind"]
    assert sum(feature.share for feature in found.features) == pytest.approx(1)
    content = json.loads((tmp_path / "importance").read_text())
    assert content == found.to_json()
    assert (content["rows"], content["unit"]) == (300, "log-odds")


def test_the_report_shows_importance_and_rows_one_by_one_with_their_values(trained: Any, tmp_path: Path) -> None:
    run(trained, tmp_path)
    report = (tmp_path / "report.html").read_text()
    assert report.count("<svg") == 1
    assert report.count("A row with a probability of") == 2 * 5  # heading and name of the table's region


def test_a_sample_is_in_the_files_order_never_larger_than_asked_and_the_same_for_the_same_seed(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": np.arange(200_000), "y": np.zeros(200_000)}), tmp_path / "rows", row_group_size=30_000)
    found = tables.sample(tmp_path / "rows", ["x"], 1000, 1)
    chosen = found.column("x").to_numpy()
    assert found.column_names == ["x"]
    assert len(set(chosen.tolist())) == 1000
    assert (np.diff(chosen) > 0).all()
    assert 90_000 < np.median(chosen) < 110_000
    assert tables.sample(tmp_path / "rows", ["x"], 1000, 1) == found
    assert tables.sample(tmp_path / "rows", ["x"], 1000, 2) != found
    assert tables.sample(tmp_path / "rows", ["y", "x"], 10**9, 1).column_names == ["y", "x"]


def test_no_rows_an_absent_column_and_a_corrupt_file_are_each_a_sentence(trained: Any, tmp_path: Path) -> None:
    whole = tables.read(trained.evaluation_rows)
    pq.write_table(whole.slice(0, 0), tmp_path / "none")
    pq.write_table(whole.drop_columns(["wind"]), tmp_path / "narrow")
    (tmp_path / "corrupt").write_bytes(b"PAR1 nonsense PAR1")
    with pytest.raises(StepError, match="there is no evaluation row to explain"):
        run(trained, tmp_path, evaluation=tmp_path / "none")
    with pytest.raises(StepError, match="the table has no column 'wind'; it has id, at, city, load, late"):
        run(trained, tmp_path, evaluation=tmp_path / "narrow")
    with pytest.raises(StepError, match=r"the table '.*corrupt' cannot be read"):
        run(trained, tmp_path, evaluation=tmp_path / "corrupt")
    with pytest.raises(StepError, match="rows is 0; allowed are 1 and more"):
        run(trained, tmp_path, rows=0)
