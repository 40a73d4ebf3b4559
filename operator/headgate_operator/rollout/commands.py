"""Commands: one annotation, `<verb>@<id>`. Each names the revision it speaks of, so that a stale one does nothing.

The annotation is removed after the status is written. A crash in between shows it again, and by then the same words could mean a second
promotion; so status remembers that it is being removed until a pass has seen it gone, and till then it is only removed.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import CommandStatus, Waiver
from headgate_operator.rollout.hooks import ask_again, failed_hook
from headgate_operator.rollout.refuse import refuse_candidate, refuse_promoted
from headgate_operator.rollout.start import earlier_revision, start_return
from headgate_operator.rollout.strategy import is_shadow
from headgate_operator.rollout.turn import Turn, clip, rejected_ids

Command = Callable[[Turn, str], Turn | str]
"""What a verb does to a revision: the turn after it, or why it does nothing."""

_ABORTED: Final = "a person aborted it"
_ROLLED_BACK: Final = "a person rolled it back"
_NOT_CANDIDATE: Final = "it is not the candidate"


def obey_command(turn: Turn) -> Turn:
    """Carry out the command annotation, if there is one, and acknowledge it."""
    command = turn.observed.subject.command
    last = turn.status.last_command
    if command is None:
        return turn if last is None or not last.removing else turn.with_status(last_command=last.model_copy(update={"removing": False}))
    turn = replace(turn, command_done=True)
    if last is not None and last.removing and last.command == clip(command):
        return turn
    if "lastCommand" in turn.observed.damaged or "status" in turn.observed.damaged:
        return _acknowledge(turn, "whether it was carried out before cannot be read in the status; give it again", revision=None)
    verb, _, revision = command.partition("@")
    obey = _VERBS.get(verb)
    if obey is None:
        known = ", ".join(f"{name}@<id>" for name in _VERBS)
        return _acknowledge(turn, f"there is no such command; understood are {known}", revision=None)
    outcome = obey(turn, revision)
    return _acknowledge(turn, outcome, revision=revision) if isinstance(outcome, str) else _acknowledge(outcome, None, revision=revision)


def _acknowledge(turn: Turn, ignored: str | None, *, revision: str | None) -> Turn:
    subject = turn.observed.subject
    command = clip(subject.command or "")
    result = "Applied" if ignored is None else clip(f"Ignored: {ignored}")
    turn = turn.with_status(last_command=CommandStatus(command=command, at=turn.now, by=subject.command_by, result=result, removing=True))
    if ignored is not None:
        return turn.note(Reason.COMMAND_IGNORED, f"{command} was ignored: {ignored}", warning=True)
    return turn.note(Reason.COMMAND_APPLIED, f"{command} was carried out", revision=revision)


def _promote(turn: Turn, revision: str) -> Turn | str:
    """Pass the pause step at which the candidate waits, or end what else it waits for at its present step."""
    if (refusal := _not_promotable(turn, revision)) is not None:
        return refusal
    candidate = turn.candidate
    if (hook := failed_hook(turn)) is not None:
        return f"the hook {hook} must answer 2xx, which no command replaces; retry@{revision} asks it again"
    if candidate.at_pause:
        return turn.with_candidate(pause_passed=True, at_pause=False)
    if candidate.unready or candidate.suspended_since is not None:
        return "it has no traffic until it is ready again, which no command can replace"
    if not candidate.gets_requests:
        return "it has no traffic yet, so there is no step to end; promote-full@ goes straight to promotion"
    return turn.with_candidate(waived=Waiver.HOLDS, pause_passed=candidate.pause_passed or is_shadow(turn.spec))


def _promote_full(turn: Turn, revision: str) -> Turn | str:
    """Go straight to promotion, whatever steps are left."""
    if (refusal := _not_promotable(turn, revision)) is not None:
        return refusal
    if turn.candidate.suspended_since is not None:
        return "it was suspended because every request failed"
    return turn.with_candidate(promote_now=True)


def _not_promotable(turn: Turn, revision: str) -> str | None:
    candidate = turn.status.candidate
    if candidate is None or candidate.id != revision:
        return _NOT_CANDIDATE
    if turn.status.stable is None or candidate.known_good:
        return "it takes over by itself as soon as it is ready"
    if candidate.paused:
        return f"it is paused; resume@{revision} first"
    if turn.spec.paused:
        return "the manifest says paused: true; remove that first"
    return None


def _pause(turn: Turn, revision: str) -> Turn | str:
    """Freeze the candidate's weight."""
    if turn.status.candidate is None or turn.candidate.id != revision:
        return _NOT_CANDIDATE
    return "it is paused already" if turn.candidate.paused else turn.with_candidate(paused=True)


def _resume(turn: Turn, revision: str) -> Turn | str:
    """End a `pause@`."""
    if turn.status.candidate is None or turn.candidate.id != revision:
        return _NOT_CANDIDATE
    return turn.with_candidate(paused=False) if turn.candidate.paused else "it was not paused by a command"


def _abort(turn: Turn, revision: str) -> Turn | str:
    """Refuse the candidate, or the promoted revision under watch."""
    if turn.status.candidate is not None and turn.candidate.id == revision:
        return refuse_candidate(turn, Reason.ABORTED, _ABORTED)
    if turn.status.previous is None or not _is_stable(turn, revision):
        return "it is neither the candidate nor a promoted revision under watch"
    return _leave_promoted(turn, Reason.ABORTED, _ABORTED)


def _rollback(turn: Turn, revision: str) -> Turn | str:
    """Go back from the stable revision to the one before it: at once during the watch, else by fast track."""
    if not _is_stable(turn, revision):
        return "it is not the stable revision; to refuse a candidate, abort@ it"
    if turn.status.previous is not None:
        return _leave_promoted(turn, Reason.ROLLED_BACK, _ROLLED_BACK)
    earlier = earlier_revision(turn)
    if earlier is None:
        return "no earlier revision is known to go back to"
    if turn.status.candidate is not None and turn.candidate.return_from == revision:
        return f"{turn.candidate.id} is about to take over already"
    return start_return(turn, earlier)


def _retry(turn: Turn, revision: str) -> Turn | str:
    """Take back a refusal, or ask the failed hooks of the candidate again."""
    if turn.status.candidate is not None and turn.candidate.id == revision:
        return ask_again(turn) if failed_hook(turn) is not None else "it is the candidate, and none of its hooks has failed"
    if revision not in rejected_ids(turn.status):
        return "it is not among the refused revisions"
    return turn.with_status(rejected=[entry for entry in turn.status.rejected if entry.id != revision])


def _is_stable(turn: Turn, revision: str) -> bool:
    return turn.status.stable is not None and turn.status.stable.id == revision


def _leave_promoted(turn: Turn, reason: Reason, message: str) -> Turn | str:
    previous = turn.status.previous
    assert previous is not None
    if not turn.serving(previous.isvc):
        return f"the previous version {previous.id} has no available replica to go back to"
    return refuse_promoted(turn, reason, message)


_VERBS: Final[Mapping[str, Command]] = {
    "promote": _promote,
    "promote-full": _promote_full,
    "pause": _pause,
    "resume": _resume,
    "abort": _abort,
    "rollback": _rollback,
    "retry": _retry,
}
