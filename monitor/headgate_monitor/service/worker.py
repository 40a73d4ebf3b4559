"""The one thread that reads bodies and judges windows, behind the ring. Questions and labels come first: somebody waits for an answer."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Event as Flag
from threading import Thread
from typing import Any, Final, TypeVar

from headgate_monitor.collector.errors import MalformedError
from headgate_monitor.collector.events import Event, batched, structured
from headgate_monitor.collector.ring import Ring
from headgate_monitor.service.engine import Engine
from headgate_monitor.service.truths import LedgerError, UnwantedError

_BATCH: Final = 256
_TICK: Final = 1.0
_IDLE: Final = 0.1
_QUESTIONS: Final = 256
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unread:
    """A body that holds events and was not read yet."""

    deployment: str
    version: str
    body: bytes
    batch: bool


Delivery = Event | Unread

Said = TypeVar("Said")


class BusyError(Exception):
    """Too many questions wait."""


class Worker:
    """Runs an engine in a thread of its own until it is stopped."""

    def __init__(self, engine: Engine, ring: Ring[Delivery]) -> None:
        self._engine, self._ring = engine, ring
        self._questions: deque[tuple[Callable[[Engine], Any], Future[Any]]] = deque()
        self._wake, self._stopping = Flag(), Flag()
        self._thread = Thread(target=self._run, name="worker", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether events are still read."""
        return self._thread.is_alive()

    def wake(self) -> None:
        """Say that there is something to do."""
        if not self._wake.is_set():
            self._wake.set()

    def ask(self, question: Callable[[Engine], Said]) -> Future[Said]:
        """Return what the engine will say to a question.

        Raises:
            BusyError: too many questions wait already.
        """
        if len(self._questions) >= _QUESTIONS:
            raise BusyError
        future: Future[Said] = Future()
        self._questions.append((question, future))
        self.wake()
        return future

    def stop(self, seconds: float) -> None:
        """Read what is queued, as far as that goes in the time, and save everything."""
        self._deadline = time.monotonic() + seconds
        self._stopping.set()
        self.wake()
        self._thread.join(seconds + _TICK)

    def _run(self) -> None:
        ticked = time.monotonic()
        while not self._over():
            self._wake.clear()
            self._answer()
            taken = self._ring.take(_BATCH)
            self._guarded(taken)
            if time.monotonic() - ticked >= _TICK:
                ticked = time.monotonic()
                self._ring.adapt()
                self._tick()
            if not taken and not self._questions:
                self._wake.wait(_IDLE)
        self._engine.save()

    def _over(self) -> bool:
        return self._stopping.is_set() and (len(self._ring) == 0 or time.monotonic() >= self._deadline)

    def _answer(self) -> None:
        while self._questions:
            question, future = self._questions.popleft()
            if not future.set_running_or_notify_cancel():  # whoever asked has gone
                continue
            try:
                future.set_result(question(self._engine))
            except (LedgerError, UnwantedError) as error:
                future.set_exception(error)
            except Exception as error:  # noqa: BLE001 - the one who asked gets it
                _log.exception("a question could not be answered")
                future.set_exception(error)

    def _guarded(self, taken: list[Delivery]) -> None:
        """A bug that one body brings out must cost no other, not even those behind it."""
        events = self._events(taken)
        while True:
            try:
                return self._engine.take(events)
            except Exception:  # noqa: BLE001 - a bug, logged as one
                self._engine.counts["failed", "bug"] += 1
                _log.exception("an event could not be taken in")

    def _tick(self) -> None:
        try:
            self._engine.tick()
        except Exception:  # noqa: BLE001 - a bug, logged as one
            self._engine.counts["failed", "bug"] += 1
            _log.exception("windows could not be judged")

    def _events(self, taken: Iterable[Delivery]) -> Iterator[Event]:
        for one in taken:
            if isinstance(one, Event):
                yield one
                continue
            try:
                if not one.batch:
                    yield structured(one.deployment, one.version, one.body)
                    continue
                for found in batched(one.deployment, one.version, one.body):
                    if isinstance(found, Event):
                        yield found
                    else:
                        self._engine.reject(found)
            except MalformedError as error:
                self._engine.reject(error)
