"""Commits one file in a git working tree, whatever else is going on in it.

Every path ends in the same state when it is walked twice: what was written but not committed is committed, what was committed but not
pushed is pushed, and what is there already changes nothing.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from headgate_components.files import replace_text
from headgate_components.step import StepError

TIMEOUT_SECONDS = 120
_AUTHOR = ("-c", "user.name=Headgate", "-c", "user.email=headgate@localhost")


@dataclass(frozen=True)
class Committed:
    """What came of it."""

    commit: str
    """The commit the branch is at."""

    changed: bool
    """Whether it is new; otherwise the file said all that already."""


@dataclass(frozen=True)
class WorkTree:
    """A file in a git working tree that is on a branch."""

    root: Path
    path: Path
    """Of the file, below the root."""

    branch: str

    @classmethod
    def of(cls, folder: str, file: str) -> "WorkTree":
        """Finds the working tree.

        Raises:
            StepError: there is none, the file is outside of it, or it is on no branch.
        """
        start = Path(folder).absolute()
        if not start.is_dir():
            raise StepError(f"the git working tree '{folder}' does not exist; clone the repository there first")
        top = _git(start, "rev-parse", "--show-toplevel")
        if top.returncode != 0:
            raise StepError(f"'{folder}' is not inside a git working tree; clone the repository there first")
        root = Path(top.stdout.strip()).resolve()
        path = (start / file).resolve()
        if not file or root not in path.parents or ".git" in path.relative_to(root).parts:
            raise StepError(f"the file '{file}' is not inside the git working tree '{root}'")
        head = _git(root, "symbolic-ref", "--quiet", "--short", "HEAD")
        if head.returncode != 0:
            raise StepError(f"the git working tree '{root}' is on no branch (detached HEAD); check one out first")
        return cls(root, path.relative_to(root), head.stdout.strip())

    def read(self) -> str:
        """What the file says; nothing if it does not exist."""
        try:
            return (self.root / self.path).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def refuse_uncommitted(self, wanted: str) -> None:
        """Somebody's unfinished change is not ours to commit; our own, from a run that was ended here, is.

        Raises:
            StepError: the file has changes that are not committed.
        """
        if self._dirty() and self.read() != wanted:
            raise StepError(f"'{self.path}' in '{self.root}' has changes that are not committed; commit or discard them first")

    def committed(self) -> str:
        """What the file says in the last commit; nothing if it is not in it."""
        shown = _git(self.root, "show", f"HEAD:{self.path.as_posix()}")
        return shown.stdout if shown.returncode == 0 else ""

    def commit(self, text: str, message: str) -> Committed:
        """Writes the file and commits it alone.

        Raises:
            StepError: git refuses; a hook did, for instance.
        """
        replace_text(self.root / self.path, text)
        if not self._dirty():
            return Committed(self._head(), changed=False)
        self._must("add", "--", str(self.path), what="staged")
        author = () if _git(self.root, "config", "user.email").stdout.strip() else _AUTHOR
        self._must(*author, "commit", "--quiet", "--only", f"--message={message}", "--", str(self.path), what="committed")
        return Committed(self._head(), changed=True)

    def push(self, remote: str) -> str:
        """Pushes the branch, and says where to.

        Raises:
            StepError: the remote refuses, or is not there. The commit stays, and the next run pushes it.
        """
        self._must(
            "push", "--quiet", remote, f"HEAD:refs/heads/{self.branch}", what=f"pushed to {remote}/{self.branch}; the commit stays here"
        )
        return f"{remote}/{self.branch}"

    def _dirty(self) -> bool:
        return bool(_git(self.root, "status", "--porcelain", "--", str(self.path)).stdout.strip())

    def _head(self) -> str:
        return _git(self.root, "rev-parse", "HEAD").stdout.strip()

    def _must(self, *arguments: str, what: str) -> None:
        done = _git(self.root, *arguments)
        if done.returncode != 0:
            raise StepError(f"'{self.path}' in '{self.root}' could not be {what}: {_reason(done.stderr or done.stdout)}")


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Nobody is there to answer a question for a password, and its messages are read.
    environment = os.environ | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False, env=environment
        )
    except FileNotFoundError as error:
        raise StepError("git was not found; install it, or let deploy_model write a file instead") from error
    except subprocess.TimeoutExpired as error:
        raise StepError(f"git {arguments[0]} in '{folder}' did not end within {TIMEOUT_SECONDS} s") from error


def _reason(said: str) -> str:
    """The lines that say why: git's hints and progress are for people at a terminal."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith(("hint:", "To "))]
    return "; ".join(lines) or "git did not say why"
