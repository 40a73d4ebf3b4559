"""One cluster a folder: a lock that the kernel releases however the supervisor ends, and the facts others need to find it."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from headgate_devcluster.errors import ClusterError, writing_to

_ATTEMPTS, _ATTEMPT_SECONDS = 5, 0.02


@dataclass(frozen=True)
class ClusterFacts:
    """Where a running cluster can be reached; `cluster.json` in its folder, there as long as the cluster is up."""

    pid: int
    """Of the supervisor; SIGTERM ends the cluster."""
    api_url: str
    kubeconfig: str
    gateway_url: str
    """Of Envoy's public listener; the Host header chooses the route."""
    envoy_admin_url: str
    cluster_local_proxy: str
    """An HTTP proxy for `<service>.<namespace>.svc.cluster.local`."""
    namespace: str
    control_url: str
    """Of the control endpoint, for `headgate dev status` and `headgate dev inject`."""


def facts_file(folder: Path) -> Path:
    """Where the facts of a folder's cluster are."""
    return folder / "cluster.json"


def write_facts(folder: Path, facts: ClusterFacts) -> None:
    """Tell others that the cluster is up; a reader sees all of it or nothing."""
    draft = folder / ".cluster.json.new"
    with writing_to(folder):
        draft.write_text(json.dumps(asdict(facts), indent=2) + "\n")
        draft.replace(facts_file(folder))


def read_facts(folder: Path) -> ClusterFacts | None:
    """The facts of the cluster that runs in a folder, None if none does."""
    if supervisor(folder) is None:
        return None
    try:
        return ClusterFacts(**json.loads(facts_file(folder).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def supervisor(folder: Path) -> int | None:
    """The pid of the process that holds a folder's lock, None if nobody does."""
    try:
        with _lock_file(folder).open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                text = file.read().strip()
                return int(text) if text.isdigit() else None
            return None
    except OSError:
        return None


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for one cluster, and take its facts away at the end.

    Raises:
        ClusterError: another cluster runs there, or the folder cannot be written.
    """
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        file = _lock_file(folder).open("a+")
    with file:
        try:
            _lock(file)
        except BlockingIOError as error:
            msg = f"a cluster already runs in {folder}; stop it with `headgate dev down --folder {folder}` or choose another folder"
            raise ClusterError(msg) from error
        with writing_to(folder):
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
        facts_file(folder).unlink(missing_ok=True)
        try:
            yield
        finally:
            facts_file(folder).unlink(missing_ok=True)


def _lock(file: IO[str]) -> None:
    # `supervisor` holds the lock for an instant to see whether it is free; that must not look like a cluster.
    for _ in range(_ATTEMPTS):
        with contextlib.suppress(BlockingIOError):
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        time.sleep(_ATTEMPT_SECONDS)
    return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _lock_file(folder: Path) -> Path:
    return folder / "lock"
