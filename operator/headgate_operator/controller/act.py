"""The only writer: carries out a decision, in an order that a crash between any two writes cannot turn against anybody.

    status → runtime copies and InferenceServices → route → deletions → Events → command annotation

Status goes first because it is the memory: a convicted version is on record before its weight is taken, and nothing is promoted that is
not on record. Every write names the object it was decided from (uid, resourceVersion), so a leader that was paused cannot overwrite its
successor; the loser gets a ConflictError and looks again. What is already there is not written: a no-op costs the server as much as a
change.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from headgate_operator.api.names import API_VERSION, COMMAND_ANNOTATION, FIELD_MANAGER, KIND
from headgate_operator.api.spec import ServingMode
from headgate_operator.api.status import ModelDeploymentStatus
from headgate_operator.controller.adopt import adoptions
from headgate_operator.controller.desired import desired_route, desired_service
from headgate_operator.controller.echoes import Echoes
from headgate_operator.controller.knative_act import write_knative
from headgate_operator.controller.notes import Notes
from headgate_operator.controller.observe import Snapshot
from headgate_operator.controller.resources import HTTP_ROUTES, INFERENCE_SERVICES, MODEL_DEPLOYMENTS, SERVING_RUNTIMES
from headgate_operator.controller.writes import ChildRefusedError, Writes, Written, hands_off, put_back, refusal, without
from headgate_operator.kserve.children import gave_up_scaling
from headgate_operator.kserve.edits import editor
from headgate_operator.kserve.subset import is_subset
from headgate_operator.kube.protocol import ApiError, ConflictError, KubeApi, Object
from headgate_operator.rollout.decision import Decision, Note, WantedRoute, WantedService
from headgate_operator.rollout.observed import Subject


def status_fields(status: ModelDeploymentStatus) -> dict[str, Any]:
    """Return a status as it is stored."""
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


class Actor:
    """Writes. One instance serves all objects; what it knows of an object is in the snapshot."""

    def __init__(self, api: KubeApi, notes: Notes, echoes: Echoes) -> None:
        self._api = api
        self._writes = Writes(api, echoes)
        self._notes = notes
        self._echoes = echoes

    async def act(self, snapshot: Snapshot, decision: Decision, *, on_record: Callable[[], None] = lambda: None) -> Written:
        """Carry out a decision and return what was written.

        `on_record` is called once the status is written: from then on the decision is a fact, whatever becomes of its children.
        ConflictError means that somebody wrote in between: look again.
        """
        version = await self._status(snapshot, decision.status)
        on_record()
        notes = list(decision.notes)
        try:
            written = await self._children(snapshot, decision, notes)
        finally:  # what is on record is told, even if a child could not be written yet
            await self._notes.post(snapshot.observed.subject, notes, snapshot.observed.now, snapshot.observed.spec.owner)
        if decision.command_done:
            await self._remove_command(snapshot, version)
            written |= Written.MORE
        return written if version is None else written | Written.STATUS

    async def adopt(self, snapshot: Snapshot) -> bool:
        """Take back children whose owner is gone; if there were any, look again before deciding anything."""
        found = adoptions(snapshot)
        subject = snapshot.observed.subject
        for adoption in found:
            await self._api.patch(adoption.resource, subject.namespace, adoption.child["metadata"]["name"], adoption.patch)
        await self._notes.post(subject, [adoption.note for adoption in found], snapshot.observed.now)
        return bool(found)

    async def tell(self, subject: Subject, note: Note, now: datetime) -> None:
        """Tell people without doing anything."""
        await self._notes.post(subject, [note], now)

    async def _children(self, snapshot: Snapshot, decision: Decision, notes: list[Note]) -> Written:
        """Write the children. Weights never wait for a service: KServe's webhook may be down just when a version has to lose its traffic.

        And no weight rises too early for that: the services of a route were seen ready before it was decided.
        """
        if snapshot.observed.spec.serving.mode is ServingMode.KNATIVE:
            return _more(await write_knative(self._writes, snapshot, decision, notes))
        written, failure = Written.NOTHING, None
        refused: dict[str, str] = {}
        for service in decision.services:
            try:
                written |= await self._service(snapshot, service, notes)
            except ApiError as error:
                failure = failure or error
                if (note := refusal(error, service.isvc, service.revision)) is not None:
                    notes.append(note)
                    refused[service.revision] = note.message
        if decision.route is not None:
            written |= _more(await self._route(snapshot, decision.route, notes))
        if failure is not None:
            raise ChildRefusedError(failure, refused) if refused and not isinstance(failure, ConflictError) else failure
        for name in decision.delete:
            written |= _more(await self._writes.delete(snapshot, INFERENCE_SERVICES, snapshot.children.services.get(name)))
        for name in _unused_runtimes(snapshot, decision):
            written |= _more(await self._writes.delete(snapshot, SERVING_RUNTIMES, snapshot.children.runtimes[name]))
        return written

    async def _status(self, snapshot: Snapshot, status: ModelDeploymentStatus) -> str | None:
        """Write the whole status if it changed, and return the object's new resourceVersion: a merge patch would never drop a key."""
        known, trusted = snapshot.observed.status, "status" in snapshot.obj and not snapshot.observed.damaged
        if trusted and status == known:  # seldom untrue, and a tenth of the work of writing both out
            return None
        fields = status_fields(status)
        if trusted and fields == status_fields(known):
            return None
        metadata = snapshot.obj["metadata"]
        identity = {key: metadata[key] for key in ("name", "namespace", "uid", "resourceVersion")}
        body = {"apiVersion": API_VERSION, "kind": KIND, "metadata": identity, "status": fields}
        answer = await self._api.replace_status(MODEL_DEPLOYMENTS, body)
        self._echoes.expect(answer)
        return str(answer["metadata"]["resourceVersion"])

    async def _service(self, snapshot: Snapshot, wanted: WantedService, notes: list[Note]) -> Written:
        """Write the runtime copy, then the InferenceService that names it."""
        runtime, service = desired_service(wanted, owner=snapshot.owner)
        live_runtime = snapshot.children.runtimes.get(wanted.isvc)
        live_service = snapshot.children.services.get(wanted.isvc)
        dropped = live_service is not None and gave_up_scaling(live_service, service, manager=FIELD_MANAGER)
        if not dropped and is_subset(runtime, live_runtime) and is_subset(service, live_service):  # nearly always
            return Written.NOTHING
        touched = False
        for desired, pinned, live in ((runtime, runtime, live_runtime), (service, without(service), live_service)):
            if what := _was_touched(snapshot, wanted, desired, pinned, live):
                notes.append(put_back(desired["kind"], wanted.isvc, what, revision=wanted.revision))
                touched = True
        written = _more(await self._writes.apply(snapshot, SERVING_RUNTIMES, runtime, live_runtime))
        if await self._writes.apply(snapshot, INFERENCE_SERVICES, service, live_service, differs=dropped):
            written |= Written.MORE if touched or live_service is None else Written.BOUNDS
        return written

    async def _route(self, snapshot: Snapshot, wanted: WantedRoute, notes: list[Note]) -> bool:
        subject, spec = snapshot.observed.subject, snapshot.observed.spec
        route = desired_route(
            wanted, namespace=subject.namespace, owner=snapshot.owner, gateway=snapshot.gateway, hostnames=snapshot.hostnames, spec=spec
        )  # fmt: skip
        seen = snapshot.observed.route
        differs = seen is not None and (seen.slots, seen.mirror) != (
            wanted.slots,
            wanted.mirror,
        )  # also by what was added: such a route holds all that we want
        if not differs and is_subset(route, snapshot.route):
            return False
        # Backends were compared when they were read back, and told of.
        if not differs and snapshot.route is not None and (who := editor(route, snapshot.route, manager=FIELD_MANAGER)):
            notes.append(put_back("HTTPRoute", subject.name, f"edited by {who}"))
        return await self._writes.apply(snapshot, HTTP_ROUTES, route, snapshot.route, differs=differs)

    async def _remove_command(self, snapshot: Snapshot, version: str | None) -> None:
        """Remove the annotation unless somebody replaced it meanwhile: the version makes that a conflict."""
        version = version or snapshot.obj["metadata"]["resourceVersion"]
        patch: Mapping[str, Any] = {"metadata": {"resourceVersion": version, "annotations": {COMMAND_ANNOTATION: None}}}
        subject = snapshot.observed.subject
        await self._api.patch(MODEL_DEPLOYMENTS, subject.namespace, subject.name, patch)


def _more(wrote: bool) -> Written:
    return Written.MORE if wrote else Written.NOTHING


def _was_touched(snapshot: Snapshot, wanted: WantedService, desired: Object, pinned: Object, live: Object | None) -> str:
    """Say what somebody else did to a child; empty if nothing. What is pinned never changes by our hand; replica bounds do."""
    if live is None:
        return "deleted by somebody else" if _was_there(snapshot, wanted) else ""
    if hands_off(snapshot, live) or is_subset(desired, live):
        return ""
    who = editor(desired, live, manager=FIELD_MANAGER) or ("" if is_subset(pinned, live) else "somebody else")
    return f"edited by {who}" if who else ""


def _was_there(snapshot: Snapshot, wanted: WantedService) -> bool:
    """Whether a version has served already: then its children existed, and were deleted if they are not there."""
    status = snapshot.observed.status
    return wanted.revision in {version.id for version in (status.stable, status.previous) if version is not None}


def _unused_runtimes(snapshot: Snapshot, decision: Decision) -> list[str]:
    """Runtime copies whose InferenceService is gone or goes in this pass; also those that a crash left over."""
    used = {service.isvc for service in decision.services} | (set(snapshot.children.services) - set(decision.delete))
    return [name for name in snapshot.children.runtimes if name not in used]
