"""Tables between steps: Parquet files, read whole, as Arrow tables or as columns of arrays."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from headgate_components.seeds import check_seed
from headgate_components.step import StepError

_BATCH_ROWS = 65_536
_ARROW_ERRNO = re.compile(r"\[errno (\d+)\]")

Arrays = dict[str, NDArray[Any]]


def read(path: Path, columns: Iterable[str] | None = None) -> pa.Table:
    """The table in a Parquet file, or these columns of it.

    Raises:
        StepError: the file is missing, corrupt or lacks a column.
    """
    try:
        with pq.ParquetFile(path) as file:
            if columns is None:
                return file.read()
            wanted = list(columns)
            require(file.schema_arrow.empty_table(), wanted)
            return file.read(columns=wanted).select(wanted)
    except (pa.ArrowException, OSError) as error:
        raise StepError(f"the table '{path}' cannot be read: {first_line(error)}") from error


def sample(path: Path, columns: Iterable[str], rows: int, seed: int) -> pa.Table:
    """At most `rows` rows of a Parquet file, drawn without replacement, in the file's order; no more than a batch is in memory beside them.

    Raises:
        StepError: the file is missing, corrupt or lacks a column.
    """
    check_seed(seed)
    wanted = list(columns)
    try:
        with pq.ParquetFile(path) as file:
            require(file.schema_arrow.empty_table(), wanted)
            total = file.metadata.num_rows
            chosen = np.sort(np.random.default_rng(seed).choice(total, min(rows, total), replace=False))
            parts, start = [], 0
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=wanted):
                end = start + batch.num_rows
                parts.append(batch.take(pa.array(chosen[(chosen >= start) & (chosen < end)] - start)))
                start = end
            return pa.Table.from_batches(parts, file.schema_arrow.empty_table().select(wanted).schema).select(wanted)
    except (pa.ArrowException, OSError) as error:
        raise StepError(f"the table '{path}' cannot be read: {first_line(error)}") from error


def write(table: pa.Table, path: Path) -> None:
    """Writes a Parquet file, whole or not at all.

    Raises:
        StepError: it cannot be written; the disk is full, for instance.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, part)
        part.rename(path)
    except (pa.ArrowException, OSError) as error:
        raise StepError(f"the table '{path}' cannot be written: {first_line(error)}") from error
    finally:
        part.unlink(missing_ok=True)


def arrays(table: pa.Table, names: Iterable[str]) -> Arrays:
    """Columns as numpy arrays: numbers with NaN and strings with None for what is missing."""
    wanted = list(names)
    require(table, wanted)
    return {name: table.column(name).to_numpy() for name in wanted}


def times(table: pa.Table, name: str) -> NDArray[Any]:
    """The column by which rows are ordered: times or numbers, none missing.

    Raises:
        StepError: it is absent, or holds something else.
    """
    require(table, [name])
    column = table.column(name)
    kind = column.type
    if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise StepError(f"the column '{name}' holds {kind}; it must hold times or numbers, for rows are ordered by it")
    if column.null_count:
        raise StepError(f"{column.null_count:,} rows have no value in '{name}', by which rows are ordered")
    return arrays(table, [name])[name]


def require(table: pa.Table, names: Iterable[str]) -> None:
    """Refuses a table without these columns.

    Raises:
        StepError: names the absent columns and the present ones.
    """
    absent = [name for name in names if name not in table.column_names]
    if absent:
        raise StepError(f"the table has no column {', '.join(map(repr, absent))}; it has {', '.join(table.column_names)}")


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or what the system calls it; Arrow's messages go on with a stack."""
    if found := _ARROW_ERRNO.search(str(error)):
        return os.strerror(int(found[1]))
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).splitlines() or [type(error).__name__])[0]
