"""Children whose owner is gone: what a restore from a backup, or a deletion that orphans, leaves behind.

The restored ModelDeployment has a new uid, so nobody owns its children, although they serve. One is taken back if all three hold: it
carries our label; nobody alive controls it; it is exactly what the status pins, or clients get from it what the status says they should.
Anything less is somebody else's (`NameTaken`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from headgate_operator.api.names import API_VERSION, KIND, OWNER_LABEL
from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import ModelDeploymentStatus, Rendered
from headgate_operator.controller.knative_look import service_name
from headgate_operator.controller.observe import Snapshot
from headgate_operator.controller.resources import HTTP_ROUTES, INFERENCE_SERVICES, SERVING_RUNTIMES
from headgate_operator.kserve.children import Owner
from headgate_operator.kserve.subset import is_subset
from headgate_operator.kube.protocol import Object, Resource
from headgate_operator.rollout.decision import Note


@dataclass(frozen=True)
class Adoption:
    """One child to take back."""

    resource: Resource
    child: Object
    owner: Owner

    @property
    def patch(self) -> dict[str, Any]:
        """The merge patch that replaces the dead owner, of exactly the object that was looked at."""
        metadata = self.child["metadata"]
        others = [reference for reference in metadata.get("ownerReferences", ()) if not _is_dead(reference, self.owner)]
        identity = {key: metadata[key] for key in ("uid", "resourceVersion")}
        return {"metadata": identity | {"ownerReferences": [*others, self.owner.reference()]}}

    @property
    def note(self) -> Note:
        """What people are told."""
        text = f"{self.resource.kind} {self.child['metadata']['name']} was left by an earlier {KIND} {self.owner.name} and is taken back"
        return Note(reason=Reason.CHILD_ADOPTED, message=text)


def adoptions(snapshot: Snapshot) -> list[Adoption]:
    """Return the children to take back before anything is decided."""
    found = (*_pinned_children(snapshot), *_pinned_route(snapshot), *_knative_service(snapshot))
    return [Adoption(resource, live, snapshot.owner) for resource, live in found]


def _pinned_children(snapshot: Snapshot) -> Iterator[tuple[Resource, Object]]:
    """Yield the orphaned runtime copies and InferenceServices that are exactly as the status pins them."""
    services, runtimes = snapshot.children.services, snapshot.children.runtimes
    for isvc, rendered in _pinned(snapshot.observed.status).items():
        name = rendered.inference_service["metadata"]["name"]  # in Knative mode not the version's own
        for resource, pinned, live in (
            (SERVING_RUNTIMES, rendered.serving_runtime, runtimes.get(isvc)),
            (INFERENCE_SERVICES, rendered.inference_service, services.get(name)),
        ):
            if live is not None and _is_orphan(live, snapshot.owner) and is_subset(pinned, live):  # in this order: few are orphans
                yield resource, live


def _pinned_route(snapshot: Snapshot) -> Iterator[tuple[Resource, Object]]:
    """Yield the route if it is an orphan, has our shape and names the stable version that the status knows."""
    route, stable = snapshot.observed.route, snapshot.observed.status.stable
    if route is None or stable is None or snapshot.route is None or not _is_orphan(snapshot.route, snapshot.owner):
        return
    if route.slots is not None and route.stable_id == stable.id:
        yield HTTP_ROUTES, snapshot.route


def _knative_service(snapshot: Snapshot) -> Iterator[tuple[Resource, Object]]:
    """Yield the orphan of Knative mode, and the runtime copy that it names, if the stable version that the status knows has all traffic.

    What its template says is nobody's to remember then: that of a refused or cancelled version stays in it, without traffic.
    """
    status, state = snapshot.observed.status, snapshot.unowned
    live = snapshot.children.services.get(service_name(snapshot.observed.subject))
    if live is None or state is None or status.stable is None or not _is_orphan(live, snapshot.owner):
        return
    remembered = {version.id for version in (*status.history, *(() if status.candidate is None else (status.candidate,)))}
    if state.template in remembered or state.weights() != {status.stable.id: 100}:
        return
    runtime = snapshot.children.runtimes.get(live["spec"].get("predictor", {}).get("model", {}).get("runtime", ""))
    if runtime is not None and _is_orphan(runtime, snapshot.owner):
        yield SERVING_RUNTIMES, runtime
    yield INFERENCE_SERVICES, live


def _pinned(status: ModelDeploymentStatus) -> dict[str, Rendered]:
    candidate = () if status.candidate is None else (status.candidate,)
    return {version.isvc: version.rendered for version in (*status.history, *candidate)}


def _is_orphan(live: Object, owner: Owner) -> bool:
    metadata = live["metadata"]
    controllers = [reference for reference in metadata.get("ownerReferences", ()) if reference.get("controller")]
    ours = metadata.get("labels", {}).get(OWNER_LABEL) == owner.name
    return ours and "deletionTimestamp" not in metadata and all(_is_dead(reference, owner) for reference in controllers)


def _is_dead(reference: Mapping[str, Any], owner: Owner) -> bool:
    """Whether an owner cannot exist any more: our name and kind with another uid, and a name belongs to one object at a time."""
    group = str(reference.get("apiVersion", "")).partition("/")[0]
    named = (group, reference.get("kind"), reference.get("name"))
    return named == (API_VERSION.partition("/")[0], KIND, owner.name) and reference.get("uid") != owner.uid
