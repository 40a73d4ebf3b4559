"""A status that was lost, pruned or restored empty: the route still knows who is stable and who was refused.

Without this, an operator that forgot everything would take whatever the manifest names for a first revision and give it all traffic,
even a revision it has just refused.
"""

from dataclasses import replace

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Draining, HistoryEntry, Rejected, Rendered, Stable
from headgate_operator.rollout.drain import drain
from headgate_operator.rollout.observed import Backend, Route
from headgate_operator.rollout.resolve import last_segment
from headgate_operator.rollout.turn import Turn, Wait, rejected_ids


def restore_lost_state(turn: Turn) -> Turn:
    """Take stable and the refused ids from a route of ours if status knows no stable version."""
    route = turn.observed.route
    if route is not None and not route.ours:
        message = "an HTTPRoute with this name exists and belongs to somebody else: rename or delete it"
        return replace(turn, blocked=Wait(reason=Reason.NAME_TAKEN, message=message))
    if turn.status.stable is not None or route is None:
        return turn
    backend = _stable_backend(turn, route)
    if backend is None:
        message = "the status was lost and the route does not say which revision is stable; delete the route to start afresh"
        return replace(turn, blocked=Wait(reason=Reason.STATE_LOST, message=message))
    return _restore(turn, route, backend)


def mind_hostname(turn: Turn) -> Turn:
    """Start and raise nothing while another route gets the requests: nothing could be compared, and nobody would be served."""
    taken = turn.observed.hostname_taken
    if taken is None or turn.blocked is not None:
        return turn
    return replace(turn, blocked=Wait(reason=Reason.HOSTNAME_TAKEN, message=taken))


def pin_restored(turn: Turn) -> Turn:
    """Pin the rendering of a stable version restored from the route: as its children are, or from the manifest if they are gone.

    Not what today's release would render while something runs: that might restart its pods. The inputs of its id are known only once the
    manifest names it.
    """
    stable = turn.status.stable
    if stable is None:
        return turn
    named = turn.wanted.id == stable.id
    known = next((entry for entry in turn.status.history if entry.id == stable.id), None)
    rendered = known.rendered if known is not None else _rendering(turn, stable, named=named)
    if rendered is None or (known is not None and (known.inputs or not named)):
        return turn
    uri = turn.wanted.model_uri if named else _model_uri(rendered)
    stable = stable.model_copy(update={"model_uri": uri, "version": turn.wanted.version if named else last_segment(uri)})
    entry = HistoryEntry(
        id=stable.id, model_uri=stable.model_uri, version=stable.version, isvc=stable.isvc, promoted_at=stable.since,
        inputs=dict(turn.wanted.inputs) if named else {}, rendered=rendered,
    )  # fmt: skip
    return turn.with_status(stable=stable, history=[entry, *(other for other in turn.status.history if other is not known)])


def _rendering(turn: Turn, stable: Stable, *, named: bool) -> Rendered | None:
    service = turn.observed.services.get(stable.isvc)
    if service is None or (service.ours and service.rendered is None):
        return turn.wanted.rendered if named else None
    return service.rendered if service.ours else None


def _model_uri(rendered: Rendered) -> str:
    predictor = rendered.inference_service.get("spec", {}).get("predictor", {})
    return str(predictor.get("model", {}).get("storageUri", ""))


def _stable_backend(turn: Turn, route: Route) -> tuple[int, Backend] | None:
    """Return position and backend of the stable version."""
    slots = route.slots or ()
    named = [(position, backend) for position, backend in enumerate(slots) if backend.revision == route.stable_id]
    if named:
        return max(named, key=lambda slot: slot[1].weight)
    if route.stable_id is not None and route.stable_id == turn.wanted.id:
        return 0, Backend(isvc=turn.wanted.isvc, revision=route.stable_id, weight=100)
    return None


def _restore(turn: Turn, route: Route, found: tuple[int, Backend]) -> Turn:
    slot, backend = found
    stable = Stable(id=backend.revision, model_uri="", version="", isvc=backend.isvc, slot=slot, since=turn.now)
    if turn.status.candidate is not None:
        turn = drain(turn, turn.candidate)
    turn = with_refused(turn.with_status(stable=stable, candidate=None, previous=None, analysis=None), route)
    turn = drain_other_slot(turn, route, slot)
    message = f"the status was lost; {stable.id} was restored as stable from the route, with {len(turn.status.rejected)} refused revisions"
    return turn.note(Reason.STATE_LOST, message, revision=stable.id, warning=True)


def with_refused(turn: Turn, route: Route) -> Turn:
    """Add the refused ids that the route still knows and status does not."""
    known = rejected_ids(turn.status)
    refused = [
        Rejected(id=revision, reason=Reason.STATE_LOST, message="refused before the status was lost", at=turn.now)
        for revision in route.rejected_ids
        if revision not in known
    ]
    return turn.with_status(rejected=[*turn.status.rejected, *refused])


def drain_other_slot(turn: Turn, route: Route, stable_slot: int) -> Turn:
    """Let whatever the route names beside stable leave, unless it is leaving already."""
    if route.slots is None:
        return turn
    other = route.slots[1 - stable_slot]
    known = {turn.status.stable.isvc if turn.status.stable else "", *(version.isvc for version in turn.status.draining)}
    if other.isvc in known:
        return turn
    leaver = Draining(id=other.revision, model_uri="", version="", isvc=other.isvc, slot=1 - stable_slot, since=turn.now)
    return turn.with_status(draining=[*turn.status.draining, leaver])
