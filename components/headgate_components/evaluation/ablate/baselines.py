"""What a model must beat to be worth its trouble: the base rate, the best single feature, a logistic regression."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headgate_components.labels import log_losses
from headgate_components.training.boosting import Rows, fit
from headgate_components.training.settings import Settings
from headgate_serving.model import FeatureKind

SMALL = Settings(trees=30, max_depth=3, learning_rate=0.3, subsample=1.0, colsample_bytree=1.0)
"""Enough for one feature."""

CHOICE_SHARE = 0.2
"""The newest share of the training rows, on which the best single feature is chosen: not on the evaluation, which would flatter it."""

RARE_CATEGORY = 20

Scores = NDArray[np.float64]


def prior(train: Rows, evaluation: Rows) -> Scores:
    """The share of label 1 in training, for every row."""
    return np.full(len(evaluation.labels), float(train.labels.mean()))


def best_single_feature(train: Rows) -> str:
    """The feature that predicts the newest training rows best by itself."""
    older = int(len(train.labels) * (1 - CHOICE_SHARE))
    losses = {}
    for position, name in enumerate(train.features.names):
        column = train.matrix[:, [position]]
        booster = fit(column[:older], train.labels[:older], SMALL, trees=SMALL.trees, weight=1)
        losses[name] = float(log_losses(train.labels[older:], booster.inplace_predict(column[older:])).mean())
    return min(losses, key=lambda name: losses[name])


def logistic(train: Rows, evaluation: Rows, seed: int) -> Scores:
    """A logistic regression: numbers scaled, gaps filled and marked, categories one column each."""
    from sklearn.compose import make_column_transformer
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    kinds = [feature.kind for feature in train.features.features]
    categories, numbers = (
        [place for place, kind in enumerate(kinds) if kind is wanted] for wanted in (FeatureKind.CATEGORY, FeatureKind.NUMBER)
    )
    filled = make_pipeline(SimpleImputer(add_indicator=True, keep_empty_features=True), StandardScaler())
    encoded = make_column_transformer(
        (OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=RARE_CATEGORY), categories), (filled, numbers)
    )
    model: Any = make_pipeline(encoded, LogisticRegression(max_iter=200, random_state=seed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a baseline need not be perfect
        warnings.simplefilter("ignore", UserWarning)  # categories that training never saw, which is what the option is for
        model.fit(train.matrix, train.labels)
        scores: Scores = model.predict_proba(evaluation.matrix)[:, 1]
    return scores
