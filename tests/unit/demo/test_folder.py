from pathlib import Path

import pytest

from headgate_devcluster.demo.folder import demo_folder
from headgate_devcluster.errors import ClusterError


def test_a_second_demo_gets_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with demo_folder(None) as first, demo_folder(None) as second:
        assert first == tmp_path / "build/demo"
        assert second == tmp_path / "build/demo-2"
    with demo_folder(None) as third:
        assert third == first


def test_what_an_earlier_demo_left_is_removed(tmp_path: Path) -> None:
    with demo_folder(tmp_path / "demo") as earlier:
        (earlier / "models").write_text("old")
    with demo_folder(tmp_path / "demo") as folder:
        assert list(folder.iterdir()) == []


def test_a_chosen_folder_in_use_is_refused(tmp_path: Path) -> None:
    with demo_folder(tmp_path / "demo"), pytest.raises(ClusterError, match="in use by another demo"), demo_folder(tmp_path / "demo"):
        pass


def test_a_folder_with_a_space_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="contains a space"), demo_folder(tmp_path / "my demo"):
        pass


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ClusterError, match="cannot be written"), demo_folder(tmp_path / "file" / "demo"):
        pass


def test_a_folder_with_something_else_in_it_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis").write_text("years")
    for _ in range(2):
        with pytest.raises(ClusterError, match="not from an earlier demo"), demo_folder(tmp_path / "home"):
            pass
    assert (tmp_path / "home" / "thesis").read_text() == "years"
    assert not (tmp_path / ".home.lock").exists()
