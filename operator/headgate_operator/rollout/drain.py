"""Leaving: a version without weight waits for answers in flight, then gives up its slot, then is kept warm, then goes.

    weight 0 ──► reference left the accepted route ──► requestTimeout ──► slot free ──► scaleDownDelay ──► deleted ──► forgotten

A new candidate cuts the warm time short: nobody returns to a version that the next one is about to replace.
"""

from datetime import datetime

from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import ServingMode
from headgate_operator.api.status import Draining, Pinned
from headgate_operator.rollout.turn import Turn


def drain(turn: Turn, version: Pinned) -> Turn:
    """Let a version leave. The caller removes it from its role in the same turn."""
    leaver = Draining(
        id=version.id, model_uri=version.model_uri, version=version.version, isvc=version.isvc, slot=version.slot, since=turn.now
    )
    return turn.with_status(draining=[*turn.status.draining, leaver])


def finish_draining(turn: Turn) -> Turn:
    """Move every leaving version as far as it may go."""
    left = [_free_slot(turn, _leave_route(turn, version)) for version in turn.status.draining]
    gone = [version for version in left if _is_gone(turn, version)]
    for version in gone:
        turn = turn.note(Reason.SCALED_DOWN, f"{version.id} is no longer needed; {_what_became_of(turn, version)}", revision=version.id)
    return turn.with_status(draining=[version for version in left if version not in gone])


def _what_became_of(turn: Turn, version: Draining) -> str:
    knative = turn.spec.serving.mode is ServingMode.KNATIVE
    return "Knative takes its replicas" if knative else f"{version.isvc} was deleted"


def deletions(turn: Turn) -> tuple[str, ...]:
    """Return the InferenceServices to delete: versions drained long enough, and ours that nobody refers to any more."""
    due = [version.isvc for version in turn.status.draining if is_due(turn, version)]
    return tuple(name for name in (*due, *_orphans(turn)) if _deletable(turn, name))


def due_at(turn: Turn, version: Draining) -> datetime | None:
    """Return when a leaving version is to be deleted, as far as that is known."""
    if version.left_route_at is None:
        return None
    free_at = version.left_route_at + turn.spec.serving.request_timeout
    return free_at if turn.status.candidate is not None else free_at + turn.spec.rollout.scale_down_delay


def slot_free_at(turn: Turn, version: Draining) -> datetime | None:
    """Return when a leaving version's slot is free, if it still has one and its time is known."""
    if version.slot is None or version.left_route_at is None:
        return None
    return version.left_route_at + turn.spec.serving.request_timeout


def is_due(turn: Turn, version: Draining) -> bool:
    """Whether a leaving version is to be deleted now, or is being deleted."""
    due = due_at(turn, version)
    return version.slot is None and due is not None and due <= turn.now


def _leave_route(turn: Turn, version: Draining) -> Draining:
    if version.left_route_at is not None or _in_route(turn, version.isvc):
        return version
    return version.model_copy(update={"left_route_at": turn.now})


def _free_slot(turn: Turn, version: Draining) -> Draining:
    free_at = slot_free_at(turn, version)
    return version.model_copy(update={"slot": None}) if free_at is not None and free_at <= turn.now else version


def _in_route(turn: Turn, isvc: str) -> bool:
    """Whether the gateway may still send requests there: also while a change of the route has not been accepted."""
    route = turn.observed.route
    if route is None:
        return False
    if not route.accepted or route.slots is None or (route.mirror is not None and route.mirror.isvc == isvc):
        return True
    return any(backend.isvc == isvc for backend in route.slots)


def _is_gone(turn: Turn, version: Draining) -> bool:
    return version.slot is None and version.left_route_at is not None and turn.service(version.isvc) is None


def _orphans(turn: Turn) -> list[str]:
    """After a lost status there may be InferenceServices of ours that no status mentions."""
    status = turn.status
    known = {version.isvc for version in (status.stable, status.candidate, status.previous, *status.draining) if version is not None}
    if turn.requested:
        known.add(turn.wanted.isvc)
    return [name for name in turn.observed.services if name not in known]


def _deletable(turn: Turn, name: str) -> bool:
    service = turn.service(name)
    if service is None or service.deleting or turn.blocked is not None:
        return False
    return not _in_route(turn, name)
