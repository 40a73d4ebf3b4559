"""The children that must exist, derived from status alone: whatever happened to them, they are put back as pinned."""

from headgate_operator.api.status import Pinned, Rendered
from headgate_operator.rollout.decision import WantedRoute, WantedService
from headgate_operator.rollout.replicas import candidate_min, stable_min
from headgate_operator.rollout.turn import Turn, rejected_ids
from headgate_operator.rollout.weights import wanted_mirror, wanted_slots


def wanted_services(turn: Turn) -> tuple[WantedService, ...]:
    """Return the versions with a role. Draining ones only wait to go, and one whose name is taken is left alone."""
    status, spec = turn.status, turn.spec
    wanted = []
    if status.stable is not None:
        wanted.append(_service(turn, status.stable, stable_min(spec, status.stable.frozen_min)))
    if status.previous is not None:
        wanted.append(_service(turn, status.previous, stable_min(spec, status.previous.frozen_min)))
    if status.candidate is not None:
        wanted.append(_service(turn, status.candidate, candidate_min(spec, status, turn.now)))
    return tuple(service for service in wanted if service is not None)


def wanted_route(turn: Turn) -> WantedRoute | None:
    """Return the route, once there is something to route to. One that is not ours is left alone."""
    route, stable = turn.observed.route, turn.status.stable
    if stable is None or (route is not None and not route.ours):
        return None
    return WantedRoute(
        slots=wanted_slots(turn.status),
        mirror=wanted_mirror(turn.status),
        stable_id=stable.id,
        rejected_ids=rejected_ids(turn.status),
    )


def _service(turn: Turn, version: Pinned, minimum: int) -> WantedService | None:
    present = turn.observed.services.get(version.isvc)
    rendered = _rendered(turn, version.id)
    if rendered is None or (present is not None and not present.ours):
        return None
    return WantedService(
        isvc=version.isvc,
        revision=version.id,
        rendered=rendered,
        min_replicas=minimum,
        max_replicas=max(turn.spec.max_replicas, minimum),
        scale_metric=turn.spec.predictor.replicas.metric,
        scale_target=turn.spec.predictor.replicas.target,
    )


def _rendered(turn: Turn, revision: str) -> Rendered | None:
    """Return the pinned rendering; unknown only for a stable version restored from the route."""
    candidate = turn.status.candidate
    if candidate is not None and candidate.id == revision:
        return candidate.rendered
    return next((entry.rendered for entry in turn.status.history if entry.id == revision), None)
