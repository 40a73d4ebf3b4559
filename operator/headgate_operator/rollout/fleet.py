"""What the rest of the fleet, and the calendar, mean for this rollout. They hold back what is new, never a way back."""

from headgate_operator.api.reasons import Reason
from headgate_operator.rollout.turn import Turn, Wait


def frozen(turn: Turn) -> Wait | None:
    """Wait for the end of a freeze window, if one is in effect."""
    until = turn.observed.fleet.freeze_until
    if until is None:
        return None
    return Wait(reason=Reason.FREEZE_WINDOW, message=f"a freeze window is in effect until {until:%Y-%m-%d %H:%M} UTC")


def must_wait_to_start(turn: Turn) -> Wait | None:
    """Say why the wanted revision may not start yet. A first revision harms nobody, and one from the history is a way back."""
    if turn.status.stable is None or any(entry.id == turn.wanted.id for entry in turn.status.history):
        return None
    return frozen(turn) or _crowded(turn)


def _crowded(turn: Turn) -> Wait | None:
    fleet = turn.observed.fleet
    if fleet.limit is None or fleet.others_under_way < fleet.limit:
        return None
    message = (
        f"{fleet.others_under_way} rollouts are under way and the operator carries out {fleet.limit} at a time; {turn.wanted.id} waits"
    )
    return Wait(reason=Reason.FLEET_LIMIT, message=message)
