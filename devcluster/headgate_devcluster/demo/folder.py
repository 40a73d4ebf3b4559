"""The demo's folder: one demo each, so that two can run at once and neither empties the other's."""

import fcntl
import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from headgate_devcluster.errors import ClusterError, writing_to
from headgate_devcluster.lock import supervisor

DEFAULT: Final = Path("build/demo")
_MOST: Final = 10


@contextmanager
def demo_folder(chosen: Path | None) -> Iterator[Path]:
    """Hold and empty a folder: the chosen one, or the first default one that is not in use.

    Emptied because exported models are write-once: those of an earlier demo would be found again.

    Raises:
        ClusterError: it is in use, holds something that no demo left, cannot be written, or contains a space, which pipeline steps
            cannot handle.
    """
    for folder in (_candidate.absolute() for _candidate in ([chosen] if chosen else _defaults())):
        if " " in str(folder):
            raise ClusterError(f"the folder '{folder}' contains a space, which pipeline steps cannot handle; choose another with --folder")
        lock_file = folder.with_name(f".{folder.name}.lock")
        if not lock_file.exists():
            _refuse_foreign(folder)
        with writing_to(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            lock = lock_file.open("w")
        with lock:
            if not _take(lock) or supervisor(folder / "cluster") is not None:
                continue
            with writing_to(folder):
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
            yield folder
            return
    where = chosen or DEFAULT
    raise ClusterError(
        f"{where} is in use by another demo or its cluster; end it (`headgate dev down --folder {where}/cluster`) or use --folder"
    )


def _refuse_foreign(folder: Path) -> None:
    """A demo leaves its lock beside its folder; what lies in a folder without one is somebody else's and must not be removed."""
    if folder.is_dir() and any(folder.iterdir()):
        raise ClusterError(
            f"{folder} is not empty and not from an earlier demo, and a demo deletes what its folder holds; choose another with --folder"
        )


def _defaults() -> Iterator[Path]:
    yield DEFAULT
    yield from (DEFAULT.with_name(f"{DEFAULT.name}-{number}") for number in itertools.islice(itertools.count(2), _MOST - 1))


def _take(lock: IO[str]) -> bool:
    """Lock, without waiting. The kernel releases it however this process ends."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def shortest(path: Path) -> Path:
    """Say where something is from here, if it is below."""
    absolute, here = path.absolute(), Path.cwd()
    return absolute.relative_to(here) if absolute.is_relative_to(here) else absolute
