"""The same measures on parts of the rows: a good average can hide a part that is served badly."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from sklearn.metrics import brier_score_loss, roc_auc_score

from headgate_components.groups import group_names, in_order
from headgate_components.labels import MINIMUM_ROWS, Labels
from headgate_components.scored import Scores


@dataclass(frozen=True)
class Slice:
    """Rows with the same value, or in the same quartile, of a column."""

    column: str
    group: str
    rows: int
    base_rate: float
    predicted: float
    """Mean probability; far from the base rate, the model is wrong about this part as a whole."""

    brier: float
    roc_auc: float | None
    """None if one class is absent, or with fewer than 100 rows, where chance alone makes it anything."""


def slices(table: pa.Table, columns: Iterable[str], labels: Labels, probabilities: Scores) -> list[Slice]:
    """The slices of each column.

    Raises:
        StepError: the table lacks a column.
    """
    found = []
    for column in columns:
        names = group_names(table, column)
        found += [_slice(column, group, labels[names == group], probabilities[names == group]) for group in in_order(names)]
    return found


def worst(found: Iterable[Slice]) -> Slice | None:
    """The slice with the least area under the ROC curve."""
    return min((part for part in found if part.roc_auc is not None), key=lambda part: part.roc_auc or 0.0, default=None)


def _slice(column: str, group: str, labels: Labels, probabilities: Scores) -> Slice:
    judged = len(labels) >= MINIMUM_ROWS and len(np.unique(labels)) > 1
    return Slice(
        column=column,
        group=group,
        rows=len(labels),
        base_rate=float(labels.mean()),
        predicted=float(probabilities.mean()),
        brier=float(brier_score_loss(labels, probabilities, pos_label=1)),
        roc_auc=float(roc_auc_score(labels, probabilities)) if judged else None,
    )
