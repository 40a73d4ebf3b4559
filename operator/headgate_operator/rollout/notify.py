"""Hooks that are only told: every change of phase, in order, each hook at its own pace.

Status has a short log of changes and how far each hook was told. A hook that cannot be reached loses the oldest changes once the log is
full; nothing else follows from that.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import Hook, HookType
from headgate_operator.api.status import ConditionType, HookResult, HookStatus, ModelDeploymentStatus, Notice, Phase, Pinned
from headgate_operator.rollout.hooks import after, ask_again_at, definition
from headgate_operator.rollout.observed import HookAnswer, HookCall
from headgate_operator.rollout.turn import Turn

_MAX_NOTICES: Final = 10
_MAX_MESSAGE: Final = 512


def log_phase(turn: Turn) -> Turn:
    """Put what hooks answered on record, and log the phase if it, or the revision that it is about, is not what it was."""
    hooks = _hooks(turn)
    if not hooks:
        return turn.with_status(notices=[], notified=[])
    turn = turn.with_status(notified=[_known(turn, hook) for hook in hooks])
    for answer in turn.observed.hooks:
        turn = _told(turn, answer)
    before, now = _last(turn), (turn.status.phase, _speaks_of(turn.status))
    if before == now:
        return turn
    return turn.with_status(notices=[*turn.status.notices, _notice(turn)][-_MAX_NOTICES:])


def notify_calls(turn: Turn) -> Iterator[HookCall]:
    """Yield what each hook is to be told now: the oldest change that it does not know."""
    for hook, record in zip(_hooks(turn), turn.status.notified, strict=True):
        notice = _next(turn, record)
        if notice is not None and turn.observed.now >= ask_again_at(_attempt(record)):
            yield HookCall(name=hook.name, type=hook.type, definition=definition(hook), revision=notice.revision, notice=notice)


def next_telling(turn: Turn) -> datetime | None:
    """Return when a hook that could not be told is tried again."""
    return min((ask_again_at(_attempt(record)) for record in turn.status.notified if _next(turn, record) is not None), default=None)


def _told(turn: Turn, answer: HookAnswer) -> Turn:
    hook = next((hook for hook in _hooks(turn) if hook.name == answer.call.name), None)
    notice = answer.call.notice
    if hook is None or notice is None:
        return turn
    record = _known(turn, hook)
    if notice.number <= (record.number or 0):
        return turn
    record = after(_attempt(record), hook, answer, turn.now)
    if record.result is not HookResult.PENDING:
        record = record.model_copy(update={"number": notice.number})
    turn = turn.with_status(notified=[record if other.name == hook.name else other for other in turn.status.notified])
    if record.result is HookResult.FAILED:
        return turn.note(Reason.NOTIFY_FAILED, f"the hook {hook.name} could not be told: {record.message}", warning=True)
    return turn


def _attempt(record: HookStatus) -> HookStatus:
    """Return the record from which the present change is told: what came of the one before does not count."""
    return record if record.result is HookResult.PENDING else record.model_copy(update={"attempts": 0, "result": HookResult.PENDING})


def _known(turn: Turn, hook: Hook) -> HookStatus:
    """Return a hook's record. A new hook is told from now on; a changed one goes on where it was."""
    known = next((record for record in turn.status.notified if record.name == hook.name), None)
    if known is None:
        newest = turn.status.notices[-1].number if turn.status.notices else 0
        return HookStatus(name=hook.name, type=hook.type, definition=definition(hook), at=turn.now, number=newest)
    return known.model_copy(update={"definition": definition(hook)})


def _next(turn: Turn, record: HookStatus) -> Notice | None:
    return next((notice for notice in turn.status.notices if notice.number > (record.number or 0)), None)


def _last(turn: Turn) -> tuple[Phase, str]:
    notices, before = turn.status.notices, turn.observed.status
    return (notices[-1].phase, notices[-1].revision) if notices else (before.phase, _speaks_of(before))


def _notice(turn: Turn) -> Notice:
    status = turn.status
    subject = _subject(status)
    told = (ConditionType.STALLED, ConditionType.RECONCILING, ConditionType.READY)
    cause = next(condition for kind in told for condition in status.conditions if condition.type is kind)
    return Notice(
        number=status.notices[-1].number + 1 if status.notices else max((record.number or 0 for record in status.notified), default=0) + 1,
        phase=status.phase, revision=_speaks_of(status), version=subject.version if subject else "",
        reason=cause.reason, message=cause.message[:_MAX_MESSAGE], at=turn.now,
    )  # fmt: skip


def _speaks_of(status: ModelDeploymentStatus) -> str:
    subject = _subject(status)
    return subject.id if subject is not None else ""


def _subject(status: ModelDeploymentStatus) -> Pinned | None:
    return status.candidate or status.stable


def _hooks(turn: Turn) -> list[Hook]:
    return [hook for hook in turn.spec.rollout.hooks if hook.type is HookType.NOTIFY]
