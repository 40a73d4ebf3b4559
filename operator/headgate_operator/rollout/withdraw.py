"""The manifest changed its mind: a candidate that is no longer wanted goes, a watch that is overtaken ends.

While it says `paused: true` only the ways back are open: whoever looks at a frozen rollout must not lose it to the next revision.
"""

from headgate_operator.api.reasons import Reason
from headgate_operator.rollout.drain import drain
from headgate_operator.rollout.refuse import return_to_previous
from headgate_operator.rollout.resolve import UNRESOLVED
from headgate_operator.rollout.turn import Turn


def withdraw_unwanted(turn: Turn) -> Turn:
    """Supersede or cancel the candidate, or end the watch, if the manifest asks for another revision."""
    status = turn.status
    if status.candidate is not None and status.candidate.return_from is not None:
        return turn  # a person's way back goes first; what the manifest asks for comes after it
    if turn.wanted.problem is not None and turn.wanted.problem[0] in UNRESOLVED:
        return turn  # nobody knows what the manifest asks for, so nobody can say that it changed its mind
    if status.candidate is not None and status.candidate.id != turn.wanted.id:
        back = status.stable is not None and turn.wanted.id == status.stable.id
        return _withdraw_candidate(turn, cancelled=back) if back or not turn.spec.paused else turn
    if status.previous is not None and turn.wanted.id == status.previous.id:
        return _return_at_once(turn)
    if status.previous is not None and turn.requested and turn.wanted.problem is None and not turn.spec.paused:
        return _supersede_watch(turn)
    return turn


def _withdraw_candidate(turn: Turn, *, cancelled: bool) -> Turn:
    candidate = turn.candidate
    turn = drain(turn, candidate).with_status(candidate=None, analysis=None)
    if cancelled:
        message = f"the manifest went back to the stable revision {turn.wanted.id}; {candidate.id} was withdrawn"
        return turn.note(Reason.CANCELLED, message, revision=candidate.id)
    return turn.note(Reason.SUPERSEDED, f"{turn.wanted.id} replaced the candidate {candidate.id}", revision=candidate.id)


def _return_at_once(turn: Turn) -> Turn:
    """A `git revert` during the watch. Not a refusal: nobody has shown the promoted version to be bad."""
    promoted, previous = turn.status.stable, turn.status.previous
    if promoted is None or previous is None or not turn.serving(previous.isvc):
        return turn
    message = f"the manifest went back to {previous.id}, which takes all traffic again; {promoted.id} was withdrawn"
    return return_to_previous(turn).note(Reason.ROLLED_BACK, message, revision=promoted.id)


def _supersede_watch(turn: Turn) -> Turn:
    previous = turn.status.previous
    assert previous is not None
    turn = drain(turn, previous).with_status(previous=None, watch_until=None, analysis=None)
    return turn.note(Reason.WATCH_SUPERSEDED, f"{turn.wanted.id} ended the watch early; {previous.id} is drained", revision=turn.wanted.id)
