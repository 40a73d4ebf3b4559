"""A folder as KServe users bring it: one XGBoost file and nothing else."""

import json
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb

from headgate_serving.model import ModelError, load_model

X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)


def saved(path: Path, *, names: list[str] | None = None, **parameters: object) -> xgb.Booster:
    labels = (X[:, 0] * 2 + X[:, 1]).round().astype(int) % 3
    data = xgb.DMatrix(X, label=labels if "num_class" in parameters else labels > 0, feature_names=names)
    booster = xgb.train({"nthread": 1, "max_depth": 2, **parameters}, data, 3)
    path.parent.mkdir(parents=True, exist_ok=True)
    booster.save_model(path)
    return booster


@pytest.mark.parametrize("name", ["model.ubj", "model.json", "other.json"])
def test_it_answers_as_xgboost_itself_does_and_names_features_by_position(name: str, tmp_path: Path) -> None:
    booster = saved(tmp_path / name, objective="binary:logistic")
    model = load_model(tmp_path)
    assert model.features.names == ("f0", "f1", "f2")
    assert model.is_single_file
    assert len(model.version) == 12
    found = model.predict({name: X[:, number].tolist() for number, name in enumerate(model.features.names)})
    assert found.tolist() == booster.inplace_predict(X).astype(float).tolist()


def test_names_in_the_file_are_kept(tmp_path: Path) -> None:
    saved(tmp_path / "model.ubj", names=["age", "height", "weight"], objective="reg:squarederror")
    model = load_model(tmp_path)
    assert model.features.names == ("age", "height", "weight")
    assert model.predict({"age": [1.0], "height": [None], "weight": [2]}).shape == (1,)


def test_several_classes_are_answered_as_xgboost_answers_them(tmp_path: Path) -> None:
    saved(tmp_path / "model.ubj", objective="multi:softprob", num_class=3)
    found = load_model(tmp_path).predict({"f0": [0.0, 1.0], "f1": [0.0, 1.0], "f2": [0.0, 1.0]})
    assert found.shape == (2, 3)
    assert found.sum(axis=1) == pytest.approx([1, 1], abs=1e-5)


def test_an_export_is_never_taken_for_a_single_file(small_export: Path) -> None:
    assert not load_model(small_export).is_single_file
    assert load_model(small_export).version == "1"


def test_json_that_is_no_model_is_not_repeated_in_the_sentence(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(json.dumps({"key": "x" * 10_000}))
    with pytest.raises(ModelError, match="cannot read the model") as caught:
        load_model(tmp_path)
    assert len(str(caught.value)) < 300


def test_folders_that_hold_no_model_or_several_are_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"metadata\.json"):
        load_model(tmp_path)
    (tmp_path / "model.ubj").write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="cannot read the model"):
        load_model(tmp_path)
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(ModelError, match=r"several models, model.json, model.ubj; exactly one can be served"):
        load_model(tmp_path)


@pytest.mark.parametrize("name", ["model.ubj", "model.json"])
def test_a_file_that_was_cut_off_is_told_and_never_shown_to_xgboost_which_it_would_crash(name: str, tmp_path: Path) -> None:
    saved(tmp_path / name, objective="binary:logistic")
    content = (tmp_path / name).read_bytes()
    for length in (0, *(cut for cut in range(1, len(content), 97) if content[cut - 1 : cut] != b"}")):
        (tmp_path / name).write_bytes(content[:length])
        with pytest.raises(ModelError, match=rf"cannot read the model: its {length:,} bytes are no whole \.ubj or \.json file; if"):
            load_model(tmp_path)
