"""Who gets which share: from the commitments in status to the two slots of the route, and back.

Only `stable` and one other version, the candidate or during the watch the previous one, can have weight; so the weights sum to 100 by
construction and a refused version, being neither, has none. A version without weight is not referenced at all: a reference to a Service
that does not exist yet would make the gateway refuse the whole route.
"""

from headgate_operator.api.spec import ModelDeploymentSpec
from headgate_operator.api.status import Candidate, Draining, ModelDeploymentStatus, Previous
from headgate_operator.rollout.observed import Backend, Route


def beside_stable(status: ModelDeploymentStatus) -> Candidate | Previous | None:
    """Return the version that shares the traffic with stable, if any has a share."""
    other = status.candidate or status.previous
    return other if other is not None and other.weight > 0 else None


def judged_alone(spec: ModelDeploymentSpec, status: ModelDeploymentStatus) -> bool:
    """Whether a promoted version is watched with nothing beside it but with a way back: then its objectives are all there is."""
    previous, metrics = status.previous, spec.analysis.metrics
    if status.candidate is not None or previous is None or previous.weight > 0:
        return False
    return any(metric.maximum is not None for metric in metrics)


def committed(status: ModelDeploymentStatus) -> dict[str, int]:
    """Return the weights that status has decided on, by revision id; a version without weight is left out."""
    if status.stable is None:
        return {}
    other = beside_stable(status)
    if other is None:
        return {status.stable.id: 100}
    shares = {status.stable.id: 100 - other.weight, other.id: other.weight}
    return {revision: weight for revision, weight in shares.items() if weight > 0}


def wanted_slots(status: ModelDeploymentStatus) -> tuple[Backend, Backend]:
    """Return the two backends of the route. A slot nobody uses points at stable with weight 0."""
    stable, other = status.stable, beside_stable(status)
    assert stable is not None
    own = Backend(isvc=stable.isvc, revision=stable.id, weight=100 - (other.weight if other is not None else 0))
    beside = other if other is not None else stable
    second = Backend(isvc=beside.isvc, revision=beside.id, weight=other.weight if other is not None else 0)
    return (own, second) if not stable.slot else (second, own)


def carries(route: Route | None, status: ModelDeploymentStatus) -> bool:
    """Whether the route says what status has decided, and the gateway has accepted it."""
    if route is None or status.stable is None:
        return False
    return route.ours and route.accepted and route.slots == wanted_slots(status)


def carried(status: ModelDeploymentStatus) -> bool:
    """Whether the decided weights had been read back when this status was written."""
    return status.stable is not None and {entry.id: entry.weight for entry in status.traffic} == committed(status)


def read_traffic(route: Route) -> dict[str, int]:
    """Return what the route says, by revision id."""
    shares: dict[str, int] = {}
    for backend in route.slots or ():
        shares[backend.revision] = shares.get(backend.revision, 0) + backend.weight
    return {revision: weight for revision, weight in shares.items() if weight > 0}


def free_slot(status: ModelDeploymentStatus) -> int | None:
    """Return the position the next candidate can take, or None while another version's answers may be in flight there."""
    taken = {version.slot for version in (status.stable, status.candidate, status.previous, *status.draining) if version is not None}
    return next((slot for slot in (1, 0) if slot not in taken), None)


def leaving(status: ModelDeploymentStatus) -> list[Draining]:
    """Return the versions without weight that may still be in the route."""
    return [version for version in status.draining if version.left_route_at is None]
