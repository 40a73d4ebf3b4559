"""Selects the rows that a registered model can be judged by: of a period, with a label, and encodable by its features."""

from dataclasses import dataclass
from pathlib import Path

from headgate_components import models, tables
from headgate_components.data_processing.build_features.logic import encodable
from headgate_components.data_processing.split.logic import Period, labelled_rows, refuse_leaking_features, refuse_repeated_ids
from headgate_components.data_processing.split.roles import Columns


@dataclass(frozen=True)
class Selected:
    """How many rows there are."""

    rows: int
    left_out: int
    """Rows of the period without a label, or with a category that the model refuses."""


def select(source: Path, features_path: Path, target: Path, *, columns: Columns, period: Period) -> Selected:
    """Writes the rows in time order.

    Raises:
        StepError: a column is absent, the period has no rows, a label or a category is not as it must be, or an id occurs twice.
    """
    features = models.read_features(features_path)
    refuse_leaking_features(columns, features.names)
    table = tables.read(source, [columns.id, columns.time, *features.names, columns.label])
    labelled, unlabelled = labelled_rows(table, columns, period, "evaluation")
    kept = encodable(labelled, features, "evaluation")
    refuse_repeated_ids([kept], columns.id)
    tables.write(kept, target)
    return Selected(kept.num_rows, unlabelled + labelled.num_rows - kept.num_rows)
