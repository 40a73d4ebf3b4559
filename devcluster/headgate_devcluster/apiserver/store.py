"""All objects, in memory, with one revision counter for everything, an index by owner and a history per kind."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Final

from headgate_devcluster.apiserver.history import Change, History
from headgate_devcluster.apiserver.objects import Key, Object, key_of
from headgate_devcluster.apiserver.resources import StorageKey

HISTORY_SIZE: Final = 4096
"""Changes remembered per kind."""

Place = tuple[StorageKey, Key]
Listener = Callable[[StorageKey, Change], None]
WriteAhead = Callable[[int, StorageKey, Key, Object | None], None]


class Store:
    """Objects by storage, namespace and name. Stored objects are never changed in place."""

    def __init__(self, *, history_size: int = HISTORY_SIZE) -> None:
        self.revision = 1
        self._floor = 0
        self._history_size = history_size
        self._tables: dict[StorageKey, dict[str, dict[str, Object]]] = defaultdict(dict)
        self._histories: dict[StorageKey, History] = {}
        self._by_owner: dict[str, set[Place]] = defaultdict(set)
        self._sorted: dict[tuple[StorageKey, str], list[str]] = {}
        self._by_uid: dict[str, Place] = {}
        self._by_label: dict[tuple[StorageKey, str, str], set[Key]] = defaultdict(set)
        self._listeners: list[Listener] = []
        self.write_ahead: WriteAhead | None = None
        """Is told of every write before it happens, with None for a removed object; what it raises prevents the write."""

    def listen(self, listener: Listener) -> None:
        """Call `listener` after every write, in the same turn of the event loop."""
        self._listeners.append(listener)

    def get(self, storage: StorageKey, key: Key) -> Object | None:
        """Return the stored object itself: not to be changed."""
        return self._tables[storage].get(key[0], {}).get(key[1])

    def items(self, storage: StorageKey, namespace: str | None = None) -> list[Object]:
        """Return all objects of a storage, or of one namespace in it, ordered by namespace and name."""
        table = self._tables[storage]
        places = sorted(table) if namespace is None else [namespace] if namespace in table else []
        return [table[place][name] for place in places for name in self._names(storage, place)]

    def _names(self, storage: StorageKey, namespace: str) -> list[str]:
        """Return the names in a namespace in order. They are sorted once, and again after one has come or gone."""
        if (storage, namespace) not in self._sorted:
            self._sorted[storage, namespace] = sorted(self._tables[storage][namespace])
        return self._sorted[storage, namespace]

    def labelled(self, storage: StorageKey, label: str, value: str, namespace: str | None = None) -> list[Object]:
        """Return what `items` does of the objects with this label, without looking at the others."""
        table = self._tables[storage]
        keys = sorted(key for key in self._by_label.get((storage, label, value), ()) if namespace in {None, key[0]})
        return [table[place][name] for place, name in keys]

    def all_items(self) -> Iterator[tuple[StorageKey, Object]]:
        """Yield every object there is."""
        for storage in tuple(self._tables):
            for obj in self.items(storage):
                yield storage, obj

    def owned_by(self, uid: str) -> list[tuple[StorageKey, Object]]:
        """Return the objects with an ownerReference to this uid."""
        found = ((storage, self.get(storage, key)) for storage, key in sorted(self._by_owner.get(uid, ())))
        return [(storage, obj) for storage, obj in found if obj is not None]

    def has_uid(self, uid: str) -> bool:
        """Say whether an object with this uid is stored."""
        return uid in self._by_uid

    def by_uid(self, uid: str) -> tuple[StorageKey, Object] | None:
        """Return the object with this uid and its storage, or None."""
        place = self._by_uid.get(uid)
        obj = self.get(*place) if place else None
        return (place[0], obj) if place and obj is not None else None

    def history(self, storage: StorageKey) -> History:
        """Return the history of a storage."""
        if storage not in self._histories:
            self._histories[storage] = History(self._floor, self._history_size)
        return self._histories[storage]

    def begin_history(self, storage: StorageKey) -> None:
        """Remember changes of a storage from now on: who asks for earlier ones has to list first."""
        self._histories.setdefault(storage, History(self.revision, self._history_size))

    def put(self, storage: StorageKey, obj: Object) -> Object:
        """Store an object, which the store takes over, under a new resourceVersion."""
        history, key = self.history(storage), key_of(obj)
        obj["metadata"]["resourceVersion"] = str(self.revision + 1)
        self._advance(storage, key, obj)
        before = self._tables[storage].get(key[0], {}).get(key[1])
        self._insert(storage, key, obj, before)
        self._tell(storage, history, Change(self.revision, obj, before))
        return obj

    def remove(self, storage: StorageKey, key: Key, *, last: Object | None = None) -> Object:
        """Remove an object; return its last state (by default the stored one), with the deletion's resourceVersion."""
        self._advance(storage, key, None)
        history, before = self.history(storage), self._tables[storage][key[0]].pop(key[1])
        self._unindex(storage, key, before)
        self._sorted.pop((storage, key[0]), None)
        last = last or before
        last = last | {"metadata": last["metadata"] | {"resourceVersion": str(self.revision)}}
        self._tell(storage, history, Change(self.revision, last, before, deleted=True))
        return last

    def restore(self, revision: int, objects: Iterator[tuple[StorageKey, Object]]) -> None:
        """Take over what a snapshot holds. Watches from before it have to list again."""
        self.revision = self._floor = max(self.revision, revision)
        self._histories.clear()
        for storage, obj in objects:
            self._insert(storage, key_of(obj), obj, None)

    def watched(self, plural: str = "") -> list[tuple[StorageKey, History]]:
        """Return the histories of the storages that were watched or written so far, of one plural or of all."""
        return [(storage, history) for storage, history in self._histories.items() if plural in {"", storage[1]}]

    def end_watches(self, plural: str = "") -> int:
        """Cut every watch off, of one plural or of all; return how many."""
        histories = [history for _, history in self.watched(plural)]
        cut = sum(history.watchers for history in histories)
        for history in histories:
            history.end_all()
        return cut

    def _advance(self, storage: StorageKey, key: Key, obj: Object | None) -> None:
        if self.write_ahead:
            self.write_ahead(self.revision + 1, storage, key, obj)
        self.revision += 1

    def _insert(self, storage: StorageKey, key: Key, obj: Object, before: Object | None) -> None:
        if before is not None:
            self._unindex(storage, key, before)
        else:
            self._sorted.pop((storage, key[0]), None)
        self._tables[storage].setdefault(key[0], {})[key[1]] = obj
        self._by_uid[obj["metadata"]["uid"]] = (storage, key)
        for label in (obj["metadata"].get("labels") or {}).items():
            self._by_label[storage, *label].add(key)
        for owner in obj["metadata"].get("ownerReferences") or ():
            self._by_owner[owner["uid"]].add((storage, key))

    def _unindex(self, storage: StorageKey, key: Key, obj: Object) -> None:
        self._by_uid.pop(obj["metadata"]["uid"], None)
        for label in (obj["metadata"].get("labels") or {}).items():
            labelled = self._by_label[storage, *label]
            labelled.discard(key)
            if not labelled:
                del self._by_label[storage, *label]
        for owner in obj["metadata"].get("ownerReferences") or ():
            places = self._by_owner[owner["uid"]]
            places.discard((storage, key))
            if not places:
                del self._by_owner[owner["uid"]]

    def _tell(self, storage: StorageKey, history: History, change: Change) -> None:
        history.append(change)
        for listener in self._listeners:
            listener(storage, change)
