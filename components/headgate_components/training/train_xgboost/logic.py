"""Trains XGBoost on encoded rows and saves a model that every XGBoost since 2.1 reads alike.

Portability: `base_score` is fixed at 0.5 (XGBoost 3.1 and later write another value in a way that earlier ones silently read as 0.5),
and the booster carries no feature names (it would refuse the plain arrays that servers send).
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from headgate_components import models, tables
from headgate_components.step import StepError
from headgate_serving.model import model_bytes

BASE_SCORE = 0.5
MINIMUM_ROWS = 100


@dataclass(frozen=True)
class Settings:
    """How to train; the names are XGBoost's where it has one."""

    trees: int = 200
    max_depth: int = 6
    learning_rate: float = 0.05
    subsample: float = 0.8
    colsample_bytree: float = 0.6
    min_child_weight: float = 10.0
    early_stopping_rounds: int = 30
    """Trees without improvement after which training stops; 0 trains all trees at once."""

    validation_share: float = 0.1
    """The newest share of the training rows, on which early stopping looks."""

    seed: int = 0
    threads: int = 1


@dataclass(frozen=True)
class Trained:
    """What training found."""

    trees: int
    rows: int
    validation_log_loss: float | None
    """Log loss on the newest rows before the model learnt from them; None without early stopping."""


def train(source: Path, features_path: Path, target: Path, *, label: str, settings: Settings) -> Trained:
    """Trains on the rows, which are in time order, and writes the booster.

    The evaluation period is never looked at. Early stopping finds the number of trees on the newest training rows; the model is then
    trained on all of them with that number, since the newest rows are the ones most like tomorrow.

    Raises:
        StepError: too few rows, or settings XGBoost does not take.
    """
    features = models.read_features(features_path)
    table = tables.read(source)
    if table.num_rows < MINIMUM_ROWS:
        raise StepError(f"{table.num_rows} training rows are too few; at least {MINIMUM_ROWS} are needed")
    matrix = models.encode(features, tables.arrays(table, features.names))
    labels = tables.arrays(table, [label])[label].astype(np.float32)
    try:
        trees, loss = _number_of_trees(matrix, labels, settings)
        booster = xgb.train(_parameters(settings), xgb.DMatrix(matrix, labels, nthread=_threads(settings)), trees)
    except xgb.core.XGBoostError as error:
        raise StepError(f"XGBoost refused to train: {_reason(error)}") from error
    target.write_bytes(model_bytes(booster))
    return Trained(trees=trees, rows=table.num_rows, validation_log_loss=loss)


def _number_of_trees(matrix: NDArray[np.float32], labels: NDArray[np.float32], settings: Settings) -> tuple[int, float | None]:
    if settings.early_stopping_rounds == 0:
        return settings.trees, None
    if not 0 < settings.validation_share < 1:
        raise StepError(f"validation_share must lie between 0 and 1, found {settings.validation_share}")
    older = int(len(labels) * (1 - settings.validation_share))
    threads = _threads(settings)
    booster = xgb.train(
        _parameters(settings),
        xgb.DMatrix(matrix[:older], labels[:older], nthread=threads),
        settings.trees,
        evals=[(xgb.DMatrix(matrix[older:], labels[older:], nthread=threads), "newest")],
        early_stopping_rounds=settings.early_stopping_rounds,
        verbose_eval=False,
    )
    return booster.best_iteration + 1, float(booster.best_score)


def _parameters(settings: Settings) -> dict[str, object]:
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
        "nthread": _threads(settings),
    }


def _threads(settings: Settings) -> int:
    return max(1, min(settings.threads, os.cpu_count() or 1))


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next((line for line in lines if "value" in line.lower()), lines[0] if lines else type(error).__name__)
