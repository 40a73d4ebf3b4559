"""One condition: written anew in every pass, with the transition time of the one before it."""

from typing import Final

from headgate_operator.api.model import changed
from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Condition, ConditionStatus, ConditionType
from headgate_operator.rollout.turn import Turn, clip

_WORDY: Final = frozenset({Reason.PROVIDER_ERROR, Reason.MONITOR_UNAVAILABLE, Reason.REGISTRY_UNAVAILABLE})


def before(turn: Turn, kind: ConditionType) -> Condition | None:
    """Return the condition of that type as it was when this pass began."""
    return next((known for known in turn.observed.status.conditions if known.type is kind), None)


def condition(turn: Turn, kind: ConditionType, status: ConditionStatus, reason: str, message: str) -> Condition:
    """Write a condition; its transition time is kept while the status word stays."""
    earlier, generation = before(turn, kind), turn.observed.subject.generation
    if earlier is not None and _same_trouble(turn, earlier, reason, message):
        message = earlier.message
    if earlier is not None and earlier.status is status:
        return changed(earlier, reason=str(reason), message=clip(message), observed_generation=generation)
    return Condition(
        type=kind, status=status, reason=str(reason), message=clip(message), observed_generation=generation, last_transition_time=turn.now
    )


def _same_trouble(turn: Turn, earlier: Condition, reason: str, message: str) -> bool:
    """Whether something out there is still out of reach. It says why in other words each time, and other words alone are not written."""
    if earlier.reason != reason:
        return False
    if reason == Reason.HOLD_TIMEOUT and turn.wait is not None and turn.wait.reason in _WORDY:
        return earlier.message.partition(": ")[0] == message.partition(": ")[0]
    return reason in _WORDY
