import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb

from headgate_serving.model import (
    ExportedModel,
    Feature,
    FeatureKind,
    FeatureSet,
    ModelError,
    columns_from_v2,
    digest,
    make_golden,
    model_bytes,
    write_export,
)

Columns = Mapping[str, Sequence[Any]]
FEATURES = FeatureSet((Feature("x", FeatureKind.NUMBER), Feature("y", FeatureKind.NUMBER)))


@pytest.fixture
def copy(small_export: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_export, tmp_path / "copy"))


def booster(feature_names: list[str] | None = None, **parameters: Any) -> xgb.Booster:
    matrix = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    data = xgb.DMatrix(matrix, label=(matrix[:, 0] > 0).astype(int), feature_names=feature_names)
    return xgb.train({"objective": "binary:logistic", "base_score": 0.5, "nthread": 1, **parameters}, data, 3)


def export(storage: Path, model: xgb.Booster | bytes, **changes: Any) -> Path:
    content: dict[str, Any] = {"model_name": "m", "version": "3", "features": FEATURES, "metadata": {"auc": 0.7}, "golden": {}}
    return write_export(storage, booster=model, **{**content, **changes})


def golden_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "headgate/golden.json").read_text())
    return content


def test_an_export_has_one_model_file_on_top_and_the_rest_below_headgate(small_export: Path) -> None:
    files = sorted(str(path.relative_to(small_export)) for path in small_export.rglob("*") if path.is_file())
    assert files == [
        "headgate/drift/reference.npz",
        "headgate/drift/schema.json",
        "headgate/features.json",
        "headgate/golden.json",
        "headgate/metadata.json",
        "model.ubj",
    ]


def test_a_loaded_model_answers_its_golden_set_exactly(small_export: Path) -> None:
    model, golden = ExportedModel.load(small_export), golden_of(small_export)
    assert model.predict(columns_from_v2(golden["request"], model.features)).tolist() == golden["outputs"]["probability"]
    assert golden["modelDigest"] == model.metadata["modelDigest"] == digest((small_export / "model.ubj").read_bytes())
    assert len(golden["outputs"]["probability"]) == 20


def test_predictions_are_those_of_a_plain_matrix(small_export: Path, make_columns: Callable[..., Columns]) -> None:
    model, columns = ExportedModel.load(small_export), make_columns(200, seed=5)
    plain = model.booster.predict(xgb.DMatrix(model.features.encode(columns)))
    found = model.predict(columns)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, plain, rtol=1e-6)


def test_a_model_with_another_base_score_keeps_its_golden_set_and_misses_it(make_export: Callable[..., Path], tmp_path: Path) -> None:
    honest, tampered = make_export(tmp_path, "1"), make_export(tmp_path, "1", tamper_base_score=True)
    assert golden_of(honest) == golden_of(tampered)
    model = ExportedModel.load(tampered)
    found = model.predict(columns_from_v2(golden_of(tampered)["request"], model.features))
    assert np.abs(found - golden_of(tampered)["outputs"]["probability"]).max() > 0.1


def test_the_same_content_is_written_once_under_one_name(tmp_path: Path) -> None:
    first = export(tmp_path, booster())
    written = (first / "model.ubj").stat().st_mtime_ns
    assert export(tmp_path, model_bytes(booster())) == first
    assert (first / "model.ubj").stat().st_mtime_ns == written
    assert [path.name for path in (tmp_path / "m").iterdir()] == [first.name]
    assert first.name.startswith("3-")
    assert len(first.name) == len("3-") + 12


@pytest.mark.parametrize("change", [{"metadata": {"auc": 0.8}}, {"golden": {"format": 1}}, {"version": "4"}])
def test_other_content_gets_another_name(tmp_path: Path, change: dict[str, Any]) -> None:
    assert export(tmp_path, booster()) != export(tmp_path, booster(), **change)


def test_a_model_server_of_another_user_may_read_the_export(tmp_path: Path) -> None:
    assert export(tmp_path, booster()).stat().st_mode & 0o005 == 0o005


def test_an_export_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    in_the_way = export(tmp_path, booster())
    shutil.rmtree(in_the_way)
    in_the_way.write_text("a file where the folder should be")
    with pytest.raises(ModelError, match=f"cannot write the exported model to {tmp_path}: Not a directory"):
        export(tmp_path, booster())
    assert list((tmp_path / "m").iterdir()) == [in_the_way]


def test_a_model_with_feature_names_inside_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="carries feature names"):
        export(tmp_path, booster(["x", "y"]))


def test_a_model_of_other_features_is_refused(tmp_path: Path) -> None:
    features = FeatureSet((Feature("x", FeatureKind.NUMBER),))
    with pytest.raises(ModelError, match="reads 2 features, the feature artifact names 1"):
        export(tmp_path, booster(), features=features)


def test_bytes_that_are_no_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"XGBoost 3\.\S+ cannot read the model"):
        export(tmp_path, b"not a model")


def test_a_model_that_gives_several_numbers_a_row_is_refused() -> None:
    model = booster(objective="multi:softprob", num_class=3)
    with pytest.raises(ModelError, match="one probability a row is needed"):
        make_golden(model, FEATURES, {"x": [1], "y": [2]}, versions={}, model_digest="")


@pytest.mark.parametrize("path", ["model.ubj", "headgate/features.json", "headgate/golden.json", "headgate/drift/reference.npz"])
def test_any_changed_file_is_refused(copy: Path, path: str) -> None:
    content = bytearray((copy / path).read_bytes())
    content[-2] ^= 1
    (copy / path).write_bytes(content)
    with pytest.raises(ModelError, match=f"{path} was changed after the export: SHA-256 .*; export the model again"):
        ExportedModel.load(copy)


@pytest.mark.parametrize("path", ["model.ubj", "headgate/metadata.json", "headgate/features.json"])
def test_a_missing_file_is_named(copy: Path, path: str) -> None:
    (copy / path).unlink()
    with pytest.raises(ModelError, match=f"lacks a readable {Path(path).name}: No such file"):
        ExportedModel.load(copy)


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        ("{", "is not valid JSON"),
        ("[]", "does not list the exported files"),
        ('{"files": {}}', "does not list model.ubj"),
        ('{"files": {"model.ubj": "0", "headgate/features.json": "0", "../x": "0"}}', "was changed|outside its folder"),
        ('{"files": {"../x": "0", "model.ubj": "0", "headgate/features.json": "0"}}', "outside its folder"),
    ],
)
def test_metadata_that_cannot_be_trusted_is_refused(copy: Path, metadata: str, sentence: str) -> None:
    (copy / "headgate/metadata.json").write_text(metadata)
    with pytest.raises(ModelError, match=sentence):
        ExportedModel.load(copy)
