"""Commands: `abort@<id>` and `retry@<id>`. Each names the revision it speaks of, so that a stale one does nothing.

The annotation is removed after the status is written. A crash in between shows the command again: what would then be ignored although
status already acknowledges it was carried out before, and is only removed.
"""

from dataclasses import replace

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import CommandStatus
from headgate_operator.rollout.refuse import refuse_candidate, refuse_promoted
from headgate_operator.rollout.turn import Turn, clip, rejected_ids

_ABORTED = "a person aborted it"


def obey_command(turn: Turn) -> Turn:
    """Carry out the command annotation, if there is one, and acknowledge it."""
    command = turn.observed.subject.command
    if command is None:
        return turn
    turn = replace(turn, command_done=True)
    verb, _, revision = command.partition("@")
    if verb == "abort":
        return _abort(turn, command, revision)
    if verb == "retry":
        return _retry(turn, command, revision)
    return _ignore(turn, command, "there is no such command: abort@<id> and retry@<id> are understood")


def _abort(turn: Turn, command: str, revision: str) -> Turn:
    status = turn.status
    if status.candidate is not None and status.candidate.id == revision:
        return _acknowledge(refuse_candidate(turn, Reason.ABORTED, _ABORTED), command, revision)
    if status.previous is None or status.stable is None or status.stable.id != revision:
        return _ignore(turn, command, "it is neither the candidate nor a promoted revision under watch")
    if not turn.serving(status.previous.isvc):
        return _ignore(turn, command, f"the previous version {status.previous.id} has no available replica to go back to")
    return _acknowledge(refuse_promoted(turn, Reason.ABORTED, _ABORTED), command, revision)


def _retry(turn: Turn, command: str, revision: str) -> Turn:
    if revision not in rejected_ids(turn.status):
        return _ignore(turn, command, "it is not among the refused revisions")
    turn = turn.with_status(rejected=[entry for entry in turn.status.rejected if entry.id != revision])
    return _acknowledge(turn, command, revision)


def _acknowledge(turn: Turn, command: str, revision: str) -> Turn:
    turn = turn.with_status(last_command=CommandStatus(command=command, at=turn.now, result="Applied"))
    return turn.note(Reason.COMMAND_APPLIED, f"{command} was carried out", revision=revision)


def _ignore(turn: Turn, command: str, why: str) -> Turn:
    last = turn.status.last_command
    if last is not None and last.command == clip(command):
        return turn
    result = clip(f"Ignored: {why}")
    turn = turn.with_status(last_command=CommandStatus(command=clip(command), at=turn.now, result=result))
    return turn.note(Reason.COMMAND_IGNORED, f"{clip(command)} was ignored: {why}", warning=True)
