"""Keeping objects over a restart, however the process ended."""

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from headgate_devcluster.apiserver.errors import Refusal
from headgate_devcluster.apiserver.state import State, StateError
from headgate_devcluster.apiserver.store import Store

WIDGETS = ("example.com", "widgets")


@pytest.fixture
def follow(tmp_path: Path) -> Iterator[Callable[..., State]]:
    """`follow(store)`: every change of the store is in `tmp_path` from now on."""
    with ExitStack() as stack:

        def begin(store: Store, **options: Any) -> State:
            state = State(tmp_path, store, **options)
            state.follow()
            stack.callback(state.close)
            return state

        yield begin


def restored(folder: Path) -> Store:
    store = Store()
    State(folder, store).load()
    return store


def contents(store: Store) -> list[Any]:
    return sorted(store.all_items(), key=str)


def journal(folder: Path) -> Path:
    (path,) = folder.glob("journal-*")
    return path


def test_changes_and_the_revision_survive_without_a_word_at_the_end(api: Any, follow: Any, make_widget: Any, tmp_path: Path) -> None:
    follow(api.store)  # the namespace that was there before is in the snapshot
    gone = api.create(make_widget("gone"))
    kept = api.create(make_widget("kept"))
    api.replace(kept | {"spec": {"size": 5}})
    api.delete(gone)
    store = restored(tmp_path)
    assert contents(store) == contents(api.store)
    assert store.revision == api.store.revision
    assert (found := store.get(WIDGETS, ("ml", "kept"))) is not None
    assert found["spec"]["size"] == 5


def test_half_a_line_at_the_end_was_never_acknowledged(api: Any, follow: Any, make_widget: Any, tmp_path: Path) -> None:
    follow(api.store)
    first = api.create(make_widget("first"))
    before = journal(tmp_path).read_bytes()
    api.create(make_widget("second"))
    torn = journal(tmp_path).read_bytes()[:-20]
    assert len(torn) > len(before)
    journal(tmp_path).write_bytes(torn)
    store = restored(tmp_path)
    assert store.get(WIDGETS, ("ml", "first")) == first
    assert store.get(WIDGETS, ("ml", "second")) is None


def test_a_journal_damaged_in_the_middle_is_refused(api: Any, follow: Any, make_widget: Any, tmp_path: Path) -> None:
    follow(api.store)
    api.create(make_widget("first"))
    api.create(make_widget("second"))
    lines = journal(tmp_path).read_bytes().splitlines(keepends=True)
    journal(tmp_path).write_bytes(lines[0][:-20] + b"\n" + lines[1])
    with pytest.raises(StateError, match="is damaged in line 1; delete the folder"):
        restored(tmp_path)


def test_a_write_that_cannot_be_kept_does_not_happen(api: Any, follow: Any, make_widget: Any, tmp_path: Path) -> None:
    follow(api.store)
    revision, seen = api.store.revision, api.store.history(WIDGETS).subscribe()

    def full(*_: Any) -> None:
        raise Refusal(500, "InternalError", "no space")

    api.store.write_ahead = full
    with pytest.raises(Refusal, match="no space"):
        api.create(make_widget())
    assert (api.store.revision, api.store.items(WIDGETS), seen.empty()) == (revision, [], True)


async def test_a_long_journal_becomes_a_snapshot_while_writes_go_on(api: Any, follow: Any, make_widget: Any, tmp_path: Path) -> None:
    state = follow(api.store, compact_bytes=2000)
    first = journal(tmp_path)
    running = asyncio.create_task(state.run())
    async with asyncio.timeout(60):
        for number in itertools.count():
            api.create(make_widget(f"w{number}"))
            await asyncio.sleep(0)
            if number > 50 and not first.exists():
                break
    running.cancel()
    await asyncio.wait([running])
    assert not first.exists()
    assert contents(restored(tmp_path)) == contents(api.store)


async def test_the_folder_is_at_rest_once_following_has_ended(
    api: Any, follow: Any, make_widget: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_go_on, write = asyncio.Event(), threading.Event(), State._write_snapshot
    loop = asyncio.get_running_loop()

    def held_up(*args: Any) -> None:
        loop.call_soon_threadsafe(begun.set)
        assert may_go_on.wait(60)
        write(*args)

    state = follow(api.store, compact_bytes=2000)
    first = journal(tmp_path)
    monkeypatch.setattr(State, "_write_snapshot", held_up)
    running = asyncio.create_task(state.run())
    for number in range(20):
        api.create(make_widget(f"w{number}"))
    async with asyncio.timeout(60):
        await begun.wait()
        running.cancel()
        loop.call_soon(may_go_on.set)
        with pytest.raises(asyncio.CancelledError):
            await running
    assert not first.exists()
    assert contents(restored(tmp_path)) == contents(api.store)


def test_watches_from_before_a_restart_have_to_list_again(api: Any, follow: Any, make_widget: Any, tmp_path: Path) -> None:
    follow(api.store)
    created = api.create(make_widget())
    api.delete(created)
    with pytest.raises(Refusal, match="too old resource version"):
        restored(tmp_path).history(WIDGETS).since(int(created["metadata"]["resourceVersion"]))


def test_a_deletion_that_was_under_way_goes_on(new_api: Any, follow: Any, make_widget: Any, tmp_path: Path) -> None:
    old = new_api()
    follow(old.store)
    owner = old.create(make_widget("owner"))
    reference = {"apiVersion": "example.com/v1", "kind": "Widget", "name": "owner", "uid": owner["metadata"]["uid"]}
    old.create(make_widget("child", metadata={"ownerReferences": [reference]}))
    old.delete(owner)  # the server ends before it has looked for children
    new = new_api()
    State(tmp_path, new.store).load()
    new.garbage.survey()
    new.garbage.collect()
    assert new.store.items(WIDGETS) == []


def test_a_folder_that_cannot_be_written_is_told(api: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be written: Not a directory"):
        State(tmp_path / "file" / "state", api.store).follow()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2, "revision": 1}\n[1]', '{"format": 1}'])
def test_a_file_that_is_no_snapshot_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "snapshot.jsonl").write_text(text)
    with pytest.raises(StateError, match=r"snapshot\.jsonl .*delete the folder .* to start empty"):
        restored(tmp_path)
