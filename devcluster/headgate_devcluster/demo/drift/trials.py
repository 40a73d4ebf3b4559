"""Three candidates on trial in July: one while its weight rises, one that misreads a column, one that only labels show to be worse."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from headgate_devcluster.demo.drift.models import Version, Versions, rows
from headgate_devcluster.demo.drift.traffic import NAME, Monitor, batches, monitor, seconds, split
from headgate_monitor.collector.labels import Label
from headgate_monitor.service.wire import Answer
from headgate_pipelines import flights

POLICY: Final[dict[str, Any]] = {
    "drift": {
        "window": {"rows": 500, "duration": "1d", "minimumRows": 100},
        "targetFalseAlarmInterval": "365d",
        "onPredictionDrift": "Rollback",
    },
    "groundTruth": {"horizon": "3d", "margin": 0.02},
}
WEIGHTS: Final = (5, 25, 50)
STEP_DAYS: Final = 2
LABEL_DELAY: Final = pd.Timedelta(hours=24)
SAID: Final = ("routing", "prediction", "quality", "ground_truth")


@dataclass(frozen=True)
class Trial:
    """How a candidate fared. `alarms` are the verdicts that ever alarmed, in the order they first did."""

    name: str
    story: str
    expected: tuple[str, ...]
    alarms: tuple[str, ...]
    message: str
    """What the first alarm said."""
    days: float
    requests: int
    """The candidate's, until the first alarm or the end."""
    distance: float
    """The largest of its predictions from stable's, in any window."""

    @property
    def as_expected(self) -> bool:
        """Whether just that alarmed which should."""
        return self.alarms == self.expected


def replay_trials(table: pd.DataFrame, versions: Versions, folder: Path) -> list[Trial]:
    """Replay July's flights for each candidate, one request a flight."""
    july = rows(table, 7, 7)
    mixed_up = Version("wrong-rows", _mixed_up(table, versions.stable, july), versions.alike.reference)
    return [
        _Scene(table, july, versions.stable, versions.alike, folder / "ramp").play(
            "ramp", "as good as stable, its weight raised from 5 to 25 to 50 % in the middle of windows", (), weights=WEIGHTS
        ),
        _Scene(table, july, versions.stable, versions.in_hours, folder / "hours").play(
            "hours", "trained with block times in hours, asked in minutes", ("prediction",), weights=(25,)
        ),
        _Scene(table, july, versions.stable, mixed_up, folder / "wrong-rows").play(
            "wrong rows",
            "answers each flight with the prediction for another one of the day: only labels can tell",
            ("ground_truth",),
            weights=(25,),
        ),
    ]


def _mixed_up(table: pd.DataFrame, version: Version, chosen: Any) -> Any:
    """The version's predictions, each given to some other flight of the same day: the same distribution, about the wrong flights."""
    predictions, random = version.predictions.copy(), np.random.default_rng(0)
    for _, day in batches(table[chosen], flights.TIME, 24):
        positions = np.flatnonzero(chosen)[day]
        predictions[positions] = random.permutation(predictions[positions])
    return predictions


class _Scene:
    """One candidate beside stable, in July."""

    def __init__(self, table: pd.DataFrame, chosen: Any, stable: Version, trial: Version, folder: Path) -> None:
        self._table, self._first = table[chosen].reset_index(drop=True), int(np.flatnonzero(chosen)[0])
        self._versions = tuple(Version(version.name, version.predictions[chosen], version.reference) for version in (stable, trial))
        self._folder = folder
        self._random = np.random.default_rng(0)
        self._unlabelled: list[tuple[pd.Timestamp, Label]] = []

    def play(self, name: str, story: str, expected: tuple[str, ...], *, weights: tuple[int, ...]) -> Trial:
        """Play until the first alarm, or through all weights, or to the end of the month."""
        begin = self._table[flights.TIME].iloc[0].floor("h")
        stable, trial = self._versions
        alarms: tuple[str, ...] = ()
        message, sent, moment = "", 0, begin
        with monitor(self._folder, begin, stable=stable, trial=trial, policy=POLICY) as watched:
            for moment, positions in batches(self._table, flights.TIME, 1):
                step = int((moment - begin) / pd.Timedelta(days=STEP_DAYS))
                if len(weights) > 1 and step >= len(weights):
                    break
                weight = weights[min(step, len(weights) - 1)]
                watched.ask(weight)
                sent += self._send(watched, positions, weight)
                watched.pass_time(moment)
                self._label(watched, moment)
                alarms, message = _alarming(watched.ask(weight))
                if alarms:
                    break
            distances = [one.prediction_distance for one in watched.state.comparison.records]
        days = (seconds(moment) - seconds(begin)) / 86_400
        return Trial(name, story, expected, alarms, message, days, sent, max((one for one in distances if one is not None), default=0.0))

    def _send(self, watched: Monitor, positions: Any, weight: int) -> int:
        """Send each flight to one of the two; return how many the candidate got."""
        sent = 0
        for of_trial, part in split(len(positions), weight, self._random):
            for position in positions[part]:
                id_ = watched.send(self._versions[of_trial], self._table, [position])
                sent += of_trial
                late = self._table[flights.LABEL].iloc[position]
                if late == late:  # cancelled and diverted flights never get a label
                    self._unlabelled.append((self._table[flights.TIME].iloc[position] + LABEL_DELAY, Label(id_, 0, float(late))))
        return sent

    def _label(self, watched: Monitor, moment: pd.Timestamp) -> None:
        known = [label for at, label in self._unlabelled if at <= moment]
        self._unlabelled = [(at, label) for at, label in self._unlabelled if at > moment]
        if known:
            watched.engine.label(NAME, known)


def _alarming(answer: Answer) -> tuple[tuple[str, ...], str]:
    """What of an answer alarms, and what it says first."""
    found = [(name, getattr(answer, name)) for name in SAID if getattr(answer, name).signal.alarms]
    return tuple(name for name, _ in found), found[0][1].message if found else ""
