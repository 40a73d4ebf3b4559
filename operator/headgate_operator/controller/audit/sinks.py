"""Where audit lines go: a file that survives a power failure and cannot fill the disk, or standard output for whoever collects it."""

import os
import stat
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from headgate_operator.controller.audit.lines import ids

LARGEST: Final = 32_000_000
"""Bytes of one file; then it is renamed to FILE.1, and FILE.1 to FILE.2, and so on. About 40,000 lines."""
KEPT: Final = 4
"""Renamed files; older ones are deleted."""
_TAIL: Final = 8_000_000
"""Bytes at the end of the log that are searched for what is in it already."""


class Sink(Protocol):
    """Takes whole lines. Used by one thread only."""

    def known(self) -> set[str]:
        """Return ids of lines that are there already, as far as that can be told."""
        ...

    def append(self, lines: bytes) -> None:
        """Write all of it, or raise OSError and have written nothing of it."""
        ...

    def close(self) -> None:
        """Release what is held."""
        ...


class StreamSink:
    """Standard output."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def known(self) -> set[str]:
        """Return nothing: what was printed is not there to be read."""
        return set()

    def append(self, lines: bytes) -> None:
        """Write and flush."""
        self._stream.write(lines)
        self._stream.flush()

    def close(self) -> None:
        """Leave the stream open: it is not ours."""


class FileSink:
    """A file of its own. Every append is on the disk (fsync) when it returns: changes of traffic are few, and each matters."""

    def __init__(self, path: Path, *, largest: int = LARGEST, kept: int = KEPT) -> None:
        """Open it; OSError if that is not possible. It is made if it does not exist, for its owner and group alone."""
        self._path = path
        self._largest = largest
        self._kept = kept
        self._file = self._open()

    def known(self) -> set[str]:
        """Return the ids in the newest part of the file, and of the one before it."""
        return ids(_tail(self._path)) | ids(_tail(self._older(1)))

    def append(self, lines: bytes) -> None:
        """Write all of it, durably."""
        self._follow()
        size = os.fstat(self._file).st_size
        if size and size + len(lines) > self._largest:
            self._rotate()
            size = 0
        try:
            _write(self._file, lines)
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, size)  # a full disk takes half a line; the next attempt must not begin behind it
            raise

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _open(self) -> int:
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o640)
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise OSError(None, "it is no regular file; - is standard output", str(self._path))
        return file

    def _follow(self) -> None:
        """Open the file anew if somebody moved or deleted it, as tools that rotate logs do."""
        try:
            if self._path.stat().st_ino == os.fstat(self._file).st_ino:
                return
        except FileNotFoundError:
            pass
        self._reopen()

    def _rotate(self) -> None:
        for number in range(self._kept, 0, -1):
            source = self._older(number - 1)
            if source.exists():
                source.replace(self._older(number))
        self._reopen()

    def _reopen(self) -> None:
        file = self._open()
        os.close(self._file)
        self._file = file

    def _older(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path


def _write(file: int, lines: bytes) -> None:
    rest = memoryview(lines)
    while rest:
        rest = rest[os.write(file, rest) :]


def _tail(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            return file.read(_TAIL)
    except OSError:
        return b""
