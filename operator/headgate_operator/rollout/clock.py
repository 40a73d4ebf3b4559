"""A status written by a clock that was ahead: its times lie in the future, and what counts from them would wait until they have come.

A step would then last for hours without being on hold, so nobody would be told. Such times become the present, once. Records of when
something happened (`started_at`, `since`) stay as they were written.
"""

from datetime import datetime, timedelta
from typing import Final

from headgate_operator.api.model import changed
from headgate_operator.rollout.turn import Turn

_TOLERATED: Final = timedelta(minutes=1)
"""Clocks of two nodes may differ this much: then what is begun lasts a little longer, and nothing needs to be rewritten."""

_COUNTED_FROM: Final = ("step_started_at", "hold_since", "reason_since")


def correct_times(turn: Turn) -> Turn:
    """Let nothing that counts down have begun in the future. A watch is over in time also if the manifest was given a shorter one."""
    status, now = turn.status, turn.now
    if status.candidate is not None:
        turn = turn.with_candidate(**{name: _at_most(getattr(status.candidate, name), now) for name in _COUNTED_FROM})
    if status.watch_until is not None:
        turn = turn.with_status(watch_until=_at_most(status.watch_until, now + turn.spec.rollout.watch.duration))
    if status.draining:
        leavers = [changed(one, left_route_at=_at_most(one.left_route_at, now)) for one in status.draining]
        turn = turn.with_status(draining=leavers)
    return turn


def _at_most(at: datetime | None, latest: datetime) -> datetime | None:
    return latest if at is not None and at - latest > _TOLERATED else at
