"""Splits a table by time, so that a model is evaluated on what came after its training, as it will be used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from headgate_components import tables
from headgate_components.data_processing.split.roles import Columns, check_roles
from headgate_components.step import StepError


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
    refuse_leaking_features(columns, features)
    if _time(train.end) > _time(evaluation.start):
        raise StepError(
            f"training ends at {train.end}, after evaluation starts at {evaluation.start}; evaluate on a period that follows training"
        )
    table = tables.read(source, [columns.id, columns.time, *features, columns.label])
    parts = [labelled_rows(table, columns, period, name) for period, name in ((train, "training"), (evaluation, "evaluation"))]
    refuse_repeated_ids([rows for rows, _ in parts], columns.id)
    for (rows, _), path in zip(parts, (train_path, evaluation_path), strict=True):
        tables.write(rows, path)
    (train_rows, _), (evaluation_rows, _) = parts
    return SplitRows(train=train_rows.num_rows, evaluation=evaluation_rows.num_rows, unlabelled=sum(unlabelled for _, unlabelled in parts))


def labelled_rows(table: pa.Table, columns: Columns, period: Period, name: str) -> tuple[pa.Table, int]:
    """The rows of a period that have a label, in time order, and how many have none.

    Args:
        table: all rows.
        columns: the columns with a role.
        period: which of them.
        name: what they are for, for messages.

    Raises:
        StepError: there are none, or their labels are not 0 and 1.
    """
    check_roles(table, columns)
    part = _within(table, columns.time, period, name)
    rows = _labelled(part, columns, name)
    return rows.sort_by([(columns.time, "ascending"), (columns.id, "ascending")]), part.num_rows - rows.num_rows


def refuse_leaking_features(columns: Columns, features: Sequence[str]) -> None:
    """Refuses to learn from a column that is the answer, or names the row.

    Raises:
        StepError: names the columns.
    """
    leaks = {columns.time, columns.label, columns.id} & set(features)
    if leaks:
        raise StepError(f"{', '.join(sorted(leaks))} cannot be a feature: it is the table's time, label or id")


def _within(table: pa.Table, time: str, period: Period, name: str) -> pa.Table:
    if _time(period.end) <= _time(period.start):
        raise StepError(f"{name} goes back in time: it starts at {period.start} and ends at {period.end}")
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
    if not found:
        raise StepError(f"the label '{columns.label}' has no value in {name}")
    if found != [0, 1]:
        raise StepError(f"the label '{columns.label}' takes the values {found[:5]} in {name}; it must be 0 and 1, and both must occur")
    return rows


def refuse_repeated_ids(parts: Sequence[pa.Table], column: str) -> None:
    """Refuses rows that occur twice, in one part or in several.

    Raises:
        StepError: names an example.
    """
    ids = pa.chunked_array([chunk for part in parts for chunk in part.column(column).chunks])
    counts = pc.value_counts(ids)
    repeated = counts.filter(pc.greater(counts.field("counts"), 1))
    if len(repeated):
        example = repeated[0]["values"]
        raise StepError(f"{len(repeated)} values of '{column}' occur more than once in training and evaluation, such as {example}")


def _time(moment: str) -> datetime:
    try:
        found = datetime.fromisoformat(moment)
    except ValueError as error:
        raise StepError(f"'{moment}' is not a time; give ISO 8601 such as 2013-05-01T04:00:00") from error
    if found.tzinfo is not None:
        raise StepError(f"'{moment}' names an offset; give it in the clock of the table, without one, such as 2013-05-01T04:00:00")
    return found
