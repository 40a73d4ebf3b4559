"""Rows with known labels and what a model predicts for them: where every judgement of a model starts."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import xgboost as xgb
from numpy.typing import NDArray

from headgate_components import models, tables
from headgate_components.labels import Labels, UnfitRowsError, read_labels
from headgate_serving.model import FeatureSet

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Labelled:
    """Rows of both classes."""

    table: pa.Table
    labels: Labels
    """0 or 1, shape (rows,)."""


def read_labelled(path: Path, label: str) -> Labelled:
    """The rows of a Parquet file with their labels.

    Raises:
        UnfitRowsError: there are too few rows, or the labels are not 0 and 1, each at least once.
        StepError: the file cannot be read or has no such column.
    """
    table = tables.read(path)
    return Labelled(table, read_labels(table, label, "evaluation"))


def score(table: pa.Table, features: FeatureSet, booster: xgb.Booster) -> Scores:
    """The probability of label 1 of each row.

    Raises:
        UnfitRowsError: the model answers something that is no probability.
        StepError: the rows do not fit the features, or the features the model.
    """
    predicted = models.predict(booster, models.encode(features, tables.arrays(table, features.names)))
    wrong = int(np.sum(~((predicted >= 0) & (predicted <= 1))))
    if wrong:
        found = f"for {wrong:,} of {len(predicted):,} evaluation rows"
        raise UnfitRowsError(f"the model answers no probability (NaN, or outside 0 to 1) {found}; train it again")
    return predicted
