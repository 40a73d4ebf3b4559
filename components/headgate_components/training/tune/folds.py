"""Cross-validation in the order of time, all folds growing at once, a tree at a time.

Each fold learns from everything before its block and is judged on the block, as a model is used. Because the folds grow in step, the mean
loss is known after every tree: a hopeless trial is given up early in all folds, not after the first of them is complete.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import xgboost as xgb

from headgate_components.step import StepError
from headgate_components.training.balance import positive_weight
from headgate_components.training.boosting import Rows, matrix_of, parameters, training_errors
from headgate_components.training.settings import Settings

MINIMUM_BLOCK = 50
MOST_FOLDS = 10


@dataclass(frozen=True)
class Fold:
    """Rows to learn from, and the later ones to be judged on; XGBoost bins them once for all trials."""

    learnt: xgb.DMatrix
    judged: xgb.DMatrix


def time_folds(rows: Rows, count: int, settings: Settings) -> list[Fold]:
    """`count` folds of rows that are in time order.

    Raises:
        StepError: a count out of range, or a fold with too few rows or one class only.
    """
    if not 2 <= count <= MOST_FOLDS:
        raise StepError(f"{count} folds are not possible; allowed are 2 to {MOST_FOLDS}")
    total = len(rows.labels)
    if total < MINIMUM_BLOCK * (count + 1):
        raise StepError(f"{total} training rows are too few for {count} folds; at least {MINIMUM_BLOCK * (count + 1)} are needed")
    edges = [total * number // (count + 1) for number in range(count + 2)]
    return [_fold(rows, edges[number], edges[number + 1], settings, number) for number in range(1, count + 1)]


def grow(folds: Sequence[Fold], settings: Settings) -> Iterator[float]:
    """After each tree, the mean log loss of the folds; XGBoost's refusals end it with a StepError."""
    boosters = [xgb.Booster(parameters(settings), [fold.learnt, fold.judged]) for fold in folds]
    for tree in range(settings.trees):
        with training_errors():
            losses = [_grown(booster, fold, tree) for booster, fold in zip(boosters, folds, strict=True)]
        yield sum(losses) / len(losses)


def _fold(rows: Rows, start: int, end: int, settings: Settings, number: int) -> Fold:
    for part in (rows.labels[:start], rows.labels[start:end]):
        if part.min() == part.max():
            raise StepError(f"fold {number} has rows with label {part[0]:g} only; use fewer folds or a longer training period")
    weight = positive_weight(settings.class_weight, rows.labels)
    learnt, judged = (
        matrix_of(rows.matrix[part], rows.labels[part], weight, settings.threads) for part in (slice(start), slice(start, end))
    )
    return Fold(learnt, judged)


def _grown(booster: xgb.Booster, fold: Fold, tree: int) -> float:
    booster.update(fold.learnt, tree)
    return float(booster.eval(fold.judged, iteration=tree).rpartition(":")[2])
