"""The columns with a role of their own, and whether a table's can play it."""

from dataclasses import dataclass

import pyarrow as pa

from headgate_components import tables
from headgate_components.step import StepError


@dataclass(frozen=True)
class Columns:
    """The columns with a role of their own; none of them may be a feature."""

    time: str
    label: str
    id: str


def check_roles(table: pa.Table, columns: Columns) -> None:
    """Refuses a table that cannot be cut by time.

    Raises:
        StepError: no rows, a column is absent or holds another type, or rows without a time.
    """
    tables.require(table, [columns.time, columns.label, columns.id])
    if table.num_rows == 0:
        raise StepError("the table has no rows")
    kind = table.schema.field(columns.time).type
    if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        raise StepError(f"the time '{columns.time}' holds {kind}; it must hold timestamps, such as Parquet's, or ISO 8601 in CSV files")
    if missing := table.column(columns.time).null_count:
        raise StepError(f"{missing:,} rows have no time in '{columns.time}'; without one nobody can say which part they belong to")
    kind = table.schema.field(columns.id).type
    if not (pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise StepError(f"the id '{columns.id}' holds {kind}; it must hold texts or whole numbers")
