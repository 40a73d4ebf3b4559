"""Splits a table by time, so that a model is evaluated on what came after its training, as it will be used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from headgate_components import tables
from headgate_components.step import StepError


@dataclass(frozen=True)
class Columns:
    """The columns with a role of their own; none of them may be a feature."""

    time: str
    label: str
    id: str


@dataclass(frozen=True)
class Period:
    """From `start` (included) to `end` (not included), ISO 8601, in the table's own clock."""

    start: str
    end: str


@dataclass(frozen=True)
class SplitRows:
    """How many rows went where."""

    train: int
    evaluation: int
    unlabelled: int
    """Rows of both periods that have no label and are therefore in neither."""


def split(
    source: Path, columns: Columns, features: Sequence[str], train: Period, evaluation: Period, *, train_path: Path, evaluation_path: Path
) -> SplitRows:
    """Writes the labelled rows of both periods, each in time order.

    Raises:
        StepError: a leak (overlapping periods, an id in both parts, the label among the features), or a part without rows.
    """
    _refuse_leaking_features(columns, features)
    if _time(train.end) > _time(evaluation.start):
        raise StepError(
            f"training ends at {train.end}, after evaluation starts at {evaluation.start}; evaluate on a period that follows training"
        )
    table = tables.read(source, [columns.id, columns.time, *features, columns.label])
    parts = [_within(table, columns.time, period, name) for period, name in ((train, "training"), (evaluation, "evaluation"))]
    labelled = [_labelled(part, columns, name) for part, name in zip(parts, ("training", "evaluation"), strict=True)]
    _refuse_repeated_ids(labelled, columns.id)
    for part, path in zip(labelled, (train_path, evaluation_path), strict=True):
        tables.write(part.sort_by([(columns.time, "ascending"), (columns.id, "ascending")]), path)
    unlabelled = sum(part.num_rows for part in parts) - sum(part.num_rows for part in labelled)
    return SplitRows(train=labelled[0].num_rows, evaluation=labelled[1].num_rows, unlabelled=unlabelled)


def _refuse_leaking_features(columns: Columns, features: Sequence[str]) -> None:
    leaks = {columns.time, columns.label, columns.id} & set(features)
    if leaks:
        raise StepError(f"{', '.join(sorted(leaks))} cannot be a feature: it is the table's time, label or id")


def _within(table: pa.Table, time: str, period: Period, name: str) -> pa.Table:
    start, end = (pa.scalar(_time(moment)).cast(table.schema.field(time).type) for moment in (period.start, period.end))
    values = table.column(time)
    rows = table.filter(pc.and_(pc.greater_equal(values, start), pc.less(values, end)))
    if rows.num_rows == 0:
        found = pc.min_max(values).as_py()
        raise StepError(f"no rows for {name} from {period.start} to {period.end}; the data reaches from {found['min']} to {found['max']}")
    return rows


def _labelled(table: pa.Table, columns: Columns, name: str) -> pa.Table:
    rows = table.filter(pc.is_valid(table.column(columns.label)))
    found = sorted(pc.unique(rows.column(columns.label)).to_pylist())
    if found != [0, 1]:
        raise StepError(f"the label '{columns.label}' takes the values {found[:5]} in {name}; it must be 0 and 1, and both must occur")
    return rows


def _refuse_repeated_ids(parts: Sequence[pa.Table], column: str) -> None:
    ids = pa.chunked_array([chunk for part in parts for chunk in part.column(column).chunks])
    counts = pc.value_counts(ids)
    repeated = counts.filter(pc.greater(counts.field("counts"), 1))
    if len(repeated):
        example = repeated[0]["values"]
        raise StepError(f"{len(repeated)} values of '{column}' occur more than once in training and evaluation, such as {example}")


def _time(moment: str) -> datetime:
    try:
        return datetime.fromisoformat(moment)
    except ValueError as error:
        raise StepError(f"'{moment}' is not a time; give ISO 8601 such as 2013-05-01T04:00:00") from error
