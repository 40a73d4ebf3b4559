"""What other pipelines do with a registered version: fetch it, judge it on fresh rows, point an alias at it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mlflow import MlflowClient

from headgate_components.data_processing.select_rows.logic import select
from headgate_components.data_processing.split.logic import Period
from headgate_components.data_processing.split.roles import Columns
from headgate_components.deployment.fetch_model.logic import Parts, fetch
from headgate_components.deployment.fit_drift_reference.logic import How, fit
from headgate_components.deployment.set_alias.logic import set_alias
from headgate_components.evaluation.score_drift.logic import score_drift
from headgate_components.registered import STORAGE_TAG
from headgate_components.step import StepError
from headgate_monitor.detectors import read_reference

# MLflow's own use of its own libraries.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
]

COLUMNS = Columns(time="at", label="late", id="id")
YEAR = Period("2024-01-01", "2025-01-01")


@pytest.fixture(scope="module")
def registry(tracking_uri: str, small_export: Path) -> str:
    """A registry with two versions of `flight-delay`, both with the same export; the second is `candidate`."""
    client = MlflowClient(tracking_uri)
    client.create_registered_model("flight-delay")
    for _ in range(2):
        made = client.create_model_version("flight-delay", "s3://nobody/reads/this")
        client.set_model_version_tag("flight-delay", made.version, STORAGE_TAG, small_export.as_uri())
    client.set_registered_model_alias("flight-delay", "candidate", "2")
    return tracking_uri


def parts(folder: Path) -> Parts:
    return Parts(folder / "model", folder / "features", folder / "reference")


def test_a_version_is_fetched_by_alias_and_by_number(registry: str, small_export: Path, tmp_path: Path) -> None:
    assert fetch(registry, "flight-delay", "candidate", parts(tmp_path)).version == "2"
    assert fetch(registry, "flight-delay", "1", parts(tmp_path)).version == "1"
    assert (tmp_path / "model").read_bytes() == (small_export / "model.ubj").read_bytes()
    assert read_reference(tmp_path / "reference").features


def test_a_version_that_does_not_exist_is_named(registry: str, tmp_path: Path) -> None:
    with pytest.raises(StepError, match="has no alias 'champion' of a model 'flight-delay'"):
        fetch(registry, "flight-delay", "champion", parts(tmp_path))
    with pytest.raises(StepError, match="has no version '7' of a model 'flight-delay'"):
        fetch(registry, "flight-delay", "7", parts(tmp_path))


def test_an_export_that_was_changed_is_refused(registry: str, small_export: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for path in small_export.rglob("*"):
        if path.is_file():
            (copy / path.relative_to(small_export)).parent.mkdir(parents=True, exist_ok=True)
            (copy / path.relative_to(small_export)).write_bytes(path.read_bytes())
    (copy / "model.ubj").write_bytes(b"another")
    client = MlflowClient(registry)
    made = client.create_model_version("flight-delay", "s3://nobody/reads/this")
    client.set_model_version_tag("flight-delay", made.version, STORAGE_TAG, copy.as_uri())
    with pytest.raises(StepError, match=r"model\.ubj"):
        fetch(registry, "flight-delay", str(made.version), parts(tmp_path))


def test_an_alias_is_set_once_and_says_what_it_was(registry: str) -> None:
    assert set_alias(registry, "flight-delay", "1", "trial") == "the alias trial of flight-delay names version 1 now; before it named none"
    assert set_alias(registry, "flight-delay", "2", "trial").endswith("before it named 1")
    assert set_alias(registry, "flight-delay", "2", "trial").endswith("named version 2 already")
    with pytest.raises(StepError, match="has no version '9'"):
        set_alias(registry, "flight-delay", "9", "trial")


def test_rows_without_a_label_or_that_the_model_refuses_are_left_out(
    trained: Any, make_table: Callable[..., pa.Table], write_table: Callable[..., Path], tmp_path: Path
) -> None:
    table = make_table(200)
    city, late = table["city"].to_pylist(), table["late"].to_pylist()
    city[0], late[1] = "Atlantis", None
    source = write_table(table.set_column(2, "city", pa.array(city)).set_column(5, "late", pa.array(late)).take(list(range(199, -1, -1))))
    (tmp_path / "features").write_text(json.dumps(json.loads(trained.features.read_text()) | {"unknown": "error"}))
    found = select(source, tmp_path / "features", tmp_path / "rows", columns=COLUMNS, period=YEAR)
    assert (found.rows, found.left_out) == (198, 2)
    times = pq.read_table(tmp_path / "rows")["at"].to_pylist()
    assert times == sorted(times)


def test_a_period_without_rows_is_refused(trained: Any, tmp_path: Path) -> None:
    with pytest.raises(StepError, match="no rows for evaluation from 2030"):
        select(trained.evaluation_rows, trained.features, tmp_path / "rows", columns=COLUMNS, period=Period("2030-01-01", "2031-01-01"))


def test_drift_is_told_by_window_and_a_problem_only_where_a_limit_says_so(
    trained: Any, make_table: Callable[..., pa.Table], write_table: Callable[..., Path], tmp_path: Path
) -> None:
    fit(trained.train_rows, trained.features, tmp_path / "reference", How(time="at", window_rows=200, excluded=[], seed=0))
    table = make_table(600, seed=5)
    moved = write_table(table.set_column(3, "load", pa.array([value + 3 for value in table["load"].to_pylist()])), "moved")
    same = score_drift(write_table(table), tmp_path / "reference", tmp_path / "same.html", maximum_share=0.4)
    assert (same.windows, same.problems) == (3, ())
    found = score_drift(moved, tmp_path / "reference", tmp_path / "moved.html", maximum_share=0.4)
    assert found.problems == ("'load' drifted severely in 100% of 3 windows, allowed is 40%",)
    assert "Failed" in (tmp_path / "moved.html").read_text()
    assert score_drift(moved, tmp_path / "reference", tmp_path / "moved.html", maximum_share=1).problems == ()


def test_drift_without_a_reference_or_a_whole_window_is_refused(
    trained: Any, make_table: Callable[..., pa.Table], write_table: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(StepError, match="drift cannot be measured"):
        score_drift(trained.evaluation_rows, tmp_path / "empty", tmp_path / "report", maximum_share=1)
    fit(trained.train_rows, trained.features, tmp_path / "reference", How(time="at", window_rows=200, excluded=[], seed=0))
    with pytest.raises(StepError, match="50 rows fill no window of 200"):
        score_drift(write_table(make_table(50)), tmp_path / "reference", tmp_path / "report", maximum_share=1)
