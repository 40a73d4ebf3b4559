"""Deploying by a commit: alone, once, and never of somebody else's work."""

import subprocess
from pathlib import Path

import pytest

from headgate_components.deployment.deploy_model import logic
from headgate_components.deployment.deploy_model.manifest import render
from headgate_components.step import StepError
from tests.deployments import TARGET, version


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=300).stdout.strip()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working tree with one commit and a bare remote `origin`, on a machine where git knows nobody."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    folder = tmp_path / "tree"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
    git(tmp_path, "clone", "--quiet", "remote.git", "tree")
    git(folder, "checkout", "--quiet", "-B", "main")
    git(folder, "-c", "user.name=x", "-c", "user.email=x@y", "commit", "--quiet", "--allow-empty", "-m", "start")
    git(folder, "push", "--quiet", "origin", "main")
    return folder


def commit(tree: Path, number: int = 7, *, remote: str = "", file: str = "models/flight-delay.yaml") -> str:
    return logic.commit(version(number), TARGET, repository=str(tree), file=file, base="", remote=remote).sentence


def test_a_version_is_committed_once_and_alone(tree: Path) -> None:
    (tree / "unrelated").write_text("somebody works here")
    git(tree, "add", "unrelated")
    assert "committed as" in commit(tree)
    before = git(tree, "rev-parse", "HEAD")
    assert "says version 7 already" in commit(tree)
    assert git(tree, "rev-parse", "HEAD") == before
    assert git(tree, "show", "--name-only", "--format=%s", "HEAD").split("\n\n") == [
        "deploy flight-delay version 7",
        "models/flight-delay.yaml",
    ]
    assert git(tree, "status", "--porcelain") == "A  unrelated"


def test_what_was_committed_but_not_pushed_is_pushed_by_the_next_run(tree: Path) -> None:
    commit(tree)
    assert commit(tree, remote="origin").endswith("already and pushed to origin/main")
    assert git(tree.parent / "remote.git", "rev-parse", "main") == git(tree, "rev-parse", "HEAD")


def test_what_was_written_but_not_committed_is_committed_by_the_next_run(tree: Path) -> None:
    (tree / "models").mkdir()
    (tree / "models" / "flight-delay.yaml").write_text(render(version(), TARGET))
    assert "committed as" in commit(tree)


def test_a_push_that_is_refused_says_why_and_keeps_the_commit(tree: Path) -> None:
    git(tree.parent, "clone", "--quiet", "remote.git", "other")
    git(tree.parent / "other", "-c", "user.name=x", "-c", "user.email=x@y", "commit", "--quiet", "--allow-empty", "-m", "faster")
    git(tree.parent / "other", "push", "--quiet", "origin", "main")
    with pytest.raises(StepError, match=r"could not be pushed to origin/main; the commit stays here: .*rejected"):
        commit(tree, remote="origin")
    assert git(tree, "log", "-1", "--format=%s") == "deploy flight-delay version 7"


def test_somebodys_unfinished_change_is_not_committed(tree: Path) -> None:
    commit(tree)
    path = tree / "models" / "flight-delay.yaml"
    path.write_text(path.read_text().replace("250ms", "1s"))
    with pytest.raises(StepError, match="has changes that are not committed"):
        commit(tree, 8)
    assert "1s" in path.read_text()


def test_what_is_no_working_tree_on_a_branch_is_refused(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(StepError, match="does not exist; clone"):
        commit(tmp_path / "nowhere")
    with pytest.raises(StepError, match="is not inside a git working tree"):
        commit(tmp_path)
    for outside in ("../x.yaml", "/etc/x.yaml", ".git/config", ""):
        with pytest.raises(StepError, match="is not inside the git working tree"):
            commit(tree, file=outside)
    git(tree, "checkout", "--quiet", "--detach")
    with pytest.raises(StepError, match="detached HEAD"):
        commit(tree)
