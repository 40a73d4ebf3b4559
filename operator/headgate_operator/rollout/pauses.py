"""Time that counts towards no deadline: while people, the manifest, the calendar or an outage of the metrics let a rollout wait."""

from datetime import datetime, timedelta
from typing import Final

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Candidate
from headgate_operator.rollout.turn import Turn

PAUSES: Final = frozenset({Reason.PAUSED, Reason.PAUSE_STEP, Reason.SHADOW_READY, Reason.FREEZE_WINDOW})
"""Waits that are wanted."""

TIMELESS: Final = PAUSES | {Reason.SHADOWING}
"""Waits that count towards no deadline. A shadow may look on for as long as it takes a person to decide."""

UNREADABLE: Final = frozenset({Reason.PROVIDER_ERROR, Reason.NO_DATA, Reason.BREAKER_OPEN})
"""Waits for the metric provider. A rollout has no part in its outages, and must not be refused for one when it is over."""


def count_pauses(turn: Turn) -> Turn:
    """Start the clock when the candidate begins to wait for what takes nothing of its time, and add it up when that ends."""
    candidate = turn.status.candidate
    if candidate is None:
        return turn
    pausing = turn.wait is not None and turn.wait.reason in TIMELESS | UNREADABLE
    if pausing and candidate.pause_since is None:
        return turn.with_candidate(pause_since=turn.now)
    if not pausing and candidate.pause_since is not None:
        return turn.with_candidate(paused_seconds=_paused_seconds(candidate, turn.now), pause_since=None)
    return turn


def running_since(candidate: Candidate, now: datetime) -> datetime:
    """Return when the candidate would have started, had it never waited so: deadlines count from then."""
    return candidate.started_at + timedelta(seconds=_paused_seconds(candidate, now))


def _paused_seconds(candidate: Candidate, now: datetime) -> int:
    present = now - candidate.pause_since if candidate.pause_since is not None else timedelta()
    return candidate.paused_seconds + max(0, int(present.total_seconds()))
