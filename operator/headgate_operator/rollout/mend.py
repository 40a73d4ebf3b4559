"""A status in which parts are unreadable or contradict each other: what is left of it must not move traffic by guesswork.

Only the stable version is ever trusted with traffic here: the one on record, or else (restore.py) the one the route names. A candidate or a
watch of which anything is missing is given up, drained, and starts over with fresh evidence.
"""

from typing import Final

from headgate_operator.api.reasons import Reason
from headgate_operator.rollout.analysis import readable
from headgate_operator.rollout.drain import drain
from headgate_operator.rollout.restore import drain_other_slot, with_refused
from headgate_operator.rollout.turn import Turn

ROLES: Final = frozenset({"status", "stable", "candidate", "previous", "watchUntil", "draining"})
"""Fields of the status without which nobody can tell who may have traffic."""


def mend(turn: Turn) -> Turn:
    """Rebuild what can be rebuilt, drop what cannot, and say so."""
    route = turn.observed.route
    unreadable = turn.observed.damaged
    if unreadable & {"rejected", "status"} and route is not None and route.ours:
        turn = with_refused(turn, route)
    damaged = set(unreadable)
    if turn.status.analysis is not None and not readable(turn.spec.analysis, turn.status.analysis):
        damaged.add("analysis")
    if not damaged:
        return turn
    if damaged & ROLES:
        turn = _only_stable(turn, known="stable" not in damaged)
    if "analysis" in damaged:
        turn = turn.with_status(analysis=None)
    message = f"{', '.join(sorted(damaged))} of the stored status could not be used and was rebuilt or dropped"
    return turn.note(Reason.STATUS_REPAIRED, message, warning=True)


def _only_stable(turn: Turn, *, known: bool) -> Turn:
    """Give up every role but stable; without a known stable version all of them, and the route says who it was."""
    status, route = turn.status, turn.observed.route
    for version in (status.candidate, status.previous):
        if version is not None:
            turn = drain(turn, version)
    turn = turn.with_status(candidate=None, previous=None, watch_until=None, analysis=None)
    if not known:
        return turn.with_status(stable=None)
    if status.stable is None or route is None or not route.ours:
        return turn
    return drain_other_slot(turn, route, status.stable.slot or 0)
