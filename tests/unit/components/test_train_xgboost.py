"""Training: portable, seeded, stopped early without looking at the evaluation."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import xgboost as xgb

from headgate_components.step import StepError
from headgate_components.training.settings import Settings
from headgate_components.training.train_xgboost.component import train_xgboost
from headgate_components.training.train_xgboost.logic import Trained, train

SETTINGS = Settings(trees=200, max_depth=3, learning_rate=0.3)


def trees_of(path: Path) -> int:
    return int(xgb.Booster(model_file=bytearray(path.read_bytes())).num_boosted_rounds())


def fit(trained: Any, target: Path, settings: Settings = SETTINGS) -> Trained:
    return train(trained.train_rows, trained.features, target, label="late", settings=settings)


def test_the_model_is_portable(trained: Any, tmp_path: Path) -> None:
    fit(trained, tmp_path / "model")
    booster = xgb.Booster(model_file=bytearray((tmp_path / "model").read_bytes()))
    assert booster.feature_names is None
    base_score = json.loads(booster.save_raw("json"))["learner"]["learner_model_param"]["base_score"]
    assert float(base_score.strip("[]")) == 0.5


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(trained: Any, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        fit(trained, tmp_path / name, replace(SETTINGS, seed=seed))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != (tmp_path / "c").read_bytes()


def test_training_stops_early_and_the_model_has_as_many_trees_as_were_best(trained: Any, tmp_path: Path) -> None:
    found = fit(trained, tmp_path / "model")
    assert found.trees == trees_of(tmp_path / "model") < 200
    assert found.newest is not None
    assert 0 < found.newest.log_loss < 0.69


def test_without_early_stopping_all_trees_are_trained(trained: Any, tmp_path: Path) -> None:
    found = fit(trained, tmp_path / "model", replace(SETTINGS, trees=20, early_stopping_rounds=0))
    assert (found.trees, trees_of(tmp_path / "model"), found.newest) == (20, 20, None)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"validation_share": 1.5}, "the setting 'validation_share' is 1.5; it must be above 0 and at most 0.99"),
        ({"trees": 0}, "the setting 'trees' is 0; it must be at least 1"),
        ({"seed": 2**80}, "the seed 1208925819614629174706176 is not possible"),
    ],
)
def test_settings_that_cannot_be_are_refused(trained: Any, tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(StepError, match=sentence):
        fit(trained, tmp_path / "model", replace(SETTINGS, **changes))


def test_too_few_rows_are_refused(trained: Any, make_table: Any, write_table: Any, tmp_path: Path) -> None:
    with pytest.raises(StepError, match="50 training rows are too few; at least 100"):
        train(write_table(make_table(50)), trained.features, tmp_path / "model", label="late", settings=SETTINGS)


def test_a_setting_that_the_pipeline_gives_out_of_range_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    files = dict.fromkeys(("train", "features", "model", "metrics"), SimpleNamespace(path="nowhere"))
    with pytest.raises(SystemExit):
        train_xgboost.python_func(**files, label="late", learning_rate=2.0)
    said = capsys.readouterr().err
    assert said == "headgate: error: train_xgboost: the setting 'learning_rate' is 2; it must be above 0 and at most 1\n"
