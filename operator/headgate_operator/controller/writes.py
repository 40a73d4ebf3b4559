"""Writes to children, each fenced by what was looked at: a leader that was paused cannot overwrite its successor."""

from collections.abc import Mapping
from enum import Flag, auto

from headgate_operator.api.names import FIELD_MANAGER
from headgate_operator.api.reasons import Reason
from headgate_operator.controller.echoes import Echoes
from headgate_operator.controller.observe import Snapshot
from headgate_operator.kserve.children import SCALING
from headgate_operator.kserve.subset import is_subset
from headgate_operator.kube.protocol import NO_VERSION, ApiError, ConflictError, KubeApi, Object, Resource, UnavailableError
from headgate_operator.rollout.decision import Note


class ChildRefusedError(ApiError):
    """The API server, or a webhook behind it, will not take a child as it is. `revisions` has what it said, by revision id."""

    def __init__(self, error: ApiError, revisions: Mapping[str, str]) -> None:
        super().__init__(str(error), error.status)
        self.revisions = revisions


class Written(Flag):
    """What a pass wrote; nothing is false."""

    NOTHING = 0
    STATUS = auto()
    BOUNDS = auto()
    """Replica bounds, of InferenceServices that nobody else had touched."""
    MORE = auto()
    """Anything whose outcome is to be read back at once."""


class Writes:
    """Applies and deletes children. What is already there is not written."""

    def __init__(self, api: KubeApi, echoes: Echoes) -> None:
        self._api = api
        self._echoes = echoes

    async def apply(self, snapshot: Snapshot, resource: Resource, desired: Object, live: Object | None, *, differs: bool = False) -> bool:
        """Create or update by server-side apply: exactly what was looked at, or, where nothing was, only if there still is nothing."""
        if live is not None and (hands_off(snapshot, live) or (is_subset(desired, live) and not differs)):
            return False
        identity = {"resourceVersion": NO_VERSION} if live is None else {key: live["metadata"][key] for key in ("uid", "resourceVersion")}
        fenced = desired | {"metadata": desired["metadata"] | identity}
        answer = await self._api.apply(resource, fenced, field_manager=FIELD_MANAGER)
        if is_subset(desired, answer):  # what a webhook made something else of is looked at again, as anybody's change
            self._echoes.expect(answer)
        return True

    async def change_spec(self, snapshot: Snapshot, resource: Resource, live: Object, spec: Object) -> bool:
        """Change some fields of the spec of exactly the object that was looked at, and leave all others."""
        if hands_off(snapshot, live) or is_subset(spec, live["spec"]):
            return False
        metadata = live["metadata"]
        patch = {"metadata": {key: metadata[key] for key in ("uid", "resourceVersion")}, "spec": spec}
        await self._api.patch(resource, metadata["namespace"], metadata["name"], patch)
        return True

    async def delete(self, snapshot: Snapshot, resource: Resource, live: Object | None) -> bool:
        """Delete exactly the object that was looked at, if it is ours and not on its way out already."""
        if live is None or hands_off(snapshot, live):
            return False
        metadata = live["metadata"]
        await self._api.delete(resource, metadata["namespace"], metadata["name"], uid=metadata["uid"])
        return True


def hands_off(snapshot: Snapshot, live: Object) -> bool:
    """Whether an object is not ours to write: somebody else's, or on its way out."""
    return not snapshot.owner.owns(live) or "deletionTimestamp" in live["metadata"]


def without(service: Object, *fields: str) -> Object:
    """Return an InferenceService without its scaling and other fields that change without anybody having edited the object."""
    predictor = {key: value for key, value in service["spec"]["predictor"].items() if key not in (*SCALING, *fields)}
    return service | {"spec": service["spec"] | {"predictor": predictor}}


def refusal(error: ApiError, name: str, revision: str) -> Note | None:
    """Return what to tell about a child that cannot be written; nothing if waiting helps."""
    if isinstance(error, ConflictError | UnavailableError):
        return None
    return Note(reason=Reason.INVALID_SPEC, message=f"{name} cannot be written: {error}", revision=revision, warning=True)


def put_back(kind: str, name: str, what: str, *, revision: str | None = None) -> Note:
    """Return what to tell about a child that somebody edited or deleted; `what` says which, and who if that is known."""
    text = f"{kind} {name} was {what} and is put back"
    return Note(reason=Reason.CHILD_RESTORED, message=text, revision=revision, warning=True)
