"""A detector that alibi-detect saved (`config.toml` beside `x_ref.npy`) as a reference. Nothing in its folder is run.

What its settings call `preprocess_fn` or `model` is code in a pickle, so a folder that holds anything but those two files is refused.
alibi-detect knows neither the names of columns nor when a row happened: whoever imports says what they are called, and whether the rows
are in their order of time. If they are not, floors cannot be learned from them and count as uncalibrated.
"""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from headgate_monitor.detectors.choice import Detector
from headgate_monitor.detectors.columns import ColumnKind, Values
from headgate_monitor.detectors.errors import DriftError
from headgate_monitor.detectors.feature import MINIMUM_FLOOR, FeatureReference
from headgate_monitor.detectors.fitting import fit_reference
from headgate_monitor.detectors.reference import Reference

CONFIG: Final = "config.toml"
ROWS: Final = "x_ref.npy"
LARGEST_CONFIG: Final = 1_000_000  # bytes
LARGEST_ROWS: Final = 500_000_000  # bytes
_DETECTORS: Final = {
    "TabularDrift": Detector.TABULAR,
    "KSDrift": Detector.KS,
    "CVMDrift": Detector.CVM,
    "ChiSquareDrift": Detector.CHI_SQUARE,
}
_PLAIN: Final[Mapping[str, tuple[object, ...]]] = {
    "preprocess_fn": (None, "None"),
    "update_x_ref": (None, "None"),
    "alternative": (None, "two-sided"),
    "x_ref": (ROWS,),
}
"""Settings that no reference here can follow unless they have one of these values. alibi-detect writes None as a string."""


def import_saved(
    folder: Path, *, names: Sequence[str] = (), in_time_order: bool = False, window_rows: int = 500, excluded: Collection[str] = ()
) -> Reference:
    """The reference with the rows, the categories and the test of a saved detector; its p-value and its correction are not taken over.

    Args:
        folder: Where `save_detector` wrote.
        names: Of the columns, in their order; none: x0, x1 and so on, which is enough for requests that are matrices.
        in_time_order: Whether the rows are in the order in which they happened, so that floors can be learned from them.
        window_rows: The length of the windows that will be compared with the reference.
        excluded: Features that never alarm.

    Raises:
        DriftError: the folder holds anything else, or a detector that compares otherwise than Headgate does.
    """
    _only_data(folder)
    config = _config(folder / CONFIG)
    rows = _rows(folder / ROWS)
    width = rows.shape[1]
    if names and len(names) != width:
        raise DriftError(f"{len(names)} names are given for the {width} columns of {folder / ROWS}")
    called = list(names) or [f"x{column}" for column in range(width)]
    if len(set(called)) != width:
        raise DriftError("a column's name is given twice")
    categorical = _categorical(config, width)
    kinds = {name: "category" if column in categorical else "number" for column, name in enumerate(called)}
    columns = {name: _values(rows[:, column], category=kinds[name] == "category") for column, name in enumerate(called)}
    detector = _DETECTORS[config["name"]]
    fitted = fit_reference(columns, range(len(rows)), kinds, window_rows=window_rows, excluded=excluded, detector=detector)
    return replace(fitted, features=tuple(_imported(feature, in_time_order=in_time_order) for feature in fitted.features))


def _only_data(folder: Path) -> None:
    try:
        found = sorted(entry.relative_to(folder).as_posix() for entry in folder.rglob("*") if not entry.is_dir())
    except OSError as error:
        raise DriftError(f"{folder} cannot be read: {error.strerror}") from error
    if CONFIG not in found:
        raise DriftError(f"{folder} has no {CONFIG}: it is no detector that alibi-detect saved (older ones, saved as pickles, are refused)")
    other = [name for name in found if name not in (CONFIG, ROWS)]
    if other:
        raise DriftError(f"{folder} holds {other[0]}: only {CONFIG} and {ROWS} are read, because pickles (.dill and others) are code")


def _config(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            config = tomllib.loads(file.read(LARGEST_CONFIG).decode())
    except (OSError, ValueError) as error:  # invalid UTF-8 and TOML are both ValueErrors
        raise DriftError(f"{path} cannot be read: {error}") from error
    if config.get("name") not in _DETECTORS:
        raise DriftError(f"{path} is of the detector {config.get('name')!r}; those that can be imported are {', '.join(_DETECTORS)}")
    for setting, allowed in _PLAIN.items():
        if config.get(setting) not in allowed:
            way = "without it" if None in allowed and "None" in allowed else f"with {allowed[-1]!r}"
            raise DriftError(f"{path} sets {setting} to {config.get(setting)!r}; a detector can only be imported {way}")
    return config


def _rows(path: Path) -> Values:
    """The rows as float64. Mapped, so that a small file which promises many rows takes no memory."""
    try:
        if path.stat().st_size > LARGEST_ROWS:
            raise DriftError(f"{path} is larger than {LARGEST_ROWS / 1e6:g} MB")
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        if isinstance(error, DriftError):
            raise
        raise DriftError(f"{path} is no file of numbers: {error}") from error
    if not isinstance(mapped, np.ndarray) or mapped.dtype.kind not in "fiub":
        raise DriftError(f"{path} holds other values than numbers")
    rows = mapped.reshape(-1, 1) if mapped.ndim == 1 else mapped
    if rows.ndim != 2 or 0 in rows.shape:
        raise DriftError(f"{path} has the shape {mapped.shape}; allowed are rows with at least one column each")
    return np.asarray(rows, dtype=np.float64)


def _categorical(config: Mapping[str, Any], width: int) -> frozenset[int]:
    """The columns that the detector compares as categories: for chi-square all of them."""
    named = config.get("categories_per_feature", "None")
    if config["name"] == "ChiSquareDrift":
        return frozenset(range(width))
    if named == "None" or config["name"] != "TabularDrift":
        return frozenset()
    if not isinstance(named, dict) or not all(column.isdecimal() and int(column) < width for column in named):
        raise DriftError(f"categories_per_feature must name columns from 0 to {width - 1}, found {named!r}")
    return frozenset(int(column) for column in named)


def _values(column: Values, *, category: bool) -> Sequence[Any]:
    """A category's codes as text, as `fit_reference` takes them; NaN is missing."""
    if not category:
        return column  # type: ignore[return-value]  # an array is a sequence in all that matters here
    return [None if np.isnan(value) else repr(float(value)) for value in column]


def _imported(feature: FeatureReference, *, in_time_order: bool) -> FeatureReference:
    """The feature with its codes as the numbers that requests will hold, and without floors that no order of time stands behind."""
    if feature.kind is ColumnKind.CATEGORY:
        feature = replace(feature, categories=tuple(float(code) for code in feature.categories))
    if in_time_order:
        return feature
    smallest = dict.fromkeys(("floor", "missing_floor", "pair_floor", "pair_missing_floor"), MINIMUM_FLOOR)
    return replace(feature, windows=0, **smallest)  # type: ignore[arg-type]  # mypy joins the keywords
