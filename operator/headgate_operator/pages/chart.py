"""Lines over time as SVG, and as a table for whoever does not see them.

The drawing has no text and stretches to whatever width there is; what is written around it is HTML, so letters keep their size on a
telephone. Colours are classes of the page's style sheet, each with a dash pattern of its own, because not everybody tells colours apart.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final

from headgate_operator.pages.words import Clock, number

WIDTH: Final = 1000
HEIGHT: Final = 200
LOOKS: Final = 8
"""How many colours, with their dash patterns, the style sheet has."""
_ROUND: Final = (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10, 12)
_ROWS: Final = 12
"""Of the table."""

Point = tuple[float, float]


class Tone(StrEnum):
    """Whether something is good news."""

    GOOD = "good"
    BAD = "bad"
    PLAIN = "plain"


@dataclass(frozen=True)
class Line:
    """Values over time; NaN is a gap. `look` chooses colour and dashes, and stays with what the line is about."""

    label: str
    points: Sequence[Point]
    look: int
    steps: bool = False
    """Whether a value holds until the next one, as weights do."""

    @property
    def style(self) -> str:
        """Its class in the style sheet."""
        return f"look{self.look % LOOKS}"


@dataclass(frozen=True)
class Mark:
    """A moment at which something happened."""

    at: float
    label: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One panel. `begin` and `end` are the ends of its time axis."""

    title: str
    unit: str
    lines: tuple[Line, ...]
    begin: float
    end: float
    clock: Clock
    marks: tuple[Mark, ...] = ()
    at_least: float = 0.0
    """How high the scale reaches in any case."""
    bound: float | None = None
    """Where evidence decides, drawn as a line."""
    bound_label: str = ""
    note: str = ""

    @cached_property
    def top(self) -> float:
        """The upper end of the scale, a round number."""
        highest = max((value for line in self.lines for _, value in line.points if not math.isnan(value)), default=0.0)
        return round_up(max(highest, self.at_least, (self.bound or 0.0) * 1.1))

    @property
    def scale(self) -> tuple[str, str, str]:
        """What stands beside the drawing, from above."""
        return number(self.top), number(self.top / 2), "0"

    @property
    def times(self) -> tuple[str, str, str]:
        """What stands below the drawing."""
        return self.clock(self.begin), self.clock((self.begin + self.end) / 2), self.clock(self.end)

    @property
    def height_of_bound(self) -> float:
        """Where the bound is drawn."""
        return self._y(self.bound or 0.0)

    @property
    def description(self) -> str:
        """The drawing in a sentence or two."""
        said = [f"{line.label}: {_course(line)}" for line in self.lines]
        return f"{self.title} in {self.unit}, from {self.times[0]} to {self.times[2]}. {'; '.join(said)}."

    def path(self, line: Line) -> str:
        """Return a line as the commands of an SVG path; empty if there is nothing to draw."""
        parts: list[str] = []
        before = math.nan
        for at, value in line.points:
            if not math.isnan(value):
                x, y = self.x(at), self._y(value)
                if math.isnan(before):
                    parts.append(f"M{x:.1f} {y:.1f}")
                else:
                    parts.append(f"H{x:.1f}V{y:.1f}" if line.steps else f"L{x:.1f} {y:.1f}")
            before = value
        return "".join(parts) + ("h.1" if parts else "")  # so that a lone point is seen, too

    def x(self, at: float) -> float:
        """Return where a time is drawn."""
        return WIDTH * min(1.0, max(0.0, (at - self.begin) / ((self.end - self.begin) or 1.0)))

    def rows(self) -> list[tuple[str, list[str]]]:
        """Return the lines' values at a dozen times, evenly spread, the last one last."""
        span, wanted = self.end - self.begin, _ROWS if self.end > self.begin else 1
        times = [self.end - span * (wanted - 1 - index) / max(1, wanted - 1) for index in range(wanted)]
        return [(self.clock(at), [_value_at(line, at) for line in self.lines]) for at in times]

    def _y(self, value: float) -> float:
        return HEIGHT * (1 - min(1.0, max(0.0, value / self.top)))


@dataclass(frozen=True)
class Gauge:
    """A bar that fills up: a weight, or evidence on its way to its bound."""

    part: float
    """0 to 1; more is drawn as 1."""
    label: str
    """The same in words."""
    tone: Tone = Tone.PLAIN

    @property
    def width(self) -> float:
        """Of 100."""
        return round(100 * min(1.0, max(0.0, self.part)), 1)


@dataclass(frozen=True)
class Split:
    """One bar in parts that add up to 100 %: who gets the traffic."""

    parts: tuple[tuple[str, int], ...] = field(default=())
    """Class of the style sheet and percent, from the left."""
    label: str = ""

    def placed(self) -> list[tuple[str, int, int]]:
        """Return class, position and width of each part."""
        placed, left = [], 0
        for style, percent in self.parts:
            placed.append((style, left, percent))
            left += percent
        return placed


def round_up(value: float) -> float:
    """Return the next round number: 1, 1.2, 1.6, 2, 2.4 … times a power of ten, so that half of it is round, too."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in _ROUND if step * power >= value * (1 - 1e-9))


def _course(line: Line) -> str:
    values = [value for _, value in line.points if not math.isnan(value)]
    if not values:
        return "no values"
    first, last, highest = number(values[0]), number(values[-1]), number(max(values))
    return f"{last} throughout" if first == last == highest else f"{first} at first, {last} at last, {highest} at most"


def _value_at(line: Line, at: float) -> str:
    known = [value for moment, value in line.points if moment <= at + 1e-6]
    return number(known[-1]) if known and not math.isnan(known[-1]) else "–"
