"""Refusing a revision: its weight goes to 0 in one write, and its id is remembered with reason and numbers.

Nothing else is needed to keep it away: a candidate is wanted only if its id is not refused (rollout.md rule 3), and only versions with
a role can have weight.
"""

from typing import Final

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Pinned, RefusalEvidence, Rejected, Stable
from headgate_operator.rollout.drain import drain
from headgate_operator.rollout.turn import Turn, clip

_MAX_REJECTED: Final = 20


def refuse_candidate(turn: Turn, reason: Reason, message: str, *, evidence: RefusalEvidence | None = None) -> Turn:
    """Withdraw the candidate for good."""
    candidate = turn.candidate
    turn = drain(turn, candidate).with_status(candidate=None, analysis=None)
    turn = _remember(turn, candidate, reason, message, evidence)
    return turn.note(reason, f"{candidate.id} ({candidate.version}) was refused: {message}", revision=candidate.id, warning=True)


def refuse_promoted(turn: Turn, reason: Reason, message: str, *, evidence: RefusalEvidence | None = None) -> Turn:
    """During the watch: refuse the promoted version and go back to the previous one."""
    promoted = turn.status.stable
    assert promoted is not None
    turn = _remember(return_to_previous(turn), promoted, reason, message, evidence)
    restored = turn.status.stable
    assert restored is not None
    text = f"{promoted.id} ({promoted.version}) was refused during the watch: {message}; {restored.id} serves again"
    return turn.note(Reason.ROLLED_BACK, text, revision=promoted.id, warning=True)


def refuse_left(turn: Turn, left: Stable) -> Turn:
    """After a `rollback@`: refuse the version that was left, or the manifest would bring it back."""
    message = "a person rolled it back"
    turn = _remember(turn, left, Reason.ROLLED_BACK, message)
    return turn.note(Reason.ROLLED_BACK, f"{left.id} ({left.version}) was refused: {message}", revision=left.id, warning=True)


def return_to_previous(turn: Turn) -> Turn:
    """During the watch: the previous version becomes stable again, with all traffic, and the promoted one drains.

    The promoted one also leaves the history: should anybody ask for it again, it is not known to be good.
    """
    promoted, previous = turn.status.stable, turn.status.previous
    assert promoted is not None
    assert previous is not None
    stable = Stable(
        id=previous.id, model_uri=previous.model_uri, version=previous.version, isvc=previous.isvc, slot=previous.slot,
        since=turn.now, frozen_min=previous.frozen_min,
    )  # fmt: skip
    history = [entry for entry in turn.status.history if entry.id != promoted.id]
    turn = drain(turn, promoted)
    return turn.with_status(stable=stable, previous=None, watch_until=None, analysis=None, history=history)


def _remember(turn: Turn, version: Pinned, reason: Reason, message: str, evidence: RefusalEvidence | None = None) -> Turn:
    entry = Rejected(
        id=version.id, model_uri=version.model_uri, version=version.version, reason=reason, message=clip(message), at=turn.now,
        evidence=evidence,
    )  # fmt: skip
    older = [other for other in turn.status.rejected if other.id != version.id]
    history = [other for other in turn.status.history if other.id != version.id]
    return turn.with_status(rejected=[entry, *older][:_MAX_REJECTED], history=history)
