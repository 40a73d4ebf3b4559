"""One word for people. Derived last; nothing ever branches on it."""

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import ConditionType, Phase
from headgate_operator.rollout.advance import QUIET_HOLDS
from headgate_operator.rollout.pauses import PAUSES
from headgate_operator.rollout.turn import Turn
from headgate_operator.rollout.weights import carries


def set_phase(turn: Turn) -> Turn:
    """Write the phase and what else the status says of the pass itself."""
    return turn.with_status(phase=_phase(turn), url=turn.observed.url, observed_generation=turn.observed.subject.generation)


def _phase(turn: Turn) -> Phase:
    status = turn.status
    stall = next((condition for condition in status.conditions if condition.type is ConditionType.STALLED), None)
    if stall is not None and status.candidate is None and status.previous is not None:
        return Phase.WATCHING
    if stall is not None:
        return Phase.ROLLED_BACK if stall.reason == Reason.CANDIDATE_REJECTED else Phase.STALLED
    if status.stable is None:
        return Phase.PENDING
    if status.candidate is not None:
        return _phase_of_candidate(turn)
    if status.previous is not None:
        return Phase.WATCHING if carries(turn.observed.route, status) else Phase.PROMOTING
    if turn.requested:
        return Phase.PAUSED if _paused(turn) else Phase.PROGRESSING
    if not turn.serving(status.stable.isvc):
        return Phase.PENDING
    return Phase.HEALTHY if carries(turn.observed.route, status) else Phase.PROGRESSING


def _phase_of_candidate(turn: Turn) -> Phase:
    if turn.candidate.suspended_since is not None:
        return Phase.SUSPENDED
    if _paused(turn):
        return Phase.PAUSED
    held = turn.wait is not None and turn.wait.hold and turn.wait.reason not in QUIET_HOLDS
    return Phase.HOLDING if held or turn.candidate.unready else Phase.PROGRESSING


def _paused(turn: Turn) -> bool:
    return turn.wait is not None and turn.wait.reason in PAUSES
