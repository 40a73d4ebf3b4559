"""The year in windows of a month: what each said against the training months and against the window before."""

from calendar import month_name
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from headgate_devcluster.demo.drift.models import CLOCK, MONTH_SECONDS, Versions, label_reference, labels
from headgate_devcluster.demo.drift.traffic import Monitor, batches, monitor, seconds, split
from headgate_monitor.watch.inputs import InputWatch
from headgate_monitor.watch.record import Moved, Record
from headgate_monitor.watch.settings import Windows
from headgate_pipelines import flights

POLICY: Final[dict[str, Any]] = {
    "drift": {
        "window": {"rows": 100_000, "duration": "30d", "minimumRows": 100},
        "targetFalseAlarmInterval": "3650d",
        "onPredictionDrift": "Rollback",
    }
}
WEIGHT: Final = 25
MONTH: Final = pd.Timedelta(seconds=MONTH_SECONDS)
MONTHS: Final = 12
LABEL_DELAY: Final = pd.Timedelta(hours=24)
"""Whether a flight was late is known a quarter of an hour after it should have landed; labels are sent once a day."""

EXPECTED: Final = ("September", "December")
"""The months that differ from the one before; the training months, January to May, must not."""


@dataclass(frozen=True)
class Month:
    """One window of the year."""

    number: int
    """1 to 12."""
    record: Record
    moved: tuple[Moved, ...]
    """Against the training months, what moved most first."""
    late: tuple[float, float | None]
    """Distance of the share of late flights to the training months, and to the window before."""
    late_alarms: bool
    """Whether that share moved by more than its floor since the window before."""
    blamed: tuple[str, ...]
    """What would roll the trial back in this window: its predictions, or its answers' quality."""

    @property
    def name(self) -> str:
        """The calendar month that the window was."""
        return month_name[self.number]

    @property
    def alarm(self) -> bool:
        """Whether an alarm was raised because of what changed since the window before."""
        return self.record.previous_alarm

    @property
    def said(self) -> str:
        """What the comparison with the month before came to."""
        return "alarm" if self.alarm else "one window alone" if self.record.previous.alarms else str(self.record.previous.value)


@dataclass
class Year:
    """All windows, oldest first."""

    months: list[Month] = field(default_factory=list)

    @property
    def alarms(self) -> tuple[str, ...]:
        """The months that alarmed against the one before."""
        return tuple(month.name for month in self.months if month.alarm)

    @property
    def blamed(self) -> tuple[str, ...]:
        """The months in which the trial would have been rolled back."""
        return tuple(month.name for month in self.months if month.blamed)

    @property
    def as_expected(self) -> bool:
        """Whether just the months alarmed that should, and no month was taken for the candidate's fault."""
        return len(self.months) == MONTHS and self.alarms == EXPECTED and not self.blamed


def replay_year(table: pd.DataFrame, versions: Versions, folder: Path, *, hours: int = 6) -> Year:
    """Replay January to December in order, so many hours a request; a quarter of the rows to a candidate that is as good as stable."""
    begin = table[CLOCK].iloc[0].floor("D")
    year, random, late = Year(), np.random.default_rng(0), _Late(table, seconds(begin))
    with monitor(folder, begin, stable=versions.stable, trial=versions.alike, policy=POLICY) as watched:
        watched.ask(WEIGHT)
        for moment, positions in batches(table, CLOCK, hours):
            for of_trial, part in split(len(positions), WEIGHT, random):
                watched.send(versions.alike if of_trial else versions.stable, table, positions[part])
            watched.pass_time(moment)
            late.advance(table, moment)
            _collect(year, watched, versions, late)
        late.advance(table, begin + MONTHS * MONTH + LABEL_DELAY)
        _collect(year, watched, versions, late)
    return year


def _collect(year: Year, watched: Monitor, versions: Versions, late: "_Late") -> None:
    """Take over the next month as soon as both its requests and its labels are judged."""
    state, number = watched.state, len(year.months)
    records = state.inputs[versions.stable.name].records
    if len(records) <= number or len(late.records) <= number:
        return
    compared = state.comparison.records[number]
    blamed = tuple(name for name in ("prediction", "quality") if getattr(compared, name).alarms)
    labelled = late.records[number]
    moved = state.inputs[versions.stable.name].moved
    year.months.append(Month(number + 1, records[number], moved, labelled.distances[flights.LABEL], labelled.previous.alarms, blamed))


class _Late:
    """The share of late flights, watched by the monitor's own windows as labels come in."""

    def __init__(self, table: pd.DataFrame, begin: float) -> None:
        self._reference = label_reference(table)
        windows = Windows(rows=100_000, seconds=MONTH_SECONDS, false_alarm_seconds=10 * 365 * 86_400)
        self._watch = InputWatch(self._reference, windows, subject="labels", at=begin + LABEL_DELAY.total_seconds())
        self._known = (table[CLOCK] + LABEL_DELAY).to_numpy()
        self._taken = 0

    @property
    def records(self) -> tuple[Record, ...]:
        return self._watch.state.records

    def advance(self, table: pd.DataFrame, moment: pd.Timestamp) -> None:
        """Take in the labels that are known by now."""
        known = int(np.searchsorted(self._known, moment.to_datetime64(), "left"))
        frame = table.iloc[self._taken : known].dropna(subset=[flights.LABEL])
        self._taken = known
        if len(frame):
            self._watch.add(self._reference.encode({flights.LABEL: labels(frame)}))
        self._watch.advance(seconds(moment))
