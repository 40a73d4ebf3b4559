"""Promotion: the candidate becomes stable by name. No pod restarts, and during the watch the way back stays open."""

from itertools import accumulate
from typing import Final

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import HistoryEntry, Previous, Stable
from headgate_operator.rollout.drain import drain
from headgate_operator.rollout.refuse import refuse_left
from headgate_operator.rollout.turn import Turn
from headgate_operator.rollout.weights import carries, free_slot

_MAX_HISTORY_BYTES: Final = 100_000


def promote_first(turn: Turn) -> Turn:
    """Let the first revision serve everything."""
    candidate = turn.candidate
    turn = _make_stable(turn, slot=0, frozen_min=None)
    message = f"{candidate.id} ({candidate.version}) is ready and serves all traffic"
    return turn.note(Reason.FIRST_PROMOTED, message, revision=candidate.id)


def promote(turn: Turn) -> Turn:
    """Make the candidate stable. The old version keeps the holdback during the watch, or drains if there is none."""
    candidate, old = turn.candidate, turn.status.stable
    assert old is not None
    slot = candidate.slot if candidate.slot is not None else free_slot(turn.status)
    assert slot is not None
    turn = _make_stable(turn, slot=slot, frozen_min=old.frozen_min)
    watch = turn.spec.rollout.watch
    if candidate.known_good or not watch.duration:
        # Whoever returns to a known version wants the present one gone: it gets no holdback.
        turn = drain(turn, old).with_status(analysis=None)
    else:
        turn = turn.with_status(
            previous=Previous(
                id=old.id, model_uri=old.model_uri, version=old.version, isvc=old.isvc, slot=old.slot,
                since=turn.now, weight=watch.holdback, frozen_min=old.frozen_min,
            )
        )  # fmt: skip
    turn = turn.note(Reason.PROMOTED, f"{candidate.id} ({candidate.version}) replaces {old.id} as stable", revision=candidate.id)
    if candidate.return_from == old.id:
        return refuse_left(turn, old)
    return turn


def watch_over(turn: Turn) -> Turn:
    """Start the watch when the route carries it, and end it when its time is up."""
    status = turn.status
    if status.previous is None or status.stable is None:
        return turn
    if status.watch_until is None:
        if not carries(turn.observed.route, status):
            return turn
        turn = turn.with_status(watch_until=turn.now + turn.spec.rollout.watch.duration)
        return turn.note(Reason.WATCHING, f"{status.stable.id} is compared with {status.previous.id}", revision=status.stable.id)
    if turn.now < status.watch_until or turn.spec.paused:
        return turn
    turn = drain(turn, status.previous).with_status(previous=None, watch_until=None, analysis=None)
    return turn.note(Reason.WATCH_ENDED, f"{status.stable.id} stays; {status.previous.id} is drained", revision=status.stable.id)


def _make_stable(turn: Turn, *, slot: int, frozen_min: int | None) -> Turn:
    candidate = turn.candidate
    stable = Stable(
        id=candidate.id, model_uri=candidate.model_uri, version=candidate.version, isvc=candidate.isvc,
        slot=slot, since=turn.now, frozen_min=frozen_min,
    )  # fmt: skip
    entry = HistoryEntry(
        id=candidate.id, model_uri=candidate.model_uri, version=candidate.version, isvc=candidate.isvc,
        promoted_at=turn.now, inputs=candidate.inputs, rendered=candidate.rendered,
    )  # fmt: skip
    older = [other for other in turn.status.history if other.id != candidate.id]
    return turn.with_status(stable=stable, candidate=None, history=_kept([entry, *older], turn.spec.rollout.history_limit))


def _kept(history: list[HistoryEntry], limit: int) -> list[HistoryEntry]:
    """Return the newest entries, as many as are wanted and fit: an API server takes no object of any size.

    The first two stay in any case: the version that is replaced must be known, for its rendering puts it back if somebody deletes it.
    """
    sizes = accumulate(len(entry.model_dump_json(by_alias=True)) for entry in history)
    fitting = sum(size <= _MAX_HISTORY_BYTES for size in sizes)
    return history[: max(min(limit, fitting), 2)]
