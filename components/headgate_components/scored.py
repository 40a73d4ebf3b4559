"""Rows with known labels and what a model predicts for them: where every judgement of a model starts."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import xgboost as xgb
from numpy.typing import NDArray

from headgate_components import models, tables
from headgate_components.step import StepError
from headgate_serving.model import FeatureSet

MINIMUM_ROWS = 100

Labels = NDArray[np.int64]
Scores = NDArray[np.float64]


class UnfitRowsError(StepError):
    """Rows, or predictions for them, that no model can be judged by; a report can still say so."""


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
    found = tables.arrays(table, [label])[label]
    if table.num_rows < MINIMUM_ROWS:
        raise UnfitRowsError(f"{table.num_rows} evaluation rows are too few; at least {MINIMUM_ROWS} are needed")
    wrong = next((value for value in found.tolist() if value not in (0, 1)), 0)
    if wrong != 0:
        raise UnfitRowsError(f"the label '{label}' holds {wrong!r} in the evaluation rows; allowed are 0 and 1")
    labels = found.astype(np.int64)
    if labels.min() == labels.max():
        raise UnfitRowsError(f"the label '{label}' is {labels[0]} in all {len(labels):,} evaluation rows; rows of both classes are needed")
    return Labelled(table, labels)


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
