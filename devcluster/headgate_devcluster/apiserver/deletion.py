"""Deleting: preconditions, finalizers, and what happens to the objects that the deleted one owns."""

from dataclasses import dataclass
from typing import Final, Literal

from headgate_devcluster.apiserver.errors import another, not_found
from headgate_devcluster.apiserver.event_forms import in_version
from headgate_devcluster.apiserver.objects import Object, key_of, now
from headgate_devcluster.apiserver.resources import Catalogue, ResourceType, StorageKey
from headgate_devcluster.apiserver.store import Store

FOREGROUND: Final = "foregroundDeletion"
CLEANUP: Final = "customresourcecleanup.apiextensions.k8s.io"

Propagation = Literal["Background", "Foreground", "Orphan"]


@dataclass(frozen=True, kw_only=True)
class DeleteOptions:
    """What the client says about a deletion."""

    uid: str | None = None
    resource_version: str | None = None
    propagation: Propagation = "Background"
    grace_seconds: int | None = None
    """How long a Pod on a node may take to end; None for what its spec says."""
    dry_run: bool = False


def is_held(obj: Object) -> bool:
    """A namespace is held by what is in it, not by finalizers of metadata; the garbage collector lets it go."""
    return bool(obj["kind"] == "Namespace" and obj["apiVersion"] == "v1")


def _grace(obj: Object, told: int | None) -> int:
    """The seconds that a Pod has to end; its kubelet says with a second deletion, of 0 seconds, that it has. Other objects have none."""
    if (obj["apiVersion"], obj["kind"]) != ("v1", "Pod") or not obj["spec"].get("nodeName"):
        return 0
    return int(obj["spec"].get("terminationGracePeriodSeconds", 30)) if told is None else told


class Deletion:
    """The deleting verb of one server."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store, self._catalogue = store, catalogue

    def delete(self, resource: ResourceType, namespace: str, name: str, options: DeleteOptions) -> Object:
        """Delete an object, or mark it if finalizers hold it; return the answer's body."""
        obj = self._store.get(resource.storage, (namespace, name))
        if obj is None:
            raise not_found(resource, name)
        self._require(obj, resource, options)
        if options.dry_run:
            return in_version(obj, resource)
        if options.propagation == "Orphan":
            self._orphan(obj["metadata"]["uid"])
        foreground = options.propagation == "Foreground"
        last = self.mark_or_remove(resource.storage, obj, foreground=foreground, grace_seconds=options.grace_seconds)
        if last["metadata"].get("deletionTimestamp"):
            return in_version(last, resource)
        details = {"name": name, **({"group": resource.group} if resource.group else {}), "kind": resource.plural}
        return {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
            "details": details | {"uid": obj["metadata"]["uid"]},
        }  # fmt: skip

    def mark_or_remove(self, storage: StorageKey, obj: Object, *, foreground: bool = False, grace_seconds: int | None = None) -> Object:
        """Give an object its deletionTimestamp if something holds it, else remove it; return its last state.

        A Pod on a node has some seconds until then; a later call can only shorten them.
        """
        grace = _grace(obj, grace_seconds)
        metadata = obj["metadata"]
        held_by = list(metadata.get("finalizers") or ())
        if foreground and FOREGROUND not in held_by:
            held_by.append(FOREGROUND)
        if storage == ("apiextensions.k8s.io", "customresourcedefinitions") and CLEANUP not in held_by:
            held_by.append(CLEANUP)
        if not held_by and not is_held(obj) and not grace:
            return self._store.remove(storage, key_of(obj))
        marked_before = metadata.get("deletionTimestamp")
        sooner = marked_before and grace < metadata.get("deletionGracePeriodSeconds", 0)
        if marked_before and not sooner and held_by == (metadata.get("finalizers") or []):
            return obj
        marks: Object = {"deletionTimestamp": marked_before, "deletionGracePeriodSeconds": metadata.get("deletionGracePeriodSeconds")}
        if not marked_before or sooner:
            marks = {"deletionTimestamp": now(grace), "deletionGracePeriodSeconds": grace}
        if "generation" in metadata and not marked_before:
            marks["generation"] = metadata["generation"] + 1
        marked = obj | {"metadata": metadata | marks | ({"finalizers": held_by} if held_by else {})}
        if is_held(obj):
            marked |= {"status": (obj.get("status") or {}) | {"phase": "Terminating"}}
        return self._store.put(storage, marked)

    def release(self, storage: StorageKey, obj: Object, finalizer: str) -> None:
        """Take a finalizer of the server's own off, and remove the object if it was the last."""
        metadata = obj["metadata"]
        held_by = [item for item in metadata.get("finalizers") or () if item != finalizer]
        if held_by:
            self._store.put(storage, obj | {"metadata": metadata | {"finalizers": held_by}})
        else:
            self._store.remove(storage, key_of(obj))

    def _require(self, obj: Object, resource: ResourceType, options: DeleteOptions) -> None:
        metadata = obj["metadata"]
        for told, wanted, found, perhaps in (
            ("UID", options.uid, metadata["uid"], "deleted and then recreated"),
            ("ResourceVersion", options.resource_version, metadata["resourceVersion"], "modified"),
        ):
            if wanted is not None and wanted != found:
                why = f"the {told} in the precondition ({wanted}) does not match the {told} in record ({found}). "
                raise another(resource, metadata["name"], f"{why}The object might have been {perhaps}")

    def _orphan(self, uid: str) -> None:
        for storage, child in self._store.owned_by(uid):
            self.disown(storage, child, {uid})

    def disown(self, storage: StorageKey, child: Object, uids: set[str]) -> None:
        """Take owners off an object."""
        metadata = dict(child["metadata"])
        owners = [owner for owner in metadata.pop("ownerReferences", ()) if owner["uid"] not in uids]
        self._store.put(storage, child | {"metadata": metadata | ({"ownerReferences": owners} if owners else {})})
