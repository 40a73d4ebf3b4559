"""Hooks that must agree: pre-rollout before a version's first request, pre-promotion before it takes over.

They are asked one after the other, in the order of the manifest, and each until it answers 2xx or its retries are used up. Then the rollout
holds: a gate that is asked until it happens to say yes is none. `retry@` asks again, and so does a changed hook in the manifest.

What is on record as passed is never asked again. The record is written after the answer came, so a crash between the two repeats that call.
"""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Final

from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import Hook, HookType
from headgate_operator.api.status import HookResult, HookStatus
from headgate_operator.rollout.observed import HookAnswer, HookCall
from headgate_operator.rollout.turn import Turn, Wait

_FIRST_PAUSE: Final = timedelta(seconds=2)
_LONGEST_PAUSE: Final = timedelta(minutes=2)
_MAX_MESSAGE: Final = 512
_MAX_RECORDS: Final = 20


def hook_wait(turn: Turn, kind: HookType) -> Wait | None:
    """Say which hook of that type does not agree yet, and that it is to be asked if it is time for that; None if all agreed."""
    for hook in _gates(turn, kind):
        record = _record(turn, hook)
        if record is None:
            message = f"the hook {hook.name} is asked whether {turn.candidate.id} may go on"
            return Wait(reason=Reason.WAITING_FOR_HOOK, message=message, hold=True, asks=_call(turn, hook))
        if record.result is HookResult.FAILED:
            why = f"the hook {hook.name} did not agree in {record.attempts} attempts: {record.message}"
            message = f"{why}; retry@{turn.candidate.id} asks it again"
            return Wait(reason=Reason.HOOK_FAILED, message=message, hold=True)
        if record.result is HookResult.PENDING:
            message = f"the hook {hook.name} was asked {record.attempts} of {hook.retries + 1} times: {record.message}"
            due = _call(turn, hook) if turn.observed.now >= ask_again_at(record) else None
            return Wait(reason=Reason.WAITING_FOR_HOOK, message=message, hold=True, asks=due)
    return None


def hear_hooks(turn: Turn) -> Turn:
    """Put answers on record. One about another revision, or from a hook that is another one by now, says nothing."""
    for answer in turn.observed.hooks:
        candidate = turn.status.candidate
        if candidate is None or candidate.id != answer.call.revision:
            continue
        hook = next((hook for hook in _gates(turn, answer.call.type) if _call(turn, hook) == answer.call), None)
        if hook is not None:
            turn = _heard(turn, hook, answer)
    return turn


def failed_hook(turn: Turn) -> str | None:
    """Return the name of a hook of the manifest that did not agree to the candidate."""
    hooks = (*_gates(turn, HookType.PRE_ROLLOUT), *_gates(turn, HookType.PRE_PROMOTION))
    records = {hook.name: _record(turn, hook) for hook in hooks}
    return next((name for name, record in records.items() if record is not None and record.result is HookResult.FAILED), None)


def ask_again(turn: Turn) -> Turn:
    """Forget the failures, so that those hooks are asked from the start."""
    return turn.with_candidate(hooks=[record for record in turn.candidate.hooks if record.result is not HookResult.FAILED])


def next_ask(turn: Turn) -> datetime | None:
    """Return when the hook that is waited for is asked again."""
    if turn.wait is None or turn.wait.reason is not Reason.WAITING_FOR_HOOK or turn.status.candidate is None:
        return None
    pending = [record for record in turn.candidate.hooks if record.result is HookResult.PENDING]
    return min((ask_again_at(record) for record in pending), default=None)


def definition(hook: Hook) -> str:
    """Return what makes a hook another one: where it is asked, and what."""
    text = json.dumps([hook.url, hook.metadata], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def after(record: HookStatus, hook: Hook, answer: HookAnswer, now: datetime) -> HookStatus:
    """Return a hook's record after one more answer."""
    attempts = record.attempts + 1
    failed = HookResult.FAILED if attempts > hook.retries else HookResult.PENDING
    return record.model_copy(
        update={
            "attempts": attempts,
            "at": now,
            "result": HookResult.PASSED if answer.passed else failed,
            "message": answer.message[:_MAX_MESSAGE],
        }
    )


def ask_again_at(record: HookStatus) -> datetime:
    """Return when a hook that did not agree is asked next: pauses of 2, 4, 8 … seconds, at most two minutes."""
    if record.attempts == 0:
        return record.at
    return record.at + min(_FIRST_PAUSE * 2.0 ** (record.attempts - 1), _LONGEST_PAUSE)


def _heard(turn: Turn, hook: Hook, answer: HookAnswer) -> Turn:
    fresh = HookStatus(name=hook.name, type=hook.type, definition=definition(hook), at=turn.now)
    record = _record(turn, hook) or fresh
    if record.result is not HookResult.PENDING:
        return turn
    record = after(record, hook, answer, turn.now)
    others = [other for other in turn.candidate.hooks if other.name != hook.name]
    turn = turn.with_candidate(hooks=[*others, record][-_MAX_RECORDS:])
    if record.result is HookResult.PASSED:
        return turn.note(Reason.HOOK_PASSED, f"the hook {hook.name} agreed to {turn.candidate.id}", revision=turn.candidate.id)
    return turn


def _gates(turn: Turn, kind: HookType) -> list[Hook]:
    return [hook for hook in turn.spec.rollout.hooks if hook.type is kind and kind is not HookType.NOTIFY]


def _record(turn: Turn, hook: Hook) -> HookStatus | None:
    """Return what is on record of a hook, asked this question: what it said before the first request is no leave to take over."""
    asked = (hook.name, hook.type, definition(hook))
    return next((record for record in turn.candidate.hooks if (record.name, record.type, record.definition) == asked), None)


def _call(turn: Turn, hook: Hook) -> HookCall:
    return HookCall(name=hook.name, type=hook.type, definition=definition(hook), revision=turn.candidate.id)
