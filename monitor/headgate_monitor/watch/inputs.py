"""One version's requests, window by window, against the reference; and against the window before, which is told beside an alarm."""

from dataclasses import dataclass, field, replace

import numpy as np

from headgate_monitor.detectors.columns import Values
from headgate_monitor.detectors.reference import Reference
from headgate_monitor.detectors.score import Scorer, WindowScore
from headgate_monitor.watch.alarm import Alarm, Outcome, Signal
from headgate_monitor.watch.settings import LARGEST_ALPHA, Windows
from headgate_monitor.watch.wording import judge, ordered

_TOP = 10

Top = tuple[tuple[str, float], ...]
"""Features that moved most, with their distance, rounded so that it changes only when something happens."""


@dataclass(frozen=True)
class InputState:
    """What a version's windows said so far; survives a restart."""

    alarm: Alarm = field(default_factory=Alarm)
    top: Top = ()


class InputWatch:
    """Windows of one version's requests.

    Args:
        reference: What they are compared with.
        windows: How traffic is cut.
        subject: How sentences call it, such as "stable's requests".
        at: When the first window begins, seconds.
        state: What earlier windows said.
    """

    def __init__(self, reference: Reference, windows: Windows, *, subject: str, at: float, state: InputState = InputState()) -> None:
        self.state = state
        self.subject = subject
        self._windows = windows
        self._reference = watched(reference, windows)
        self._scorer = Scorer(self._reference, alpha=LARGEST_ALPHA, minimum_rows=windows.minimum_rows)
        self._floors = {feature.name: feature.floor for feature in reference.features}
        self._began = at
        self._chunks: list[Values] = []
        self._rows = 0
        self._previous: Values | None = None

    def add(self, rows: Values) -> None:
        """Add rows that the reference encoded."""
        self._chunks.append(rows)
        self._rows += len(rows)

    def advance(self, at: float) -> bool:
        """End the window if it is full, or over at this time; return whether it ended."""
        over = self._rows >= self._windows.rows or at - self._began >= self._windows.seconds
        if over:
            self._end(at)
        return over

    def _end(self, at: float) -> None:
        outcome = self._outcome(at) if self._rows >= self._windows.minimum_rows else self._too_few()
        self.state = replace(self.state, alarm=self.state.alarm.after(outcome, at))
        self._began, self._chunks, self._rows = at, [], 0

    def _too_few(self) -> Outcome:
        return Outcome(Signal.UNKNOWN, f"{self.subject}: fewer than {self._windows.minimum_rows} rows in a window")

    def _outcome(self, at: float) -> Outcome:
        window = np.concatenate(self._chunks)
        score = self._scorer.score_encoded(window, alpha=self._windows.alpha(at - self._began))
        self.state = replace(self.state, top=_top(score))
        outcome = judge(score, self._floors, compared=len(self._reference.matrix), subject=f"{self.subject} against the reference")
        before = self._against_previous(window, at)
        self._previous = window
        return replace(outcome, message=f"{outcome.message}; {before}") if before and outcome.signal.alarms else outcome

    def _against_previous(self, window: Values, at: float) -> str:
        if self._previous is None:
            return ""
        reference = replace(self._reference, matrix=self._previous)
        scorer = Scorer(reference, alpha=self._windows.alpha(at - self._began), minimum_rows=self._windows.minimum_rows)
        outcome = judge(scorer.score_encoded(window), self._floors, compared=len(self._previous), subject="against the window before")
        return outcome.message if outcome.signal.alarms else "nothing moved since the window before"


def watched(reference: Reference, windows: Windows) -> Reference:
    """Return the reference with those features excluded from alarms that the manifest does not watch."""
    features = (replace(feature, excluded=feature.excluded or not windows.watches(feature.name)) for feature in reference.features)
    return replace(reference, features=tuple(features))


def _top(score: WindowScore) -> Top:
    return tuple((feature.name, round(feature.distance, 2)) for feature in ordered(score.features)[:_TOP])
