"""A dashboard as data: rows of panels, each a few queries and how to look at their numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Final

RUNBOOK: Final = "https://github.com/headgate/headgate/blob/main/docs/runbook.md"
DOCS: Final = "https://github.com/headgate/headgate/blob/main/docs"


class Unit(StrEnum):
    """Units of numbers, as Grafana calls them."""

    NUMBER = "short"
    SHARE = "percentunit"
    PERCENT = "percent"
    SECONDS = "s"
    BYTES = "bytes"
    MILLISECONDS = "ms"
    PER_SECOND = "reqps"
    AGO = "dateTimeFromNow"
    """Of milliseconds since the epoch."""


class View(Enum):
    """How numbers are looked at."""

    GRAPH = "lines over time"
    STACK = "areas over time, one upon the other"
    NUMBER = "the last value"
    STATES = "words over time, by `states`"
    TABLE = "the last values with their labels"


class Colour(StrEnum):
    """What a colour says."""

    GOOD = "green"
    NEUTRAL = "blue"
    WARNING = "orange"
    BAD = "red"
    UNKNOWN = "text"


@dataclass(frozen=True)
class Query:
    """One PromQL expression; `legend` may name labels: `{{version}}`."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class State:
    """What one value of a number means."""

    word: str
    colour: Colour


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One box.

    `limit` is drawn as a line, or colours a number that is above it; `columns` renames a table's labels and orders them; `runbook` is a
    section of docs/runbook.md; `width` is in 24ths.
    """

    title: str
    description: str
    queries: tuple[Query, ...]
    view: View = View.GRAPH
    unit: Unit = Unit.NUMBER
    width: int = 8
    height: int = 8
    limit: float | None = None
    limit_colour: Colour = Colour.BAD
    maximum: float | None = None
    states: Mapping[int, State] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    runbook: str | None = None


@dataclass(frozen=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """One page."""

    uid: str
    title: str
    description: str
    page: str
    """Of the documentation, in docs/."""
    rows: tuple[Row, ...]
    by_model: bool = True
    """Whether it can be narrowed down to namespaces and ModelDeployments."""

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All of them."""
        return tuple(panel for row in self.rows for panel in row.panels)
