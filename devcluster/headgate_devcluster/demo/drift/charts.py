"""Charts of the year: each feature's distance over time, and how the values of those that moved lay then and now."""

from calendar import month_abbr
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Final

from headgate_devcluster.demo.drift.year import MONTHS, Month, Year
from headgate_monitor.watch.record import Moved
from headgate_operator.pages.chart import Chart, Gauge, Line, Mark, Tone
from headgate_operator.pages.words import number
from headgate_pipelines import flights

_REFERENCE, _PREVIOUS = 7, 0
"""Looks of the lines."""
_SHOWN_FEATURES: Final = 3


@dataclass(frozen=True)
class Values:
    """How one feature's values lay: a name, and for each bin what it is, its share in training and its share now."""

    title: str
    bins: list[tuple[str, Gauge, Gauge]]


def over_time(year: Year) -> list[Chart]:
    """Draw each feature's two distances, window by window, the late share first; lines mark the months that alarmed."""
    names = sorted(year.months[0].record.distances, key=lambda name: -_largest(year, name))
    marks = tuple(Mark(month.number, f"alarm in {month.name}", Tone.BAD) for month in year.months if month.alarm)
    return [_chart(year, name, marks) for name in (flights.LABEL, *names)]


def values(month: Month) -> list[Values]:
    """Return the features that moved most in a month, training beside then."""
    chosen = [feature for feature in month.moved if feature.alarm][:_SHOWN_FEATURES] or list(month.moved[:1])
    return [_values(feature) for feature in chosen]


def _chart(year: Year, name: str, marks: tuple[Mark, ...]) -> Chart:
    found = [(month.number, *(month.late if name == flights.LABEL else month.record.distances[name])) for month in year.months]
    lines = (
        Line("to training", [(at, reference) for at, reference, _ in found], _REFERENCE),
        Line("to the month before", [(at, nan if before is None else before) for at, _, before in found], _PREVIOUS),
    )
    title = "share of late flights (labels)" if name == flights.LABEL else name
    return Chart(title=title, unit="distance", lines=lines, begin=1, end=MONTHS, clock=_month, marks=marks, at_least=0.25)


def _month(at: float) -> str:
    return month_abbr[round(at)]


def _values(feature: Moved) -> Values:
    edges = [edge if isinstance(edge, str) else f"up to {number(edge)}" for edge in feature.bins]
    labels = [*edges, "more" if feature.bins and not isinstance(feature.bins[0], str) else "any other"][: len(feature.current)]
    then, now = _gauges(feature.reference), _gauges(feature.current)
    title = f"{feature.name}: distance {feature.distance:.2f}, PSI {feature.psi:.2f}"
    return Values(title, list(zip(labels, then, now, strict=True)))


def _gauges(counts: Sequence[int]) -> list[Gauge]:
    shares = [count / max(1, sum(counts)) for count in counts]
    return [Gauge(share / max(*shares, 0.01), f"{100 * share:.1f} %") for share in shares]


def _largest(year: Year, name: str) -> float:
    return max(before or 0.0 for _, before in (month.record.distances[name] for month in year.months))
