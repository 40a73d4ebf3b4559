"""Plots for reports: matplotlib drawings as inline SVG, with a text alternative, in the colours of the page they stand in.

Text stays text, so that it can be read, searched and enlarged. One figure is as wide as a telephone; the page's style sheet scales it.
"""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

_WIDTH, _HEIGHT = 3.4, 3.0
_BAR_HEIGHT, _BAR_MARGIN = 0.22, 0.75
_LONGEST_NAME = 24

# What matplotlib draws in, and which variable of the page's style sheet takes its place: light and dark are the page's affair.
_INK, _RULE, _FIRST, _SECOND = "#010101", "#020202", "#030303", "#040404"
_VARIABLES = {_INK: "var(--ink)", _RULE: "var(--rule)", _FIRST: "var(--first)", _SECOND: "var(--second)"}
_COLOURS = (_FIRST, _SECOND)

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a column may be called "price_$"
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "font.family": "sans-serif",
    "font.size": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.ymargin": 0.01,
    "grid.color": _RULE,
    "axes.edgecolor": _RULE,
    **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "legend.labelcolor"), _INK),
    "legend.frameon": False,
}


@dataclass(frozen=True)
class Line:
    """A named line through points; a dashed one is there to compare with."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    dashed: bool = False
    marked: bool = False
    """Whether its points are shown: those of a curve of thousands are not."""


@dataclass(frozen=True)
class Bars:
    """A named length for each of several bars."""

    name: str
    lengths: Sequence[float]


def lines(title: str, alternative: str, drawn: Sequence[Line], *, x: str, y: str) -> str:
    """Lines in the unit square, as a `<figure>`.

    Args:
        title: what is shown; also the visible caption.
        alternative: what a person who does not see the figure should know.
        drawn: the lines.
        x: what the horizontal axis means.
        y: what the vertical axis means.
    """
    with _figure(title, _HEIGHT) as figure:
        axes = figure.subplots()
        colours = iter(_COLOURS)
        for line in drawn:
            style: dict[str, Any] = {"color": _INK, "linestyle": "--", "linewidth": 1} if line.dashed else {"color": next(colours)}
            axes.plot(line.x, line.y, label=line.name, marker="o" if line.marked else None, markersize=4, **style)
        axes.set(xlabel=x, ylabel=y, xlim=(0, 1), ylim=(0, 1.02))
        axes.legend(loc="best")
        return _finished(figure, title, alternative)


def bars(title: str, alternative: str, names: Sequence[str], groups: Sequence[Bars], *, x: str) -> str:
    """Horizontal bars, the first name on top, one bar of each group for a name, as a `<figure>`.

    Args:
        title: what is shown; also the visible caption.
        alternative: what a person who does not see the figure should know.
        names: what each bar stands for.
        groups: at most two.
        x: what the length means.
    """
    with _figure(title, _BAR_MARGIN + _BAR_HEIGHT * len(names) * len(groups)) as figure:
        axes = figure.subplots()
        thickness = 0.8 / len(groups)
        for number, (group, colour) in enumerate(zip(groups, _COLOURS, strict=False)):
            places = [row + (number - (len(groups) - 1) / 2) * thickness for row in range(len(names))]
            axes.barh(places, list(group.lengths), height=thickness, color=colour, label=group.name)
        axes.set_yticks(range(len(names)), [_short(name) for name in names])
        axes.invert_yaxis()
        axes.set_xlabel(x)
        axes.grid(visible=False, axis="y")
        if len(groups) > 1:
            figure.legend(loc="outside upper right", ncols=len(groups))
        return _finished(figure, title, alternative)


@contextmanager
def _figure(title: str, height: float) -> Iterator[Figure]:
    # The salt makes the ids of a figure's parts its own in the page, and the same in every run.
    with mpl.rc_context({**_STYLE, "svg.hashsalt": title}):
        yield Figure(figsize=(_WIDTH, height), layout="constrained")


def _finished(figure: Figure, title: str, alternative: str) -> str:
    file = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(file, format="svg", metadata=nothing)
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg)  # HTML knows them
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)  # numbered anew in each figure, so not unique in a page; nothing refers to them
    svg = re.sub("|".join(_VARIABLES), lambda found: _VARIABLES[found[0]], svg)
    described = f"<title>{escape(title)}</title><desc>{escape(alternative)}</desc>"
    svg = re.sub(r"<svg([^>]*)>", lambda found: f'<svg role="img"{found[1]}>{described}', svg, count=1)
    return f"<figure>{svg}<figcaption>{escape(title)}</figcaption></figure>"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
