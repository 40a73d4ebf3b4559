"""What the manifest declares for a rollout that gets nowhere. Undeclared, it is only reported (stall.py).

Neither rule acts while the provider cannot be read, or an outage of it would roll back a whole fleet, nor while nothing could take over.
"""

from headgate_operator.api.quantities import format_duration
from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import OnInsufficientData
from headgate_operator.api.status import Waiver
from headgate_operator.rollout.pauses import TIMELESS, UNREADABLE, running_since
from headgate_operator.rollout.refuse import refuse_candidate
from headgate_operator.rollout.turn import Turn, Wait


def enforce_deadlines(turn: Turn) -> Turn:
    """Carry out what the manifest says for a rollout that takes too long, or finds too few requests to decide."""
    status, wait = turn.status, turn.wait
    if status.candidate is None or status.stable is None or wait is None or status.candidate.known_good:
        return turn
    if turn.observed.fleet.breaker is not None:
        return turn
    if wait.reason in UNREADABLE or wait.reason in TIMELESS or not turn.serving(status.stable.isvc):
        return turn
    longest = turn.spec.rollout.max_duration
    if longest is not None and turn.now >= running_since(turn.candidate, turn.now) + longest:
        message = f"the rollout took longer than {format_duration(longest)}, {wait.reason}: {wait.message}"
        return refuse_candidate(turn, Reason.TOO_LONG, message)
    return _decide_without_data(turn, wait)


def _decide_without_data(turn: Turn, wait: Wait) -> Turn:
    candidate, rollout = turn.candidate, turn.spec.rollout
    since = candidate.reason_since
    if wait.reason is not Reason.INSUFFICIENT_DATA or since is None or turn.now < since + rollout.hold_timeout:
        return turn
    message = f"too few requests for a decision within {format_duration(rollout.hold_timeout)}: {wait.message}"
    if rollout.on_insufficient_data is OnInsufficientData.ROLLBACK:
        return refuse_candidate(turn, Reason.UNDECIDED, message)
    if rollout.on_insufficient_data is OnInsufficientData.PROMOTE:
        text = f"{candidate.id} goes on without, as the manifest says; {message}"
        return turn.with_candidate(waived=Waiver.DATA).note(Reason.DATA_WAIVED, text, revision=candidate.id, warning=True)
    return turn
