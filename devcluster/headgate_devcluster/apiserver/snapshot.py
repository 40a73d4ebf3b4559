"""Keeping a cluster's objects over a restart: one JSON file, replaced atomically."""

import json
import os
from pathlib import Path
from typing import Final

from headgate_devcluster.apiserver.objects import to_json
from headgate_devcluster.apiserver.store import Store

_FORMAT: Final = 1


class SnapshotError(ValueError):
    """The file cannot be read or written; the message says why."""


def save(store: Store, path: Path) -> None:
    """Write all objects to a file; SnapshotError if that is not possible."""
    objects = [[*storage, obj] for storage, obj in store.all_items()]
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(to_json({"format": _FORMAT, "revision": store.revision, "objects": objects}))
        temporary.replace(path)
    except OSError as error:
        raise SnapshotError(f"the snapshot {path} cannot be written: {error.strerror}") from None


def load(store: Store, path: Path) -> None:
    """Take over the objects of a file into an empty store; SnapshotError if it is no snapshot."""
    try:
        snapshot = json.loads(path.read_bytes())
        if snapshot["format"] != _FORMAT:
            raise SnapshotError(
                f"{path} has snapshot format {snapshot['format']}, this version reads format {_FORMAT}; delete the file to start empty"
            )
        objects = [((group, plural), obj) for group, plural, obj in snapshot["objects"]]
        revision = int(snapshot["revision"])
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, SnapshotError):
            raise
        raise SnapshotError(f"{path} is no snapshot of the API server ({error}); delete the file to start empty") from None
    store.restore(revision, iter(objects))
