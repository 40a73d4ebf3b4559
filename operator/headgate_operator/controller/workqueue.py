"""The work queue: which ModelDeployments to look at, and when. Memory only; it knows nothing of Kubernetes.

Events are hints, so a key is queued at most once, a key that is being worked on is marked dirty and looked at again afterwards, and of
several delayed wishes the earliest wins. That bounds the queue by the number of objects, however many events arrive.

Keys come in the order they were added, but those first whose last look wrote something: whether a weight has arrived must not wait until
thousands of others were looked at after a restart. Whoever adds them so says when to stop, or nobody else would ever have a turn.
"""

import asyncio
import itertools
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

_CLOSED: Final = None


class QueueClosedError(Exception):
    """The queue was closed: no worker gets another key."""


class WorkQueue(Generic[K]):
    """A set of keys in the order they became due. All times are seconds of the running event loop's clock."""

    def __init__(self, *, backoff_base: float = 0.2, backoff_cap: float = 60.0) -> None:
        self._base = backoff_base
        self._cap = backoff_cap
        self._ready: asyncio.PriorityQueue[tuple[bool, int, K | None]] = asyncio.PriorityQueue()
        self._numbers = itertools.count()
        self._queued: dict[K, float] = {}
        self._busy: set[K] = set()
        self._dirty: dict[K, bool] = {}
        """With whether they come first then."""
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._failures: dict[K, int] = {}
        self._closed = False

    @property
    def depth(self) -> int:
        """Keys that wait for a worker now; delayed ones are not counted."""
        return len(self._queued)

    @property
    def busy(self) -> int:
        """Keys that a worker has in hand."""
        return len(self._busy)

    def add(self, key: K, *, first: bool = False) -> None:
        """Look at `key` as soon as a worker is free, or `first` of all; once more after the present look if one is under way."""
        if self._closed or key in self._queued:
            return
        if key in self._busy:
            self._dirty[key] = first or self._dirty.get(key, False)
            return
        self._queued[key] = asyncio.get_running_loop().time()
        self._put(key, first=first)

    def add_after(self, key: K, delay: float) -> None:
        """Look at `key` in `delay` seconds; an earlier wish for the same key stays."""
        if self._closed:
            return
        if delay <= 0:
            self.add(key)
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + delay
        planned = self._timers.get(key)
        if planned is not None:
            if planned.when() <= due:
                return
            planned.cancel()
        self._timers[key] = loop.call_at(due, self._due, key)

    def backoff(self, key: K) -> float:
        """Look at a key whose look failed again later, each time twice as long; return the delay in seconds."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = min(self._cap, self._base * 2.0 ** min(failures, 32))
        self.add_after(key, delay)
        return delay

    def succeeded(self, key: K) -> None:
        """Forget the failures of a key."""
        self._failures.pop(key, None)

    def forget(self, key: K) -> None:
        """Drop everything planned about a key whose object is gone; a fresh event brings it back."""
        self.succeeded(key)
        self._cancel_timer(key)

    async def get(self) -> tuple[K, float]:
        """Return the next key and how many seconds it waited; QueueClosedError once the queue is closed.

        The key belongs to the caller until `done`. What was planned for later is dropped: a look that starts now sees everything and
        plans anew.
        """
        _, _, key = await self._ready.get()
        if self._closed or key is None:
            self._put(_CLOSED, first=True)  # for the next worker
            raise QueueClosedError
        waited = asyncio.get_running_loop().time() - self._queued.pop(key)
        self._busy.add(key)
        self._cancel_timer(key)
        return key, waited

    def done(self, key: K) -> None:
        """Give a key back; it is queued again if it was added meanwhile."""
        self._busy.discard(key)
        if key in self._dirty:
            self.add(key, first=self._dirty.pop(key))

    def close(self) -> None:
        """Take in nothing more and hand out nothing more; keys in hand stay with their workers."""
        self._closed = True
        for key in list(self._timers):
            self._cancel_timer(key)
        self._put(_CLOSED, first=True)

    def _put(self, key: K | None, *, first: bool) -> None:
        self._ready.put_nowait((not first, next(self._numbers), key))

    def _due(self, key: K) -> None:
        self._timers.pop(key, None)
        self.add(key)

    def _cancel_timer(self, key: K) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
