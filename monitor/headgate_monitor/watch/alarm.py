"""From single windows to a signal: one window errs now and then, so an alarm takes two of three, or one that is severe.

An alarm ends after three clean windows. A window without enough rows says nothing: it ends no alarm, and nothing stays Clean by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

_REMEMBERED: Final = 4
_LOOK_BACK: Final = 3
_NEEDED: Final = 2
_STALE_NEEDED: Final = 3


class Signal(StrEnum):
    """What one comparison says."""

    UNKNOWN = "Unknown"
    CLEAN = "Clean"
    DRIFT = "Drift"
    SEVERE = "Severe"

    @property
    def alarms(self) -> bool:
        """Whether something is not as it should be."""
        return self in (Signal.DRIFT, Signal.SEVERE)


@dataclass(frozen=True)
class Outcome:
    """What one window says, and why."""

    signal: Signal
    message: str


NOTHING_ON_TRIAL: Final = Outcome(Signal.UNKNOWN, "nothing is on trial")


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the first that alarms, else the first that is not known: what nobody knows is not in order."""
    return max(outcomes, key=lambda outcome: (outcome.signal.alarms, outcome.signal is Signal.UNKNOWN))


@dataclass(frozen=True)
class Alarm:
    """What the last windows say together. `recent` are the outcomes of those that had enough rows, newest last."""

    signal: Signal = Signal.UNKNOWN
    message: str = ""
    recent: tuple[Signal, ...] = ()
    severe_since: float | None = None
    """When three of the last four windows became severe; None while they are not."""

    def after(self, outcome: Outcome, at: float) -> "Alarm":
        """Return the alarm after one more window, which ended at this time (seconds)."""
        if outcome.signal is Signal.UNKNOWN:
            return self if self.signal.alarms else replace(self, signal=Signal.UNKNOWN, message=outcome.message)
        recent = (*self.recent, outcome.signal)[-_REMEMBERED:]
        sustained = recent.count(Signal.SEVERE) >= _STALE_NEEDED
        since = (at if self.severe_since is None else self.severe_since) if sustained else None
        signal = self._signal(outcome.signal, recent[-_LOOK_BACK:])
        return Alarm(signal, self._message(outcome, signal), recent, since)

    def raised_by(self, outcome: Outcome) -> bool:
        """Whether this alarm, which the outcome was the last to join, is on because of it: a lone one below severe raises none."""
        return self.signal.alarms and outcome.signal.alarms

    def _signal(self, latest: Signal, last: tuple[Signal, ...]) -> Signal:
        if latest is Signal.SEVERE:
            return Signal.SEVERE
        if sum(signal.alarms for signal in last) >= _NEEDED:
            return Signal.SEVERE if Signal.SEVERE in last else Signal.DRIFT
        if self.signal.alarms:
            return Signal.CLEAN if len(last) == _LOOK_BACK and not any(signal.alarms for signal in last) else self.signal
        return Signal.CLEAN if latest is Signal.CLEAN else self.signal

    def _message(self, outcome: Outcome, signal: Signal) -> str:
        """An alarm keeps the words of the last window that alarmed; a lone window below the alarm is not hidden."""
        if signal.alarms:
            return outcome.message if outcome.signal.alarms else self.message
        return f"one window alone: {outcome.message}" if outcome.signal.alarms else outcome.message
