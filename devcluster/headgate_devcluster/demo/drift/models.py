"""The models of the story, trained in this process: a good one, one like it, and one that learnt block times in hours."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from headgate_components.training import boosting
from headgate_components.training.settings import Settings
from headgate_monitor.detectors import Reference, fit_reference
from headgate_monitor.detectors.distances import ks_distance
from headgate_monitor.detectors.feature import MINIMUM_FLOOR
from headgate_pipelines import flights
from headgate_pipelines.recipe import read_recipe
from headgate_serving.model import FeatureKind, fit_features

RECIPE: Final = Path(flights.__file__).with_name("recipe.yaml")
MONTH_SECONDS: Final = 30 * 86_400
LARGEST_WINDOW: Final = 100_000
TRAINED: Final = (1, 5)
EVALUATED: Final = (6, 6)
CLOCK: Final = "clock"
"""The simulated time of a row: months are stretched or squeezed to thirty days each, so that a window of `30d` is a calendar month."""

_BLOCK: Final = "sched_block_minutes"

Predictions = NDArray[np.float64]


@dataclass(frozen=True)
class Version:
    """A model: what it answers to every row of the table, and where its drift reference lies."""

    name: str
    predictions: Predictions
    reference: Path


@dataclass(frozen=True)
class Versions:
    """All models of the story."""

    stable: Version
    alike: Version
    """As good as stable: the same data, other trees."""
    in_hours: Version
    """Trained with block times in hours; clients send minutes."""


def with_clock(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its simulated time."""
    clock = np.empty(len(table), dtype="datetime64[ms]")
    begin = np.datetime64(flights.months(1, 1).start, "ms")
    for month in range(1, 13):
        period, chosen = flights.months(month, month), rows(table, month, month)
        share = (table[flights.TIME][chosen] - period.start) / (period.end - period.start)
        clock[chosen] = begin + ((month - 1 + share.to_numpy()) * MONTH_SECONDS * 1000).astype("timedelta64[ms]")
    return table.assign(**{CLOCK: clock})


def train(table: pd.DataFrame, folder: Path, *, trees: int) -> Versions:
    """Train all models on January to May and fit their references."""
    hours = table.assign(**{_BLOCK: table[_BLOCK] / 60})
    excluded = read_recipe(RECIPE).drift.excluded
    own = _predict(table, table, trees=trees, depth=6)
    alike = _predict(table, table, trees=trees, depth=5)
    as_trained, as_served = _predict(hours, hours, trees=trees, depth=6), _predict(hours, table, trees=trees, depth=6)

    def version(name: str, trained_on: pd.DataFrame, predictions: Predictions, as_evaluated: Predictions) -> Version:
        evaluated = rows(table, *EVALUATED)
        shift = ks_distance(np.sort(own[evaluated]), as_evaluated[evaluated])
        _reference(trained_on, excluded, shift).write(folder / name)
        return Version(name, predictions, folder / name)

    return Versions(
        stable=version("stable", table, own, own),
        alike=version("alike", table, alike, alike),
        in_hours=version("in-hours", hours, as_served, as_trained),
    )


def label_reference(table: pd.DataFrame) -> Reference:
    """What labels were like from January to May, so that their share is watched as a feature is."""
    trained = table[rows(table, *TRAINED)].dropna(subset=[flights.LABEL])
    fitted = fit_reference(
        {flights.LABEL: labels(trained)},
        trained[CLOCK].to_numpy(),
        {flights.LABEL: "category"},
        window_rows=LARGEST_WINDOW,
        window_seconds=MONTH_SECONDS,
    )
    (label,) = fitted.features
    return replace(fitted, features=(replace(label, pair_floor=MINIMUM_FLOOR),))  # what a tenth of all flights means needs no calibration


def labels(table: pd.DataFrame) -> list[str]:
    """Labels in words."""
    return ["late" if late > 0 else "on time" for late in table[flights.LABEL]]


def rows(table: pd.DataFrame, first: int, last: int) -> NDArray[np.bool_]:
    """Which rows of the table fall into these months."""
    period = flights.months(first, last)
    return np.asarray((table[flights.TIME] >= period.start) & (table[flights.TIME] < period.end))


def raw(frame: pd.DataFrame, name: str) -> list[Any]:
    """A column as JSON has it: None for missing, which is not even equal to itself."""
    return [None if value != value else value for value in frame[name].tolist()]


def _predict(trained_on: pd.DataFrame, served: pd.DataFrame, *, trees: int, depth: int) -> Predictions:
    trained = trained_on[rows(trained_on, *TRAINED)].dropna(subset=[flights.LABEL])
    kinds = {name: FeatureKind.CATEGORY if name in flights.CATEGORIES else FeatureKind.NUMBER for name in flights.FEATURES}
    columns = {name: raw(trained, name) if name in flights.CATEGORIES else trained[name].to_numpy() for name in flights.FEATURES}
    features = fit_features(columns, kinds)
    labelled = trained[flights.LABEL].to_numpy(np.float64)
    booster = boosting.fit(
        features.encode(columns), labelled, Settings(max_depth=depth, threads=os.cpu_count() or 1), trees=trees, weight=1.0
    )
    asked = {name: raw(served, name) if name in flights.CATEGORIES else served[name].to_numpy() for name in flights.FEATURES}
    return np.asarray(booster.inplace_predict(features.encode(asked), validate_features=False), dtype=np.float64)


def _reference(table: pd.DataFrame, excluded: list[str], shift: float) -> Reference:
    trained = table[rows(table, *TRAINED)]
    kinds = {name: "category" if name in flights.CATEGORIES else "number" for name in flights.FEATURES}
    columns = {name: raw(trained, name) if name in flights.CATEGORIES else trained[name].to_numpy() for name in flights.FEATURES}
    return fit_reference(
        columns,
        trained[CLOCK].to_numpy(),
        kinds,
        window_rows=LARGEST_WINDOW,
        window_seconds=MONTH_SECONDS,
        excluded=excluded,
        expected_shift=shift,
    )
