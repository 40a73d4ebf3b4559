"""The traffic of Knative's revisions as the engine sees traffic: a route with two backends, in the positions that status knows.

Nothing of this exists in the cluster. Knative names revisions and knows no positions; the engine knows versions, each at its position.
"""

from collections.abc import Callable, Mapping

from headgate_operator.api.status import ModelDeploymentStatus, Pinned
from headgate_operator.kserve.knative import KnativeState
from headgate_operator.kserve.names import child_name
from headgate_operator.rollout.observed import Backend, Route, Subject

_Naming = Callable[[str], str]
"""From our ids to the versions' names."""


def traffic_as_route(state: KnativeState, status: ModelDeploymentStatus, subject: Subject, *, damaged: bool) -> Route | None:
    """Return the traffic as a route; None while there is nothing that a stable version could be read from.

    A first revision gets everything before it is promoted, so its traffic says nothing. Only where status should know a stable version and
    does not (`damaged`: roles of it could not be read), the revision that was last rolled out is the one to return to.
    """
    stable = state.id(state.rolled_out)
    if status.stable is None and not _is_lost(state, status, damaged=damaged):
        return None
    roles = {version.id for version in _versions(status)}
    unknown = state.template not in {"", stable, *roles}
    isvc_of = _naming(status, subject)
    return Route(
        ours=True,
        accepted=state.routed,
        slots=_slots(state.weights(), status, isvc_of),
        stable_id=stable or None,
        # What else Knative was given had not taken over when status was lost: nobody knows any more whether it was refused.
        rejected_ids=(state.template,) if unknown else (),
        knative={isvc_of(id_): name for id_ in set(state.ids.values()) if id_ and (name := state.serving(id_))},
    )


def _is_lost(state: KnativeState, status: ModelDeploymentStatus, *, damaged: bool) -> bool:
    if not state.rolled_out or (status.candidate is not None and not damaged):
        return False
    known = {entry.id for entry in status.rejected} | {version.id for version in status.draining}
    return state.id(state.rolled_out) not in known


def _versions(status: ModelDeploymentStatus) -> list[Pinned]:
    return [version for version in (status.stable, status.candidate, status.previous, *status.draining) if version is not None]


def _naming(status: ModelDeploymentStatus, subject: Subject) -> _Naming:
    known = {entry.id: entry.isvc for entry in status.history} | {version.id: version.isvc for version in _versions(status)}
    return lambda revision: known.get(revision) or child_name(subject.name, revision, subject.namespace)


def _slots(weights: Mapping[str, int] | None, status: ModelDeploymentStatus, isvc_of: _Naming) -> tuple[Backend, Backend] | None:
    """Return the backends, each where status has its version. One that has everything fills the free position too, as stable does."""
    if not weights or len(weights) > 2:
        return None
    places = {version.id: version.slot for version in _versions(status) if version.slot is not None}
    first, *rest = [Backend(isvc=isvc_of(id_), revision=id_, weight=weight) for id_, weight in weights.items()]
    second = rest[0] if rest else Backend(isvc=first.isvc, revision=first.revision, weight=0)
    swapped = places.get(first.revision) == 1 or (bool(rest) and places.get(second.revision) == 0)
    return (second, first) if swapped else (first, second)
