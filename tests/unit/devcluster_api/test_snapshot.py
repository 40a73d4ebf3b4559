"""Keeping objects over a restart."""

from pathlib import Path
from typing import Any

import pytest

from headgate_devcluster.apiserver.errors import Refusal
from headgate_devcluster.apiserver.snapshot import SnapshotError, load, save
from headgate_devcluster.apiserver.store import Store


def test_objects_and_the_revision_survive(api: Any, make_widget: Any, tmp_path: Path) -> None:
    created = api.create(make_widget())
    save(api.store, tmp_path / "s.json")
    store = Store()
    load(store, tmp_path / "s.json")
    assert store.get(("example.com", "widgets"), ("ml", "w")) == created
    assert store.revision == api.store.revision
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


def test_watches_from_before_a_restart_have_to_list_again(api: Any, make_widget: Any, tmp_path: Path) -> None:
    created = api.create(make_widget())
    api.delete(created)
    save(api.store, tmp_path / "s.json")
    store = Store()
    load(store, tmp_path / "s.json")
    with pytest.raises(Refusal, match="too old resource version"):
        store.history(("example.com", "widgets")).since(int(created["metadata"]["resourceVersion"]))


def test_a_folder_that_is_not_there_is_told(api: Any, tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match=r"s\.json cannot be written: No such file or directory"):
        save(api.store, tmp_path / "none" / "s.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1, "revision": 1, "objects": [1]}', '{"format": 2}'])
def test_a_file_that_is_no_snapshot_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(SnapshotError, match=r"s\.json .*delete the file to start empty"):
        load(Store(), tmp_path / "s.json")
