"""Looks at the training columns before anything is learnt from them: what no model can use is refused by name, not encoded."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from headgate_components.step import StepError
from headgate_serving.model import FeatureKind

MOST_CATEGORIES = 10_000
"""More are a mistake, unless max_categories says how many to keep."""

LONGEST_CATEGORY = 1_000
"""Characters. Categories are part of the feature artifact, which every server loads."""


def check_columns(train: pa.Table, kinds: Mapping[str, FeatureKind], *, max_categories: int) -> None:
    """Refuses training columns that cannot be features.

    Raises:
        StepError: no rows, a column of another type, without a value, or with categories that are too many or too long.
    """
    if train.num_rows == 0:
        raise StepError("there are no training rows to learn the features from")
    for name, kind in kinds.items():
        column = train.column(name)
        if _missing(column) == len(column):
            rows = f"any of the {len(column):,} training rows"
            raise StepError(f"the feature '{name}' has no value in {rows}; leave it out, or repair where it comes from")
        if kind is FeatureKind.NUMBER:
            _check_number(name, column.type)
        else:
            _check_category(name, column, max_categories)


def _missing(column: pa.ChunkedArray) -> int:
    """Nulls, and the NaN that data frames use for them."""
    nan = pc.sum(pc.is_nan(column)).as_py() if pa.types.is_floating(column.type) else 0
    return int(column.null_count + (nan or 0))


def _check_number(name: str, kind: pa.DataType) -> None:
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise StepError(f"the feature '{name}' is a number, but its column holds {kind}; convert it, or name it among the categories")


def _check_category(name: str, column: pa.ChunkedArray, max_categories: int) -> None:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise StepError(
            f"the feature '{name}' is a category, but its column holds {kind}; convert it to text, or name it among the numbers"
        )
    values = pc.unique(column.drop_null())
    longest = pc.max(pc.utf8_length(values.cast(pa.large_string()))).as_py()
    if longest > LONGEST_CATEGORY:
        raise StepError(f"the feature '{name}' has a category of {longest:,} characters; at most {LONGEST_CATEGORY:,} are allowed")
    if not max_categories and (len(values) > MOST_CATEGORIES or len(values) > len(column) / 2):
        raise StepError(
            f"the feature '{name}' has {len(values):,} categories in {len(column):,} training rows; leave it out if it names single rows, "
            "or say with max_categories how many to keep"
        )
