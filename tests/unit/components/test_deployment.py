"""What is handed to serving: golden set, drift reference, registered and exported model."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from mlflow import MlflowClient

from headgate_components import tables
from headgate_components.deployment.fit_drift_reference.logic import How, fit
from headgate_components.deployment.make_golden.logic import golden, telling_rows
from headgate_components.deployment.register_model.lineage import Lineage
from headgate_components.deployment.register_model.logic import Artifacts, Registration, register
from headgate_components.deployment.register_model.registry import OUTER_RUN, Registry
from headgate_components.models import read_features, read_model
from headgate_components.registered import find_version, folder_of, registry_errors, uri_of
from headgate_components.scored import score
from headgate_components.step import StepError
from headgate_monitor.detectors import read_reference
from headgate_operator.cli.main import main
from headgate_serving.model import ExportedModel, columns_from_v2

# MLflow's own use of its own libraries.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
]

LINEAGE = Lineage(
    dataset="rows.parquet",
    snapshot="sha256:" + "a" * 64,
    train_start="2024-01-01",
    train_end="2024-03-01",
    git_commit="c0ffee",
    settings={"trees": 40, "seed": 0},
    rows=1500,
    pipeline_run="run-7",
)


@pytest.fixture
def artifacts(trained: Any, tmp_path: Path) -> Artifacts:
    """The files of all steps before registering."""
    golden(trained.evaluation_rows, trained.features, trained.model, tmp_path / "golden", count=20)
    fit(trained.train_rows, trained.features, tmp_path / "drift", How(time="at", window_rows=200, excluded=["wind"], seed=0))
    (tmp_path / "metrics").write_text(json.dumps({"rocAuc": 0.8, "prAuc": 0.7}))
    return Artifacts(trained.model, trained.features, tmp_path / "golden", tmp_path / "drift", tmp_path / "metrics")


def registered(artifacts: Artifacts, tracking_uri: str, storage: Path, name: str, lineage: Lineage = LINEAGE) -> Registration:
    return register(
        artifacts, lineage, model_name=name, storage=str(storage), registry=Registry(tracking_uri, "headgate"), alias="candidate"
    )


def test_the_golden_set_holds_rows_with_missing_values_and_the_models_own_answers(trained: Any, tmp_path: Path) -> None:
    assert golden(trained.evaluation_rows, trained.features, trained.model, tmp_path / "golden", count=20) == 20
    content = json.loads((tmp_path / "golden").read_text())
    for tensor in content["request"]["inputs"]:
        assert tensor["shape"] == [20]
        assert (None in tensor["data"]) == (tensor["name"] in {"city", "wind"})
    assert len(content["outputs"]["probability"]) == 20
    assert content["versions"]["xgboost-cpu"]


def test_telling_rows_are_spread_and_include_each_gap_even_when_rare() -> None:
    values = np.arange(1000.0)
    rare = np.where(values == 777, np.nan, values)
    words = np.array([None if row == 778 else "x" for row in range(1000)], dtype=object)
    chosen = telling_rows({"a": values, "b": rare, "c": words}, 20)
    assert len(chosen) == 20
    assert {777, 778} <= set(chosen.tolist())
    assert chosen[0] == 0
    assert chosen.max() > 900


def test_fewer_rows_than_asked_for_are_all_taken() -> None:
    assert telling_rows({"a": np.arange(5.0)}, 20).tolist() == [0, 1, 2, 3, 4]


def test_a_golden_set_of_no_rows_is_refused(trained: Any, tmp_path: Path) -> None:
    with pytest.raises(StepError, match="allowed are 1 to 100"):
        golden(trained.evaluation_rows, trained.features, trained.model, tmp_path / "golden", count=0)


def test_the_drift_reference_is_calibrated_and_read_back(trained: Any, tmp_path: Path) -> None:
    fit(trained.train_rows, trained.features, tmp_path / "drift", How(time="at", window_rows=200, excluded=["wind"], seed=0))
    reference = read_reference(tmp_path / "drift")
    assert reference.calibrated
    assert [feature.name for feature in reference.features if feature.excluded] == ["wind"]


def test_the_drift_reference_holds_the_models_predictions_for_rows_it_did_not_learn_from(trained: Any, tmp_path: Path) -> None:
    how = How(time="at", window_rows=200)
    fit(trained.train_rows, trained.features, tmp_path / "drift", how, model=trained.model, evaluation=trained.evaluation_rows)
    found = read_reference(tmp_path / "drift").predictions
    assert found is not None
    scored = score(tables.read(trained.evaluation_rows), read_features(trained.features), read_model(trained.model))
    np.testing.assert_array_equal(np.sort(found.matrix[:, 0]), np.sort(scored))
    with pytest.raises(StepError, match="the model and the evaluation rows are given together or not at all"):
        fit(trained.train_rows, trained.features, tmp_path / "half", how, model=trained.model)


def test_the_drift_reference_carries_its_detector_and_the_length_of_its_windows(trained: Any, tmp_path: Path) -> None:
    how = How(time="at", window_hours=48.0, detector="cvm", expected_shift=0.12)
    fit(trained.train_rows, trained.features, tmp_path / "drift", how)
    reference = read_reference(tmp_path / "drift")
    assert (reference.detector, reference.window_seconds, reference.expected_shift) == ("cvm", 172_800, 0.12)


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ({"detector": "mmd"}, "the drift detector 'mmd' is unknown; allowed are tabular, ks, cvm, chi-square, classifier"),
        ({"expected_shift": 1.5}, "must lie between 0 and 1, found 1.5"),
        ({"window_hours": -1.0}, "window_seconds must be above 0"),
    ],
)
def test_a_drift_reference_that_cannot_be_fitted_so_is_refused(trained: Any, tmp_path: Path, option: Any, sentence: str) -> None:
    with pytest.raises(StepError, match=sentence):
        fit(trained.train_rows, trained.features, tmp_path / "drift", How(time="at", excluded=[], **option))


def test_an_excluded_feature_that_does_not_exist_is_refused(trained: Any, tmp_path: Path) -> None:
    with pytest.raises(StepError, match="'snow' is excluded from alarms but not a feature"):
        fit(trained.train_rows, trained.features, tmp_path / "drift", How(time="at", window_rows=200, excluded=["snow"], seed=0))


def test_a_registered_model_is_exported_complete_and_answers_its_golden_set(
    artifacts: Artifacts, tracking_uri: str, tmp_path: Path
) -> None:
    found = registered(artifacts, tracking_uri, tmp_path / "storage", "complete")
    assert found.export.parent == tmp_path / "storage" / "complete"
    assert found.export.name.startswith("1-")
    model = ExportedModel.load(found.export)
    assert model.metadata["trainingPeriod"] == {"start": "2024-01-01", "end": "2024-03-01"}
    assert model.metadata["metrics"] == {"rocAuc": 0.8, "prAuc": 0.7}
    content = json.loads((found.export / "headgate" / "golden.json").read_text())
    answers = model.predict(columns_from_v2(content["request"], model.features))
    assert answers.tolist() == content["outputs"]["probability"]
    assert read_reference(found.export / "headgate" / "drift").calibrated
    assert [path.name for path in found.export.iterdir() if path.is_file()] == ["model.ubj"]


def test_the_version_carries_alias_golden_set_and_storage_uri_and_its_run_the_lineage(
    artifacts: Artifacts, tracking_uri: str, tmp_path: Path
) -> None:
    found = registered(artifacts, tracking_uri, tmp_path / "storage", "lineage")
    client = MlflowClient(tracking_uri)
    version = client.get_model_version_by_alias("lineage", "candidate")
    assert str(version.version) == found.version
    assert version.tags["headgate.storageUri"] == found.uri
    assert json.loads(version.tags["headgate.golden"]) == json.loads(artifacts.golden.read_text())
    run = client.get_run(found.run_id)
    assert run.info.status == "FINISHED"
    assert (run.data.params["trees"], run.data.metrics["rocAuc"]) == ("40", 0.8)
    assert run.data.tags["mlflow.source.git.commit"] == "c0ffee"
    assert run.inputs.dataset_inputs[0].dataset.digest == "a" * 36
    experiment = client.get_experiment(run.info.experiment_id)
    assert experiment.artifact_location.startswith("file:///")


def test_the_chain_from_data_to_export_is_told_by_run_version_and_export_alike(
    artifacts: Artifacts, tracking_uri: str, tmp_path: Path
) -> None:
    found = registered(artifacts, tracking_uri, tmp_path / "storage", "chain")
    client = MlflowClient(tracking_uri)
    on_version, on_run = client.get_model_version("chain", found.version).tags, client.get_run(found.run_id).data.tags
    expected = {"snapshot": LINEAGE.snapshot, "rows": "1500", "gitCommit": "c0ffee", "pipelineRun": "run-7", "dataset": "rows.parquet"}
    for tags in (on_version, on_run):
        assert {name: tags[f"headgate.{name}"] for name in expected} == expected
    metadata = ExportedModel.load(found.export).metadata
    files = metadata["files"]
    assert on_version["headgate.featuresDigest"] == on_run["headgate.featuresDigest"] == f"sha256:{files['headgate/features.json']}"
    assert on_version["headgate.modelDigest"] == metadata["modelDigest"]
    assert metadata["lineage"]["referenceDigest"] == on_run["headgate.referenceDigest"]
    assert metadata["lineage"]["runId"] == found.run_id
    assert found.to_json()["lineage"] == metadata["lineage"]
    printed = CliRunner().invoke(
        main, ["lineage", "chain", "--alias", "candidate", "--tracking-uri", tracking_uri, "-o", "json", "--kubeconfig", "none"]
    )
    chain = json.loads(printed.stdout)
    assert chain["data"] == {
        "dataset": "rows.parquet", "snapshot": LINEAGE.snapshot, "rows": "1500", "trainStart": "2024-01-01", "trainEnd": "2024-03-01",
    }  # fmt: skip
    assert chain["features"]["digest"] == on_version["headgate.featuresDigest"]
    assert {name: chain["run"][name] for name in ("id", "status", "gitCommit", "pipelineRun")} == {
        "id": found.run_id, "status": "FINISHED", "gitCommit": "c0ffee", "pipelineRun": "run-7",
    }  # fmt: skip
    assert chain["run"]["metrics"] == {"rocAuc": 0.8, "prAuc": 0.7}
    assert (chain["registered"]["version"], chain["registered"]["aliases"]) == ("1", ["candidate"])
    assert chain["registered"]["storageUri"] == found.uri
    assert printed.stderr.startswith("headgate: error: deployments are not known: no kubeconfig at none")


def test_what_nobody_knows_has_no_tag() -> None:
    tags = replace(LINEAGE, rows=0, git_commit="", pipeline_run="").tags({})
    assert set(tags) == {"headgate.dataset", "headgate.snapshot", "headgate.trainStart", "headgate.trainEnd"}


def test_another_model_is_a_version_of_its_own_and_the_alias_follows(artifacts: Artifacts, tracking_uri: str, tmp_path: Path) -> None:
    first = registered(artifacts, tracking_uri, tmp_path / "storage", "other")
    trained_otherwise = replace(LINEAGE, settings={"trees": 41, "seed": 0})
    second = registered(artifacts, tracking_uri, tmp_path / "storage", "other", trained_otherwise)
    of_other_data = registered(artifacts, tracking_uri, tmp_path / "storage", "other", replace(LINEAGE, snapshot="sha256:" + "b" * 64))
    assert [found.version for found in (first, second, of_other_data)] == ["1", "2", "3"]
    assert len({found.export for found in (first, second, of_other_data)}) == 3
    assert MlflowClient(tracking_uri).get_model_version_by_alias("other", "candidate").version == 3


def test_the_very_same_model_again_is_the_version_that_is_there(artifacts: Artifacts, tracking_uri: str, tmp_path: Path) -> None:
    first = registered(artifacts, tracking_uri, tmp_path / "storage", "twice")
    client = MlflowClient(tracking_uri)
    client.delete_registered_model_alias("twice", "candidate")
    again = registered(artifacts, tracking_uri, tmp_path / "storage", "twice", replace(LINEAGE, git_commit="f00d", pipeline_run="run-8"))
    assert again == replace(first, before=True)
    assert again.to_json() == first.to_json() | {"registeredBefore": True}
    (only,) = client.search_model_versions("name = 'twice'")
    assert (only.tags["headgate.gitCommit"], only.tags["headgate.pipelineRun"]) == ("c0ffee", "run-7")
    assert str(client.get_model_version_by_alias("twice", "candidate").version) == first.version


@pytest.mark.parametrize("gone", ["changed", "removed", "elsewhere"])
def test_a_version_without_its_export_in_this_storage_does_not_stand_in_for_a_new_one(
    artifacts: Artifacts, tracking_uri: str, tmp_path: Path, gone: str
) -> None:
    first = registered(artifacts, tracking_uri, tmp_path / "storage", f"export-{gone}")
    if gone == "changed":
        (first.export / "model.ubj").write_bytes(b"something else")
    elif gone == "removed":
        shutil.rmtree(first.export)
    second = registered(artifacts, tracking_uri, tmp_path / ("other" if gone == "elsewhere" else "storage"), f"export-{gone}")
    assert (second.version, second.before) == ("2", False)
    assert ExportedModel.load(second.export).version == "2"


def test_a_run_that_kubeflow_pipelines_owns_is_the_parent_and_goes_on(
    artifacts: Artifacts, tracking_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = MlflowClient(tracking_uri)
    outer = client.create_run("0").info.run_id
    monkeypatch.setenv(OUTER_RUN, outer)
    found = registered(artifacts, tracking_uri, tmp_path / "storage", "nested")
    assert client.get_run(outer).info.status == "RUNNING"
    assert client.get_run(found.run_id).data.tags["mlflow.parentRunId"] == outer


def test_the_alias_is_not_set_if_the_export_fails(artifacts: Artifacts, tracking_uri: str, tmp_path: Path) -> None:
    (tmp_path / "storage").write_text("a file where the folder should be")
    with pytest.raises(StepError, match="cannot write the exported model"):
        registered(artifacts, tracking_uri, tmp_path / "storage", "unwritten")
    assert MlflowClient(tracking_uri).get_registered_model("unwritten").aliases == {}


def test_what_is_no_golden_set_is_not_registered(artifacts: Artifacts, tracking_uri: str, tmp_path: Path) -> None:
    (tmp_path / "other").write_text('{"request": {}}')
    with pytest.raises(StepError, match="other' lacks 'outputs'; use the one that make_golden writes"):
        registered(replace(artifacts, golden=tmp_path / "other"), tracking_uri, tmp_path / "storage", "ungolden")
    assert find_version(tracking_uri, "ungolden", "1") is None


def test_a_registry_that_is_not_there_is_told_without_what_libraries_wrapped_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    says = r"^the model registry at 'http://127\.0\.0\.1:9' cannot be reached: Connection refused$"
    with pytest.raises(StepError, match=says), registry_errors("http://127.0.0.1:9"):
        MlflowClient("http://127.0.0.1:9").get_registered_model("churn")


def test_a_registry_that_is_no_uri_is_refused_with_a_sentence() -> None:
    with pytest.raises(StepError, match="the model registry at 'gopher://x' refused"):
        Registry("gopher://x", "headgate")


def test_storage_is_a_folder_or_a_file_uri(tmp_path: Path) -> None:
    assert folder_of(tmp_path.as_uri(), "storage") == folder_of(str(tmp_path), "storage") == tmp_path
    assert folder_of("pvc://models/a%20b", "storage") == Path("/mnt/models/a b")
    assert uri_of(Path("/mnt/models/x/1-abc"), "pvc://models/x") == "pvc://models/x/1-abc"
    assert uri_of(tmp_path, str(tmp_path)) == tmp_path.as_uri()
    with pytest.raises(StepError, match="unknown scheme"):
        folder_of("s3://bucket/models", "storage")


def test_a_version_is_found_by_number_and_by_alias_with_its_export(artifacts: Artifacts, tracking_uri: str, tmp_path: Path) -> None:
    made = registered(artifacts, tracking_uri, tmp_path / "storage", "found")
    by_number, by_alias = (find_version(tracking_uri, "found", which) for which in (made.version, "candidate"))
    assert by_number == by_alias
    assert by_alias is not None
    assert by_alias.folder == made.export


def test_a_version_that_is_not_there_is_none_and_one_of_somebody_else_is_refused(
    artifacts: Artifacts, tracking_uri: str, tmp_path: Path
) -> None:
    registered(artifacts, tracking_uri, tmp_path / "storage", "absent")
    assert [
        find_version(tracking_uri, *which) for which in (("absent", "99"), ("absent", "champion"), ("nobody", "1"), ("nobody", "x"))
    ] == [None] * 4
    client = MlflowClient(tracking_uri)
    client.create_registered_model("foreign")
    client.create_model_version("foreign", "s3://somewhere")
    with pytest.raises(StepError, match=r"has no tag headgate\.storageUri"):
        find_version(tracking_uri, "foreign", "1")
