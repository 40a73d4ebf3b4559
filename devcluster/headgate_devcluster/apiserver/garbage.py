"""The background deletions of a cluster: children whose owners are gone, what is in a deleted namespace, objects of a deleted definition.

Runs in its own task after the write that caused it, as the real garbage collector does: a client may see the owner gone and its children
still there for a moment.
"""

import asyncio
import logging
from typing import Final

from headgate_devcluster.apiserver.deletion import CLEANUP, FOREGROUND, Deletion
from headgate_devcluster.apiserver.errors import Refusal
from headgate_devcluster.apiserver.history import Change
from headgate_devcluster.apiserver.objects import Object, key_of
from headgate_devcluster.apiserver.resources import StorageKey
from headgate_devcluster.apiserver.store import Place, Store

logger = logging.getLogger(__name__)

_RETRY_SECONDS: Final = 5.0
_NAMESPACES: StorageKey = ("", "namespaces")
_DEFINITIONS: StorageKey = ("apiextensions.k8s.io", "customresourcedefinitions")


class GarbageCollection:
    """Listens to the store and deletes what is left behind."""

    def __init__(self, store: Store, deletion: Deletion) -> None:
        self._store, self._deletion = store, deletion
        self._gone: set[str] = set()
        self._places: set[Place] = set()
        self._wake = asyncio.Event()
        store.listen(self._saw)

    async def run(self) -> None:
        """Collect until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                self.collect()
            except Refusal as refusal:  # the disk of a persistent cluster is full
                logger.warning("garbage collection: %s; trying again", refusal)
                await asyncio.sleep(_RETRY_SECONDS)
                self.survey()

    def survey(self) -> None:
        """Look at everything again that may be due, as after a restart."""
        for storage, obj in self._store.all_items():
            if obj["metadata"].get("deletionTimestamp") or obj["metadata"].get("ownerReferences"):
                self._places.add((storage, key_of(obj)))
        self._wake.set()

    def collect(self) -> None:
        """Do everything that is due."""
        while self._gone or self._places:
            gone, self._gone = self._gone, set()
            places, self._places = self._places, set()
            for uid in sorted(gone):
                for storage, child in self._store.owned_by(uid):
                    self._settle_child(storage, child)
            for storage, key in sorted(places):
                if (obj := self._store.get(storage, key)) is not None:
                    self._settle(storage, obj)

    def _saw(self, storage: StorageKey, change: Change) -> None:
        metadata = change.obj["metadata"]
        if change.deleted:
            self._gone.add(metadata["uid"])
            self._revisit_holders(storage, change.obj)
        elif metadata.get("deletionTimestamp") or (metadata.get("ownerReferences") and change.before is None):
            self._places.add((storage, key_of(change.obj)))
        if self._gone or self._places:
            self._wake.set()

    def _revisit_holders(self, storage: StorageKey, obj: Object) -> None:
        """An object that waited for this one to go may go as well now."""
        metadata = obj["metadata"]
        if metadata.get("namespace"):
            self._places.add((_NAMESPACES, ("", metadata["namespace"])))
        self._places.add((_DEFINITIONS, ("", f"{storage[1]}.{storage[0]}")))
        for owner in metadata.get("ownerReferences") or ():
            if found := self._store.by_uid(owner["uid"]):
                self._places.add((found[0], key_of(found[1])))

    def _settle(self, storage: StorageKey, obj: Object) -> None:
        metadata = obj["metadata"]
        if not metadata.get("deletionTimestamp"):
            self._settle_child(storage, obj)
        elif storage == _NAMESPACES:
            self._empty_namespace(obj)
        elif storage == _DEFINITIONS and CLEANUP in (metadata.get("finalizers") or ()):
            self._empty_definition(obj)
        elif FOREGROUND in (metadata.get("finalizers") or ()):
            self._delete_children_first(storage, obj)

    def _settle_child(self, storage: StorageKey, child: Object) -> None:
        """Delete a child none of whose owners lives; take dead owners off one that still has another."""
        owners = [owner["uid"] for owner in child["metadata"].get("ownerReferences") or ()]
        dead = {uid for uid in owners if not self._store.has_uid(uid)}
        if not dead or child["metadata"].get("deletionTimestamp"):
            return
        if len(dead) < len(set(owners)):
            self._deletion.disown(storage, child, dead)
        else:
            self._deletion.mark_or_remove(storage, child)

    def _delete_children_first(self, storage: StorageKey, owner: Object) -> None:
        uid = owner["metadata"]["uid"]
        for child_storage, child in self._store.owned_by(uid):
            if not child["metadata"].get("deletionTimestamp"):
                has_children = bool(self._store.owned_by(child["metadata"]["uid"]))
                self._deletion.mark_or_remove(child_storage, child, foreground=has_children)
        if not any(_blocks(child, uid) for _, child in self._store.owned_by(uid)):
            self._deletion.release(storage, owner, FOREGROUND)

    def _empty_namespace(self, namespace: Object) -> None:
        name = namespace["metadata"]["name"]
        inside = [(storage, obj) for storage, obj in self._store.all_items() if obj["metadata"].get("namespace") == name]
        for storage, obj in inside:
            if not obj["metadata"].get("deletionTimestamp"):
                self._deletion.mark_or_remove(storage, obj)
        if not any(obj["metadata"].get("namespace") == name for _, obj in self._store.all_items()) and not namespace["metadata"].get(
            "finalizers"
        ):
            self._store.remove(_NAMESPACES, ("", name))

    def _empty_definition(self, definition: Object) -> None:
        storage = (definition["spec"]["group"], definition["spec"]["names"]["plural"])
        for obj in self._store.items(storage):
            if not obj["metadata"].get("deletionTimestamp"):
                self._deletion.mark_or_remove(storage, obj)
        if not self._store.items(storage):
            self._deletion.release(_DEFINITIONS, definition, CLEANUP)


def _blocks(child: Object, uid: str) -> bool:
    return any(owner["uid"] == uid and owner.get("blockOwnerDeletion") for owner in child["metadata"].get("ownerReferences") or ())
