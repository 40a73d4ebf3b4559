"""One column of raw values → one float column of the model's matrix, the same in training and in serving.

Columns come as lists from requests (one row, thousands a second) and as arrays or series from training (300,000 rows): both
must be fast. A request's numpy calls cost more than its values, so plain lists become one array in one call.
"""

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from headgate_serving.model.errors import FeatureError, UnknownCategoryError, shown

Column: TypeAlias = Sequence[str | float | int | None]
Columns: TypeAlias = Mapping[str, Column]

Codes: TypeAlias = Mapping[str | None, float]
"""By category; null among them."""

_UNSEEN = -1.0
_NO_CODE = object()
_NUMBERS = frozenset({float, int, type(None)})
_STRINGS = frozenset({str, type(None)})


def quick_codes(columns: Sequence[tuple[Column, Codes | None]], unseen: Sequence[float | None]) -> NDArray[np.float64] | None:
    """All columns as rows of one array, shape (features, rows); numbers come without codes. What is unusual is not judged here.

    Returns:
        None if any column is no list, or any value is not of the plain type that JSON has for it, too large, or a category without a code
        where `unseen` has none either: `encode_numbers` and `encode_categories` take it, or say what is wrong.
    """
    flat: list[Any] = []
    for (values, codes), code in zip(columns, unseen, strict=True):
        if type(values) is not list:
            return None
        if codes is None:
            if not set(map(type, values)) <= _NUMBERS:
                return None
            flat += values
        else:
            if not set(map(type, values)) <= _STRINGS:
                return None
            flat += map(codes.get, values, repeat(_NO_CODE if code is None else code))
    try:
        return np.array(flat, dtype=np.float64).reshape(len(columns), -1)
    except (OverflowError, TypeError):
        return None


def encode_numbers(name: str, values: Column) -> NDArray[np.float64]:
    """Numbers as they are, null as NaN.

    Raises:
        FeatureError: a value is no number (numpy alone would read the string "1.5" as one).
    """
    try:
        # Of a list, numpy would take true for 1.
        array: NDArray[Any] = np.asarray(values, dtype=object if isinstance(values, list) else None)
        numeric = array.dtype.kind in "fiu" or (array.dtype.kind == "O" and all(map(_is_number_type, set(map(type, array)))))
        if numeric and array.ndim == 1:
            return array.astype(np.float64)
    except (OverflowError, ValueError) as error:
        raise FeatureError(f"feature '{name}' cannot be read as numbers: {error}") from error
    wrong = next((value for value in as_list(values) if not _is_number_type(type(value))), values)
    raise FeatureError(f"feature '{name}' must hold numbers or null, found {shown(wrong)}")


def encode_categories(name: str, values: Column, codes: Codes, unknown: float | None) -> NDArray[np.float64]:
    """The code of each category, NaN for null, `unknown` for a category without a code.

    Raises:
        UnknownCategoryError: a category has no code and `unknown` is None.
        FeatureError: a value is no string.
    """
    get = codes.get
    listed = as_list(values)
    try:
        encoded = np.fromiter((get(value, _UNSEEN) for value in listed), np.float64, len(listed))
    except TypeError as error:
        raise FeatureError(f"feature '{name}' must hold strings or null: {error}") from error
    for row in np.flatnonzero(encoded < 0):
        encoded[row] = _unseen_code(name, listed[row], len(codes) - 1, unknown)  # null is in codes, too
    return encoded


def is_missing(value: object) -> bool:
    """Whether a raw value stands for "not known": null, or the NaN that data frames use for it."""
    return value is None or (isinstance(value, float) and value != value)


def as_list(values: Column) -> list[Any]:
    """The column as a list of Python values, whatever kind of sequence it was."""
    if isinstance(values, list):
        return values
    tolist = getattr(values, "tolist", None)
    return list(values) if tolist is None else list(tolist())


def _unseen_code(name: str, value: object, known: int, unknown: float | None) -> float:
    if is_missing(value):
        return float("nan")
    if not isinstance(value, str):
        raise FeatureError(f"feature '{name}' must hold strings or null, found {shown(value)}")
    if unknown is None:
        raise UnknownCategoryError(
            f"feature '{name}' has the value {shown(value)}, which is not among the {known} categories the model was trained on"
        )
    return unknown


def _is_number_type(kind: type) -> bool:
    return kind is type(None) or (issubclass(kind, float | int | np.floating | np.integer) and kind is not bool)
