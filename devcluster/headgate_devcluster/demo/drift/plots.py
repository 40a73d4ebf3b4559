"""Plots of the year: each feature's distance over time, and how the values of those that moved lay then and now."""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from headgate_devcluster.demo.drift.year import Month, Year
from headgate_devcluster.demo.plots import svg
from headgate_monitor.watch.record import Moved
from headgate_pipelines import flights

_COLUMNS: Final = 3
_ALARM: Final = "#c0392b"
_REFERENCE, _PREVIOUS = "#7f8c8d", "#2471a3"
_SHOWN_HISTOGRAMS: Final = 3


def over_time(year: Year) -> Markup:
    """Draw each feature's two distances, window by window, the late share first; months that alarmed are shaded."""
    names = [flights.LABEL, *sorted(year.months[0].record.distances, key=lambda name: -_largest(year, name))]
    lines = -(-len(names) // _COLUMNS)
    figure = Figure(figsize=(11, 1.7 * lines), layout="constrained")
    panels = list(figure.subplots(lines, _COLUMNS, sharex=True, squeeze=False).flat)
    for name, axes in zip(names, panels, strict=False):
        _draw(axes, year, name)
    for axes in panels[len(names) :]:
        axes.axis("off")
    panels[0].legend(frameon=False, fontsize="x-small", loc="upper left")
    return svg(figure)


def histograms(month: Month) -> Markup:
    """Draw the features that moved most in a month, training beside then."""
    chosen = [feature for feature in month.moved if feature.alarm][:_SHOWN_HISTOGRAMS] or list(month.moved[:1])
    figure = Figure(figsize=(11, 2.4), layout="constrained")
    for axes, feature in zip(figure.subplots(1, len(chosen), squeeze=False).flat, chosen, strict=True):
        _bars(axes, feature)
    return svg(figure)


def _draw(axes: Axes, year: Year, name: str) -> None:
    found = [(month.late if name == flights.LABEL else month.record.distances[name]) for month in year.months]
    numbers = [month.number for month in year.months]
    axes.plot(numbers, [reference for reference, _ in found], color=_REFERENCE, linewidth=1, label="to training")
    axes.plot(numbers[1:], [before for _, before in found[1:]], color=_PREVIOUS, marker=".", label="to the month before")  # type: ignore[arg-type]
    for month in year.months:
        if month.alarm:
            axes.axvspan(month.number - 0.5, month.number + 0.5, color=_ALARM, alpha=0.15, linewidth=0)
    axes.set_title("share of late flights (labels)" if name == flights.LABEL else name, fontsize="small")
    axes.set_xticks([1, 4, 7, 10], ["Jan", "Apr", "Jul", "Oct"])
    axes.set_ylim(0, max(0.25, *(value for pair in found for value in pair if value is not None)) * 1.05)
    axes.grid(alpha=0.3)


def _bars(axes: Axes, feature: Moved) -> None:
    positions = range(len(feature.current))
    for offset, counts, colour, label in (
        (-0.2, feature.reference, _REFERENCE, "training"),
        (0.2, feature.current, _PREVIOUS, "this month"),
    ):
        axes.bar([position + offset for position in positions], _shares(counts), width=0.4, color=colour, label=label)
    axes.set_title(f"{feature.name}: {feature.distance:.2f} (PSI {feature.psi:.2f})", fontsize="small")
    edges = [value if isinstance(value, str) else f"{value:.3g}" for value in feature.bins]
    axes.set_xticks(list(positions)[: len(edges)], edges, fontsize="x-small", rotation=90)
    axes.legend(frameon=False, fontsize="x-small")


def _shares(counts: Sequence[int]) -> list[float]:
    return [count / max(1, sum(counts)) for count in counts]


def _largest(year: Year, name: str) -> float:
    return max(before or 0.0 for _, before in (month.record.distances[name] for month in year.months))
