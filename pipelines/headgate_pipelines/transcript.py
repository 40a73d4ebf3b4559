"""Listens to what kfp's local runner says: keeps all of it in a file, and picks out which step runs and why one failed.

kfp offers no callbacks and its error names no cause, so its log lines are read; a test runs the real thing and notices if they change.
"""

import io
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

from headgate_components.step import ERROR_PREFIX

_COLOR = re.compile(r"\x1b\[\d+m")
_STARTED = re.compile(r"Executing task '([^']+)'")
_ENDED = re.compile(r"Task '[^']+' finished with status (\w+)")
_CACHED = re.compile(r"Task (\S+) cache hit \(key=(\w+)\)")


@dataclass(frozen=True)
class StepRun:
    """A step that was run, or found in the cache."""

    name: str
    seconds: float
    cached: bool
    failed: bool = False
    sentence: str = ""
    """Why it failed, in its own words."""

    key: str = ""
    """The beginning of its key in the cache, if it was found there."""


@dataclass
class Transcript(io.TextIOBase):
    """A text stream to stand in for stdout while a pipeline runs.

    `started` is called with a step's name when it starts, `ended` when it is over.
    """

    log: TextIO
    started: Callable[[str], None]
    ended: Callable[[StepRun], None]
    steps: list[StepRun] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    """What the running step said in its own words, without the prefix."""

    failed: StepRun | None = None
    """The step that failed first; what follows from it, such as the summary of the run, does not count."""

    last_line: str = ""
    """The last thing the running step said: the exception, if it failed in a way nobody foresaw."""

    _running: tuple[str, float] | None = None
    _partial: str = ""

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Takes any piece of text; looks at whole lines."""
        *lines, self._partial = (self._partial + text).split("\n")
        for line in lines:
            plain = _COLOR.sub("", line)
            self.log.write(f"{plain}\n")
            self._read(plain.strip())
        return len(text)

    def flush(self) -> None:
        """Flushes the file, so that it can be followed."""
        self.log.flush()

    def _read(self, line: str) -> None:
        if line.startswith(ERROR_PREFIX):
            self.sentences.append(line.removeprefix(ERROR_PREFIX))
        elif found := _STARTED.search(line):
            self._running = (found[1], time.monotonic())
            self.started(found[1])
        elif found := _CACHED.search(line):
            self.started(found[1])
            self._finish(StepRun(found[1], 0.0, cached=True, key=found[2]))
        elif self._running and (found := _ENDED.search(line)):
            self._end(*self._running, failed=found[1] != "SUCCESS")
        elif self._running and line and not line.startswith("["):
            self.last_line = line

    def _end(self, name: str, since: float, *, failed: bool) -> None:
        run = StepRun(name, time.monotonic() - since, cached=False, failed=failed, sentence=self._reason(name) if failed else "")
        self._running, self.last_line = None, ""
        self.sentences.clear()
        if failed and self.failed is None:
            self.failed = run
        self._finish(run)

    def _reason(self, name: str) -> str:
        if self.sentences:
            return self.sentences[-1]
        return f"{name}: {self.last_line or 'it ended without an error message'}; its output is in {getattr(self.log, 'name', 'the log')}"

    def _finish(self, run: StepRun) -> None:
        self.steps.append(run)
        self.ended(run)
