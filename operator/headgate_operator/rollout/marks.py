"""What the registry is told: how each version fared, and which one the promoted alias names.

Level-triggered: what should be written follows from the status, what was acknowledged is on record, and the difference is written, however
often a crash repeats that. Of a registry that refuses people are told once; it is asked again, at longer and longer intervals, and nothing
waits for it. What was acknowledged is not looked at again: a person who moves the alias has the last word until the next promotion.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from headgate_operator.api.model import changed
from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import Registry
from headgate_operator.api.status import Outcome, RegistryMark, RegistryStatus
from headgate_operator.rollout.registry import registry_version
from headgate_operator.rollout.resolve import same_model
from headgate_operator.rollout.turn import Turn
from headgate_operator.rollout.upstream import RegistryAnswer, RegistryWish, RegistryWrite

STATUS_TAG: Final = "headgate.status"
REASON_TAG: Final = "headgate.reason"
MESSAGE_TAG: Final = "headgate.message"
TIME_TAG: Final = "headgate.time"

_FIRST_PAUSE: Final = timedelta(seconds=10)
_LONGEST_PAUSE: Final = timedelta(minutes=10)
_MAX_MESSAGE: Final = 512


def mark_registry(turn: Turn) -> Turn:
    """Put on record what the registry acknowledged or refused; drop what it need not be told any more."""
    wishes = list(_wishes(turn))
    for answer in turn.observed.registry_answers:
        wish = next((wish for wish in wishes if wish.write == answer.write), None)
        if wish is not None:
            turn = _heard(turn, wish, answer)
    registry = turn.status.registry
    if registry is None:
        return turn
    return turn.with_status(registry=changed(registry, marks=[mark for wish in wishes if (mark := _mark(registry, wish)) is not None]))


def registry_writes(turn: Turn) -> Iterator[RegistryWrite]:
    """Yield what is to be written now."""
    for wish in _wishes(turn):
        at = _next_attempt(turn.status.registry, wish)
        if at is None or (_open(turn.status.registry, wish) and turn.observed.now >= at):
            yield wish.write


def next_mark(turn: Turn) -> datetime | None:
    """Return when a refused write is tried again."""
    registry = turn.status.registry
    return min((at for wish in _wishes(turn) if _open(registry, wish) and (at := _next_attempt(registry, wish)) is not None), default=None)


def _wishes(turn: Turn) -> Iterator[RegistryWish]:
    """Yield what the registry should say: about the stable version first, then about the refused ones, newest first."""
    status, asked = turn.status, turn.spec.model.registry
    if status.registry is None or asked is None or not same_model(status.registry, asked):
        return
    told: set[str] = set()
    stable = status.stable
    if stable is not None and (version := registry_version(status, stable.id)) is not None:
        told.add(version)
        if asked.promoted_alias is not None:
            yield _alias(asked, version, stable.since)
        yield _tags(asked, version, Outcome.PROMOTED, Reason.PROMOTED, f"{stable.id} was promoted", stable.since)
    for entry in status.rejected:
        version = registry_version(status, entry.id)
        if version is not None and version not in told:
            told.add(version)
            yield _tags(asked, version, Outcome.REJECTED, entry.reason, entry.message, entry.at)


def _alias(registry: Registry, version: str, at: datetime) -> RegistryWish:
    write = RegistryWrite(tracking_uri=registry.tracking_uri, name=registry.name, version=version, alias=registry.promoted_alias)
    return RegistryWish(mark=RegistryMark(version=version, alias=registry.promoted_alias, at=at), write=write)


def _tags(registry: Registry, version: str, outcome: Outcome, reason: str, message: str, at: datetime) -> RegistryWish:
    # The status last: whoever reads it finds the rest in place.
    tags = ((REASON_TAG, str(reason)), (MESSAGE_TAG, message), (TIME_TAG, f"{at:%Y-%m-%dT%H:%M:%SZ}"), (STATUS_TAG, outcome.value))
    write = RegistryWrite(tracking_uri=registry.tracking_uri, name=registry.name, version=version, tags=tags)
    return RegistryWish(mark=RegistryMark(version=version, outcome=outcome, reason=str(reason), at=at), write=write)


def _mark(registry: RegistryStatus | None, wish: RegistryWish) -> RegistryMark | None:
    """Return what is on record about exactly this wish."""
    known = registry.marks if registry is not None else []
    return next((mark for mark in known if _about(mark) == _about(wish.mark)), None)


def _about(mark: RegistryMark) -> tuple[str, str | None, Outcome | None, str]:
    return mark.version, mark.alias, mark.outcome, mark.reason


def _open(registry: RegistryStatus | None, wish: RegistryWish) -> bool:
    mark = _mark(registry, wish)
    return mark is None or mark.failures > 0


def _next_attempt(registry: RegistryStatus | None, wish: RegistryWish) -> datetime | None:
    """Return when the pause after the last attempt is over; None if there was none."""
    mark = _mark(registry, wish)
    if mark is None:
        return None
    return mark.at + min(_FIRST_PAUSE * 2.0 ** min(mark.failures - 1, 20), _LONGEST_PAUSE)


def _heard(turn: Turn, wish: RegistryWish, answer: RegistryAnswer) -> Turn:
    registry = turn.status.registry
    assert registry is not None
    earlier = _mark(registry, wish)
    failures = 0 if answer.error is None else (earlier.failures if earlier is not None else 0) + 1
    mark = changed(wish.mark, at=turn.now, failures=failures, message=(answer.error or "")[:_MAX_MESSAGE])
    others = [other for other in registry.marks if _about(other) != _about(mark)]
    turn = turn.with_status(registry=changed(registry, marks=[*others, mark]))
    if failures != 1:
        return turn
    what = f"the alias {mark.alias} on" if mark.alias is not None else "the tags of"
    message = f"{what} version {mark.version} of {answer.write.name} could not be set, and is tried again: {answer.error}"
    return turn.note(Reason.REGISTRY_WRITE_FAILED, message, warning=True)
