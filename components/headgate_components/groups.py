"""Groups of rows by the values of a column: slices of an evaluation, and whom a fairness check compares."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from headgate_components import tables

MOST_GROUPS = 12
"""More would not be read; the rarest values become one group."""

QUANTILES = 4
MISSING, OTHER = "missing", "other values"

Names = NDArray[np.object_]


def present(table: pa.Table, columns: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those of the columns that the table has, and a sentence about each that it lacks: the others can still be reported on."""
    there = [name for name in columns if name in table.column_names]
    absent = [name for name in columns if name not in table.column_names]
    return there, [f"the evaluation rows have no column '{name}' to group by; they have {', '.join(table.column_names)}" for name in absent]


def group_names(table: pa.Table, column: str) -> Names:
    """The name of each row's group, shape (rows,).

    Few different values are a group each, most frequent first; numbers and times of more values are cut at their quartiles; of other
    values the rarest are one group. Missing and infinite values are a group.

    Raises:
        StepError: the table has no such column.
    """
    tables.require(table, [column])
    values = table.column(column).to_pandas().replace([np.inf, -np.inf], np.nan)  # between infinities there are no quartiles
    if _is_continuous(values) and values.nunique() > MOST_GROUPS:
        names = pd.qcut(values, QUANTILES, duplicates="drop", precision=4).astype(object).map(_interval, na_action="ignore")
    else:
        # As objects: pandas refuses a new value in a column of its own categories.
        names = values.astype(object).map(_value, na_action="ignore")
        counts = names.value_counts()
        frequent = counts.index if len(counts) <= MOST_GROUPS else counts.index[: MOST_GROUPS - 1]
        names = names.where(names.isin(frequent) | names.isna(), OTHER)
    return np.asarray(names.where(names.notna(), MISSING), dtype=object)


def in_order(names: Names) -> Sequence[str]:
    """The groups that occur: quartiles and values in their order, then what is left over and what is missing."""
    return sorted(set(names.tolist()), key=_rank)


def _is_continuous(values: "pd.Series") -> bool:
    numbers = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    return numbers or pd.api.types.is_datetime64_any_dtype(values)


def _interval(interval: Any) -> str:
    return f"({interval.left} to {interval.right}]"


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _rank(name: str) -> tuple[int, float, str]:
    try:
        number = float(name.removeprefix("(").split(" to ")[0])
    except ValueError:
        number = np.inf
    return (name == MISSING) + (name in (OTHER, MISSING)), number, name
