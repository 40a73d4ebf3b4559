"""Who gets which share: from the commitments in status to the two slots of the route, and back.

Only `stable` and one other version, the candidate or during the watch the previous one, can have weight; so the weights sum to 100 by
construction and a refused version, being neither, has none. A version without weight is not referenced at all: a reference to a Service
that does not exist yet would make the gateway refuse the whole route. The same holds for a mirrored version, which has no weight.
"""

from typing import NamedTuple

from headgate_operator.api.spec import ModelDeploymentSpec
from headgate_operator.api.status import Candidate, Draining, ModelDeploymentStatus, Previous
from headgate_operator.rollout.observed import Backend, Mirror, Route


class Share(NamedTuple):
    """What one version gets: percent of the traffic, and of copies of it."""

    weight: int
    mirror: int = 0


_NOTHING = Share(0)


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


def on_trial(status: ModelDeploymentStatus) -> Candidate | Previous | None:
    """Return the version that gets requests beside stable, be they traffic or copies."""
    mirrored = status.candidate is not None and status.stable is not None and status.candidate.mirror > 0
    return status.candidate if mirrored else beside_stable(status)


def committed(status: ModelDeploymentStatus) -> dict[str, Share]:
    """Return what status has decided on, by revision id; a version that gets nothing is left out."""
    if status.stable is None:
        return {}
    other, mirror = beside_stable(status), wanted_mirror(status)
    shares = {status.stable.id: Share(100 - (other.weight if other is not None else 0))}
    if other is not None:
        shares[other.id] = Share(other.weight)
    if mirror is not None:
        shares[mirror.revision] = Share(0, mirror.percent)
    return {revision: share for revision, share in shares.items() if share != _NOTHING}


def wanted_mirror(status: ModelDeploymentStatus) -> Mirror | None:
    """Return who gets copies of the requests, if anybody does."""
    candidate = status.candidate
    if candidate is None or status.stable is None or candidate.mirror == 0:
        return None
    return Mirror(isvc=candidate.isvc, revision=candidate.id, percent=candidate.mirror)


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
    return route is not None and route.ours and route.accepted and says(route, status)


def says(route: Route, status: ModelDeploymentStatus) -> bool:
    """Whether the route is written as status has decided."""
    return status.stable is not None and route.slots == wanted_slots(status) and route.mirror == wanted_mirror(status)


def carried(status: ModelDeploymentStatus) -> bool:
    """Whether the decided weights had been read back when this status was written."""
    return status.stable is not None and recorded(status) == committed(status)


def recorded(status: ModelDeploymentStatus) -> dict[str, Share]:
    """Return what status says was read back, by revision id."""
    return {entry.id: Share(entry.weight, entry.mirror) for entry in status.traffic}


def read_traffic(route: Route) -> dict[str, Share]:
    """Return what the route says, by revision id."""
    shares: dict[str, Share] = {}
    for backend in route.slots or ():
        shares[backend.revision] = Share(shares.get(backend.revision, _NOTHING).weight + backend.weight)
    if route.mirror is not None:
        shares[route.mirror.revision] = shares.get(route.mirror.revision, _NOTHING)._replace(mirror=route.mirror.percent)
    return {revision: share for revision, share in shares.items() if share != _NOTHING}


def free_slot(status: ModelDeploymentStatus) -> int | None:
    """Return the position the next candidate can take, or None while another version's answers may be in flight there."""
    taken = {version.slot for version in (status.stable, status.candidate, status.previous, *status.draining) if version is not None}
    return next((slot for slot in (1, 0) if slot not in taken), None)


def leaving(status: ModelDeploymentStatus) -> list[Draining]:
    """Return the versions without weight that may still be in the route."""
    return [version for version in status.draining if version.left_route_at is None]
