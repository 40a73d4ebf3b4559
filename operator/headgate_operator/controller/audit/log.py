"""Writing changes of traffic down, after the status that has them is stored, and beside everything else: nothing ever waits for it.

Each line is written at least once. A change stays in its object's status for some time (rollout/record.py), so what a crash, or a disk that
was full for a while, kept from being written is written later, with the same id. Lines that could not be kept that long are counted.
"""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple

from headgate_operator.api.status import ModelDeploymentStatus
from headgate_operator.controller.audit.lines import line, line_id
from headgate_operator.controller.audit.sinks import Sink
from headgate_operator.controller.logs import pass_id
from headgate_operator.rollout.observed import Subject

Key = tuple[str, str]

CAPACITY: Final = 10_000
"""Lines that may wait: 10 MB."""
_AT_ONCE: Final = 500
_PAUSES: Final = (0.5, 1.0, 2.0, 5.0)
"""Seconds between attempts to write; the last one for ever."""
_FAREWELL: Final = 2.0

_log = logging.getLogger(__name__)

Counted = Callable[[str, int], None]
"""Is told how many lines were `written` or `lost`."""


class _Told(NamedTuple):
    uid: str
    number: int


class AuditLog:
    """Takes note of changes on the event loop, and writes them in a thread: fsync may take seconds."""

    def __init__(self, sink: Sink, *, counted: Counted = lambda _result, _count: None, capacity: int = CAPACITY) -> None:
        """Start writing to a sink, which is closed in the end."""
        self._sink = sink
        self._counted = counted
        self._known = sink.known()
        self._told: dict[Key, _Told] = {}
        self._lines: queue.Queue[bytes] = queue.Queue(capacity)
        self._ending = threading.Event()
        self._full = False
        self._writer = threading.Thread(target=self._work, name="audit log", daemon=True)
        self._writer.start()

    @property
    def waiting(self) -> int:
        """How many lines are not handed to the writer yet."""
        return self._lines.qsize()

    def tell(self, key: Key, subject: Subject, before: ModelDeploymentStatus, after: ModelDeploymentStatus) -> None:
        """Take note of what a stored status has; `before` is what was stored when this pass began. Never waits, never raises."""
        changes, told = after.traffic_changes, self._told.get(key)
        if not changes or (told is not None and told == (subject.uid, changes[-1].number)):
            return
        first_seen = told is None or told.uid != subject.uid or told.number > changes[-1].number
        number = 0 if first_seen or told is None else told.number
        if not first_seen and changes[0].number > number + 1:
            self._lose(changes[0].number - number - 1)
            number = changes[0].number - 1
        old = before.traffic_changes[-1].number if before.traffic_changes else 0
        for change in changes:
            if change.number <= number:
                continue
            repeated = change.number <= old
            if not (first_seen and self._is_there(line_id(subject.uid, change))):
                look = None if repeated else pass_id()
                if not self._put(line(subject, change, look=look, repeated=repeated and first_seen)):
                    break
            number = change.number
        self._told[key] = _Told(subject.uid, number)

    def forget(self, key: Key) -> None:
        """Drop what is remembered of an object that is gone."""
        self._told.pop(key, None)

    async def close(self) -> None:
        """Write what waits, for at most two seconds: what is left is in the statuses."""
        self._ending.set()
        with suppress(queue.Full):
            self._lines.put_nowait(b"")  # wakes the writer
        await asyncio.to_thread(self._writer.join, _FAREWELL)

    def _is_there(self, id_: str) -> bool:
        if id_ not in self._known:
            return False
        self._known.discard(id_)
        return True

    def _put(self, text: bytes) -> bool:
        try:
            self._lines.put_nowait(text)
        except queue.Full:
            if not self._full:
                _log.error("the audit log cannot be written fast enough, or at all; changes of traffic wait in the statuses meanwhile")
            self._full = True
            return False
        self._full = False
        return True

    def _lose(self, count: int) -> None:
        _log.error("%d lines of the audit log are lost: it could not be written for too long", count)
        self._counted("lost", count)

    def _work(self) -> None:
        """Write until the end, and then once more what is left."""
        while not (self._ending.is_set() and self._lines.empty()):
            if lines := self._next():
                self._write(lines)
        self._sink.close()

    def _next(self) -> list[bytes]:
        lines: list[bytes] = []
        try:
            lines.append(self._lines.get(timeout=1.0))
            while len(lines) < _AT_ONCE:
                lines.append(self._lines.get_nowait())
        except queue.Empty:
            pass
        return lines

    def _write(self, lines: list[bytes]) -> None:
        failures = 0
        while True:
            try:
                self._sink.append(b"".join(lines))
            except (OSError, ValueError) as error:  # ValueError: the stream was closed
                if not failures:
                    _log.error("the audit log cannot be written: %s; trying again", error)
                if self._ending.wait(_PAUSES[min(failures, len(_PAUSES) - 1)]) and failures:
                    return
                failures += 1
                continue
            if failures:
                _log.warning("the audit log can be written again")
            self._counted("written", sum(map(bool, lines)))
            return
