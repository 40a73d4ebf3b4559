"""Keeping a cluster's objects over a restart: a snapshot, and a journal of every write since.

A write is in the journal before it is acknowledged, so however the process ends (`kill -9` included) nothing that a client was told is
lost. Nothing is flushed to the disk by force: a power failure may cost the last seconds.

    snapshot.jsonl            {"format": 2, "revision": R}, then one line an object: [group, plural, object]
    journal-<R>.jsonl         the writes after revision R: [revision, group, plural, namespace, name, object or null]
"""

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from headgate_devcluster.apiserver.errors import Refusal
from headgate_devcluster.apiserver.objects import Key, Object, key_of, to_json
from headgate_devcluster.apiserver.resources import StorageKey
from headgate_devcluster.apiserver.store import Store

logger = logging.getLogger(__name__)

_FORMAT: Final = 2
_COMPACT_BYTES: Final = 32 * 1024 * 1024
_RETRY_SECONDS: Final = 5.0

Objects = dict[tuple[StorageKey, Key], Object]


class StateError(ValueError):
    """The folder cannot be read or written; the message says why."""


class State:
    """The objects of one store in one folder. Load, then follow; `run` keeps the journal short."""

    def __init__(self, folder: Path, store: Store, *, compact_bytes: int = _COMPACT_BYTES) -> None:
        self._folder, self._store, self._compact_bytes = folder, store, compact_bytes
        self._snapshot = folder / "snapshot.jsonl"
        self._journal: IO[bytes] | None = None
        self._size = 0
        self._long = asyncio.Event()

    def load(self) -> None:
        """Take over what the folder holds into an empty store; StateError if it is not ours or damaged."""
        revision, objects = self._read_snapshot()
        for path in self._journals():
            revision = _replay(path, objects, revision)
        self._store.restore(revision, ((storage, obj) for (storage, _), obj in objects.items()))

    def follow(self) -> None:
        """Write down every change from now on; StateError if the folder cannot be written."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._begin_journal()
            self._write_snapshot(self._store.revision, list(self._store.all_items()))
        except OSError as error:
            raise StateError(f"{self._folder} cannot be written: {error.strerror}; choose another folder") from None
        self._store.write_ahead = self._append

    async def run(self) -> None:
        """Replace a long journal by a new snapshot, until cancelled; a snapshot that is being written is finished first."""
        while True:
            await self._long.wait()
            try:
                self._begin_journal()
                await self._compact()
                self._long.clear()
            except OSError as error:
                logger.warning("%s cannot be written: %s; trying again", self._folder, error.strerror)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _compact(self) -> None:
        # Stored objects never change, so that another thread may write them down while new ones come.
        writing = asyncio.create_task(asyncio.to_thread(self._write_snapshot, self._store.revision, list(self._store.all_items())))
        try:
            await asyncio.shield(writing)
        finally:  # a thread cannot be cancelled: whoever waits for the end of `run` finds a folder at rest
            await asyncio.wait([writing])

    def close(self) -> None:
        """Stop following."""
        self._store.write_ahead = None
        if self._journal:
            self._journal.close()

    def _append(self, revision: int, storage: StorageKey, key: Key, obj: Object | None) -> None:
        assert self._journal is not None
        line = to_json([revision, *storage, *key, obj]) + b"\n"
        try:
            self._journal.write(line)
        except OSError as error:
            self._journal.truncate(self._size)  # half a line would spoil the next one
            raise Refusal(500, "InternalError", f"Internal error occurred: {self._journal.name}: {error.strerror}") from None
        self._size += len(line)
        if self._size > self._compact_bytes:
            self._long.set()

    def _begin_journal(self) -> None:
        if self._journal:
            self._journal.close()
        # Unbuffered: what was written is the kernel's, and no longer lost with the process.
        self._journal, self._size = (self._folder / f"journal-{self._store.revision:016}.jsonl").open("wb", buffering=0), 0

    def _write_snapshot(self, revision: int, objects: list[tuple[StorageKey, Object]]) -> None:
        draft = self._snapshot.with_name(f".{self._snapshot.name}")
        with draft.open("wb") as file:
            file.write(to_json({"format": _FORMAT, "revision": revision}) + b"\n")
            file.writelines(to_json([*storage, obj]) + b"\n" for storage, obj in objects)
        draft.replace(self._snapshot)
        for journal in self._journals()[:-1]:
            journal.unlink()

    def _read_snapshot(self) -> tuple[int, Objects]:
        if not self._snapshot.exists():
            return 1, {}
        try:
            with self._snapshot.open("rb") as file:
                header = json.loads(file.readline())
                if header["format"] != _FORMAT:
                    raise StateError(
                        f"{self._snapshot} has format {header['format']}, this version reads format {_FORMAT}; "
                        f"delete the folder {self._folder} to start empty"
                    )
                found = ((group, plural, obj) for group, plural, obj in map(json.loads, file))
                return int(header["revision"]), {((group, plural), key_of(obj)): obj for group, plural, obj in found}
        except (OSError, ValueError, KeyError, TypeError) as error:
            if isinstance(error, StateError):
                raise
            raise StateError(
                f"{self._snapshot} is no snapshot of the API server ({error}); delete the folder {self._folder} to start empty"
            ) from None

    def _journals(self) -> list[Path]:
        return sorted(self._folder.glob("journal-*.jsonl"))


def _replay(path: Path, objects: Objects, revision: int) -> int:
    """Bring objects up to date with a journal; return the revision reached."""
    for told, storage, key, obj in _entries(path):
        if told <= revision:
            continue
        revision = told
        if obj is None:
            objects.pop((storage, key), None)
        else:
            objects[storage, key] = obj
    return revision


def _entries(path: Path) -> Iterator[tuple[int, StorageKey, Key, Any]]:
    with path.open("rb") as file:
        lines = iter(file)
        for number, line in enumerate(lines, start=1):
            try:
                revision, group, plural, namespace, name, obj = json.loads(line)
            except (ValueError, TypeError):
                if next(lines, None) is None:
                    return  # the process ended while it wrote this line: nobody was told that the write succeeded
                raise StateError(f"{path} is damaged in line {number}; delete the folder {path.parent} to start empty") from None
            yield int(revision), (group, plural), (namespace, name), obj
