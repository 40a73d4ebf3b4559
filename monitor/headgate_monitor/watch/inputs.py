"""One version's requests, or its predictions, window by window: against the reference, which is what alarms, and against the window before.

The second comparison tells what moved lately from what has been another way since training; it is told, and nothing follows from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from headgate_monitor.detectors.choice import Detector
from headgate_monitor.detectors.columns import Values
from headgate_monitor.detectors.feature import FeatureReference
from headgate_monitor.detectors.reference import Reference
from headgate_monitor.detectors.score import Scorer, WindowScore
from headgate_monitor.watch.alarm import Alarm, Outcome, Signal
from headgate_monitor.watch.record import REMEMBERED, Moved, Record, distances, moved
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
    previous: Alarm = field(default_factory=Alarm)
    """Against the window before: what moved lately, where the reference is of another season."""
    moved: tuple[Moved, ...] = ()
    records: tuple[Record, ...] = ()
    """Windows that had enough rows, newest last."""


class InputWatch:
    """Windows of one version's requests, or of its predictions.

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
        if self._rows >= self._windows.minimum_rows:
            self._judge(np.concatenate(self._chunks), at)
        else:
            few = f"fewer than {self._windows.minimum_rows} rows in a window"
            unknown = Outcome(Signal.UNKNOWN, f"{self.subject}: {few}")
            self.state = replace(self.state, alarm=self.state.alarm.after(unknown, at), previous=self.state.previous.after(unknown, at))
        self._began, self._chunks, self._rows = at, [], 0

    def _judge(self, window: Values, at: float) -> None:
        alpha = self._windows.alpha(at - self._began)
        score = self._scorer.score_encoded(window, alpha=alpha)
        outcome = judge(
            score, self._reference.features, compared=len(self._reference.matrix), subject=f"{self.subject} against the reference"
        )
        score_before, before = self._against_previous(window, alpha)
        if outcome.signal.alarms and score_before is not None:
            outcome = replace(outcome, message=f"{outcome.message}; {_briefly(before)}")
        alarm, previous = self.state.alarm.after(outcome, at), self.state.previous.after(before, at)
        record = Record(
            at, len(window), outcome.signal, before.signal, alarm.raised_by(outcome), previous.raised_by(before),
            distances(score, score_before),
        )  # fmt: skip
        self.state = InputState(
            alarm=alarm,
            top=_top(score),
            previous=previous,
            moved=moved(score, self._reference.features, self._scorer.histograms),
            records=(*self.state.records, record)[-REMEMBERED:],
        )
        self._previous = window

    def _against_previous(self, window: Values, alpha: float) -> tuple[WindowScore | None, Outcome]:
        """Compare with the window before, by the quick tests whatever the reference's detector is: none of them needs fitting."""
        if self._previous is None:
            return None, Outcome(Signal.UNKNOWN, f"{self.subject}: there is no window before")
        features = tuple(feature.between_windows() for feature in self._reference.features)
        before = replace(self._reference, features=with_rates(features, self._previous), matrix=self._previous, detector=Detector.TABULAR)
        score = Scorer(before, alpha=alpha, minimum_rows=self._windows.minimum_rows).score_encoded(window)
        return score, judge(score, features, compared=len(self._previous), subject=f"{self.subject} against the window before")


def with_rates(features: Sequence[FeatureReference], rows: Values) -> tuple[FeatureReference, ...]:
    """Return the features with the shares of missing and unseen values that these rows have."""
    found = ((feature, rows[:, column]) for column, feature in enumerate(features))
    return tuple(
        replace(feature, missing_rate=float(feature.missing(values).mean()), unseen_rate=feature.unseen(values))
        for feature, values in found
    )


def _briefly(before: Outcome) -> str:
    return (
        before.message.partition(": ")[2] + " since the window before" if before.signal.alarms else "nothing moved since the window before"
    )


def watched(reference: Reference, windows: Windows) -> Reference:
    """Return the reference with those features excluded from alarms that the manifest does not watch."""
    features = (replace(feature, excluded=feature.excluded or not windows.watches(feature.name)) for feature in reference.features)
    return replace(reference, features=tuple(features))


def _top(score: WindowScore) -> Top:
    return tuple((feature.name, round(feature.distance, 2)) for feature in ordered(score.features)[:_TOP])
