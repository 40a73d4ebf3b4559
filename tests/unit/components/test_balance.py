"""Rare labels: weighted in training, and the probabilities honest nevertheless."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb

from headgate_components import models, tables
from headgate_components.step import StepError
from headgate_components.training import balance
from headgate_components.training.boosting import fit, read_rows
from headgate_components.training.settings import Settings, overridden
from headgate_components.training.train_xgboost.logic import train

SETTINGS = Settings(trees=40, max_depth=3, learning_rate=0.2, early_stopping_rounds=10)


def test_the_correction_divides_the_odds_of_every_row_by_the_weight(trained: Any) -> None:
    rows = read_rows(trained.train_rows, trained.features, "late")
    plain = fit(rows.matrix, rows.labels, SETTINGS, trees=20, weight=1)
    shifted = balance.corrected(plain, 4.0)
    matrix = xgb.DMatrix(rows.matrix)
    before, after = (booster.predict(matrix, output_margin=True) for booster in (plain, shifted))
    np.testing.assert_allclose(after, before - math.log(4), atol=1e-5)
    np.testing.assert_allclose(shifted.predict(matrix, pred_contribs=True).sum(axis=1), after, atol=1e-4)


def test_a_weighted_model_stays_portable_and_calibrated(trained: Any, tmp_path: Path) -> None:
    found = train(trained.train_rows, trained.features, tmp_path / "model", label="late", settings=replace(SETTINGS, class_weight="8"))
    assert found.positive_weight == 8
    assert found.newest is not None
    assert found.newest.predicted_as_weighted > found.newest.observed + 0.15
    assert found.newest.predicted == pytest.approx(found.newest.observed, abs=0.06)
    assert found.newest.log_loss < found.newest.log_loss_as_weighted
    booster = models.read_model(tmp_path / "model")
    assert float(json.loads(booster.save_raw("json"))["learner"]["learner_model_param"]["base_score"].strip("[]")) == 0.5
    features = models.read_features(trained.features)
    table = tables.read(trained.evaluation_rows)
    probabilities = models.predict(booster, models.encode(features, tables.arrays(table, features.names)))
    assert probabilities.mean() == pytest.approx(tables.arrays(table, ["late"])["late"].mean(), abs=0.05)


def test_without_weights_nothing_is_corrected(trained: Any, tmp_path: Path) -> None:
    found = train(trained.train_rows, trained.features, tmp_path / "model", label="late", settings=SETTINGS)
    assert found.metrics["positiveWeight"] == 1
    assert found.metrics["validationMean"] == found.metrics["validationMeanAsWeighted"]


def test_balanced_makes_both_labels_weigh_the_same() -> None:
    labels = np.array([1, 0, 0, 0], np.float32)
    weight = balance.positive_weight("balanced", labels)
    weights = balance.row_weights(labels, weight)
    assert weights is not None
    assert weights[labels == 1].sum() == weights[labels == 0].sum()


@pytest.mark.parametrize("given", ["heavy", "", "0", "-1", "nan", "inf", "1e9"])
def test_other_weights_are_refused(given: str) -> None:
    with pytest.raises(StepError, match="allowed are none, balanced, or a number above 0"):
        balance.positive_weight(given, np.array([0, 1], np.float32))


def test_settings_of_a_search_override_those_that_were_given() -> None:
    given = Settings(trees=10, seed=3)
    assert overridden(given, "  ") is given
    assert overridden(given, '{"trees": 50.0, "learning_rate": 1}') == replace(given, trees=50, learning_rate=1.0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "the settings are not JSON"),
        ("[1]", r"the settings are \[1\]; they must be a JSON object"),
        ('{"tree": 5}', "the settings name 'tree', which is none; there are trees, max_depth"),
        ('{"trees": 5.5}', "the setting 'trees' is 5.5; it must be a whole number"),
        ('{"subsample": "half"}', "the setting 'subsample' is \"half\"; it must be a number"),
        ('{"class_weight": 3}', "the setting 'class_weight' is 3; it must be a text"),
        ('{"trees": true}', "the setting 'trees' is true; it must be a whole number"),
        ('{"learning_rate": 2}', "the setting 'learning_rate' is 2; it must be above 0 and at most 1"),
        ('{"trees": 0}', "the setting 'trees' is 0; it must be at least 1 and at most 10000"),
        ('{"trees": Infinity}', "the setting 'trees' is Infinity; it must be a whole number"),
    ],
)
def test_settings_that_are_none_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(StepError, match=sentence):
        overridden(Settings(), text)
