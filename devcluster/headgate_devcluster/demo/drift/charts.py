"""Charts of the year: each feature's distance over time, and how the values of those that moved lay then and now."""

from calendar import month_abbr
from collections.abc import Sequence
from math import nan
from typing import Final

from headgate_devcluster.demo.drift.year import MONTHS, Month, Year
from headgate_monitor.watch.record import Moved
from headgate_operator.pages.chart import Chart, Line, Mark, Tone
from headgate_operator.pages.words import number
from headgate_pipelines import flights

_REFERENCE, _PREVIOUS = 7, 0
"""Looks of the lines."""
_SHOWN_FEATURES: Final = 3


def over_time(year: Year) -> list[Chart]:
    """Draw each feature's two distances, window by window, the late share first; lines mark the months that alarmed."""
    names = sorted(year.months[0].record.distances, key=lambda name: -_largest(year, name))
    marks = tuple(Mark(month.number, f"alarm in {month.name}", Tone.BAD) for month in year.months if month.alarm)
    return [_chart(year, name, marks) for name in (flights.LABEL, *names)]


def values(month: Month) -> list[Chart]:
    """Draw how the features that moved most in a month lay, training beside then."""
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


def _values(feature: Moved) -> Chart:
    """Draw a histogram: its bins are the axis, at whose places stand their inner edges or names."""
    lines = (
        Line("training", _shares(feature.reference), _REFERENCE, steps=True),
        Line("this month", _shares(feature.current), _PREVIOUS, steps=True),
    )

    def edge(at: float) -> str:
        if not feature.bins or isinstance(feature.bins[0], str):
            return str(feature.bins[int(at)]) if int(at) < len(feature.bins) else "others"
        return number(float(feature.bins[min(max(int(at) - 1, 0), len(feature.bins) - 1)]))

    note = f"Distance {feature.distance:.2f}, PSI {feature.psi:.2f}."
    end = float(len(feature.current))
    return Chart(title=feature.name, unit="% of requests, by value", lines=lines, begin=0.0, end=end, clock=edge, note=note)


def _shares(counts: Sequence[int]) -> list[tuple[float, float]]:
    """Return the bins' shares in percent, the last one up to the end of the axis."""
    shares = [100 * count / max(1, sum(counts)) for count in counts]
    return [(float(place), share) for place, share in enumerate([*shares, *shares[-1:]])]


def _largest(year: Year, name: str) -> float:
    return max(before or 0.0 for _, before in (month.record.distances[name] for month in year.months))
