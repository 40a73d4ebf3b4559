"""One way to boost trees, for every step that trains: portable, seeded, on rows that were looked at first.

Portability: `base_score` is fixed at 0.5 (XGBoost 3.1 and later write another value in a way that earlier ones silently read as 0.5),
and the booster carries no feature names (it would refuse the plain arrays that servers send).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from headgate_components import models, tables
from headgate_components.labels import read_labels
from headgate_components.step import StepError
from headgate_components.training.balance import Labels, corrected, row_weights
from headgate_components.training.settings import Settings
from headgate_serving.model import FeatureSet

BASE_SCORE = 0.5

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Rows:
    """Encoded rows in their order, and their labels."""

    features: FeatureSet
    matrix: Matrix
    labels: Labels


def read_rows(source: Path, features_path: Path, label: str, *, name: str = "training", time: str = "") -> Rows:
    """Encoded and labelled rows.

    Args:
        source: the rows.
        features_path: the feature artifact.
        label: the column to predict.
        name: what the rows are, for messages.
        time: the column by which the rows must be ordered; empty if nobody knows.

    Raises:
        StepError: too few rows, labels other than 0 and 1 or one of them only, or rows that go back in time.
    """
    features = models.read_features(features_path)
    table = tables.read(source)
    labels = read_labels(table, label, name).astype(np.float32)
    if time:
        _refuse_disorder(tables.times(table, time), time, name)
    return Rows(features, models.encode(features, tables.arrays(table, features.names)), labels)


def matrix_of(matrix: Matrix, labels: Labels, weight: float, threads: int) -> xgb.DMatrix:
    """What XGBoost learns from; rows with label 1 weigh `weight`."""
    return xgb.DMatrix(matrix, labels, weight=row_weights(labels, weight), nthread=used_threads(threads))


def fit(matrix: Matrix, labels: Labels, settings: Settings, *, trees: int, weight: float) -> xgb.Booster:
    """The model of that many trees, its probabilities corrected for the weight.

    Raises:
        StepError: settings XGBoost does not take.
    """
    with training_errors():
        booster = xgb.train(parameters(settings), matrix_of(matrix, labels, weight, settings.threads), trees)
    return corrected(booster, weight)


def parameters(settings: Settings) -> dict[str, Any]:
    """The settings in XGBoost's words."""
    return {
        "objective": "binary:logistic",
        "eval_metric": "logloss",
        "tree_method": "hist",
        "base_score": BASE_SCORE,
        "max_depth": settings.max_depth,
        "learning_rate": settings.learning_rate,
        "subsample": settings.subsample,
        "colsample_bytree": settings.colsample_bytree,
        "min_child_weight": settings.min_child_weight,
        "seed": settings.seed,
        "nthread": used_threads(settings.threads),
    }


def used_threads(wanted: int) -> int:
    """At least one, and no more than there are cores."""
    return max(1, min(wanted, os.cpu_count() or 1))


@contextmanager
def training_errors() -> Iterator[None]:
    """Turns what XGBoost refuses into one sentence."""
    try:
        yield
    except xgb.core.XGBoostError as error:
        raise StepError(f"XGBoost refused to train: {_reason(error)}") from error


def _refuse_disorder(moments: NDArray[Any], time: str, name: str) -> None:
    back = np.flatnonzero(moments[1:] < moments[:-1])
    if len(back):
        row = int(back[0]) + 1
        raise StepError(
            f"the {name} rows go back in time: '{time}' is {moments[row]} in row {row}, after {moments[row - 1]}; sort them by it"
        )


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next((line for line in lines if "value" in line.lower()), lines[0] if lines else type(error).__name__)
