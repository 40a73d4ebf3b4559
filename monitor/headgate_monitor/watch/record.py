"""What a finished window is remembered by: for people and plots, which features moved, in order, and how their values lay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from headgate_monitor.detectors.feature import FeatureReference
from headgate_monitor.detectors.score import FeatureScore, WindowScore
from headgate_monitor.watch.alarm import Signal
from headgate_monitor.watch.wording import ordered

REMEMBERED: Final = 96
"""Windows of a version whose distances are kept: a day of a quarter of an hour each."""

MOST_FEATURES: Final = 100
"""Of a window, those that moved most are kept."""


@dataclass(frozen=True)
class Moved:
    """One feature of the last window: how far and how surely it moved, and the histograms to see it by.

    `bins` are the inner edges of a number, or the names of a category's values, the last bin being any other value.
    """

    name: str
    distance: float
    floor: float
    p: float | None
    psi: float
    js: float
    missing: float
    unseen: float
    alarm: bool
    bins: tuple[float, ...] | tuple[str, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]


@dataclass(frozen=True)
class Record:
    """One finished window: what it said against the reference and against the window before, and each feature's two distances."""

    at: float
    """When it ended, seconds."""
    rows: int
    reference: Signal
    previous: Signal
    alarm: bool
    """Whether an alarm was on because of this window: a lone one below severe is none."""
    previous_alarm: bool
    distances: Mapping[str, tuple[float, float | None]]
    """By feature: to the reference, and to the window before."""


@dataclass(frozen=True)
class Compared:
    """One finished window of the version on trial beside stable."""

    at: float
    stable_rows: int
    trial_rows: int
    routing: Signal
    prediction: Signal
    quality: Signal
    routing_distance: float | None
    """Of the feature that differed most; None without enough rows."""
    prediction_distance: float | None


def furthest(score: WindowScore | None) -> float | None:
    """The largest distance of a window's features."""
    return max((round(one.distance, 4) for one in score.features), default=None) if score else None


def moved(score: WindowScore, features: Sequence[FeatureReference], histograms: Sequence[tuple[int, ...]]) -> tuple[Moved, ...]:
    """The features of a window, what moved most first."""
    known = {feature.name: (feature, counts) for feature, counts in zip(features, histograms, strict=True)}
    return tuple(_moved(one, *known[one.name]) for one in ordered(score.features)[:MOST_FEATURES])


def distances(score: WindowScore, previous: WindowScore | None) -> dict[str, tuple[float, float | None]]:
    """Each feature's distance to the reference and to the window before."""
    before = {one.name: round(one.distance, 4) for one in previous.features} if previous else {}
    return {one.name: (round(one.distance, 4), before.get(one.name)) for one in ordered(score.features)[:MOST_FEATURES]}


def _moved(score: FeatureScore, feature: FeatureReference, counts: tuple[int, ...]) -> Moved:
    return Moved(
        name=score.name,
        distance=round(score.distance, 4),
        floor=round(feature.floor, 4),
        p=score.p,
        psi=round(score.psi, 4),
        js=round(score.js, 4),
        missing=round(score.missing_distance, 4),
        unseen=round(score.unseen, 4),
        alarm=score.alarm,
        bins=feature.edges or feature.categories,
        reference=counts,
        current=score.counts,
    )
