"""The labels that a model learns from or is judged by: 0 or 1, each at least once, on enough rows to mean anything."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headgate_components import tables
from headgate_components.step import StepError

MINIMUM_ROWS = 100

Labels = NDArray[np.int64]
Losses = NDArray[np.float64]

SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)
"""Of which the logarithm is taken, as in scikit-learn."""


class UnfitRowsError(StepError):
    """Rows, or predictions for them, that no model can learn from or be judged by; a report can still say so."""


def read_labels(table: pa.Table, label: str, name: str) -> Labels:
    """The label of each row, shape (rows,).

    Args:
        table: the rows.
        label: the column.
        name: what the rows are, for messages.

    Raises:
        UnfitRowsError: there are too few rows, or the labels are not 0 and 1, each at least once.
        StepError: there is no such column.
    """
    found = tables.arrays(table, [label])[label]
    if len(found) < MINIMUM_ROWS:
        raise UnfitRowsError(f"{len(found)} {name} rows are too few; at least {MINIMUM_ROWS} are needed")
    wrong = next((value for value in found.tolist() if value not in (0, 1)), 0)
    if wrong != 0:
        raise UnfitRowsError(f"the label '{label}' holds {wrong!r} in the {name} rows; allowed are 0 and 1")
    labels = found.astype(np.int64)
    if labels.min() == labels.max():
        raise UnfitRowsError(f"the label '{label}' is {labels[0]} in all {len(labels):,} {name} rows; rows of both classes are needed")
    return labels


def log_losses(labels: NDArray[np.generic], probabilities: NDArray[np.floating]) -> Losses:
    """The log loss of each row, shape (rows,)."""
    likelihood = np.where(labels == 1, probabilities, 1 - probabilities.astype(np.float64))
    losses: Losses = -np.log(np.clip(likelihood, SMALLEST_PROBABILITY, 1))
    return losses
