"""Work that takes its time, outside of any pass: no worker is held while somebody else thinks about an answer.

An errand belongs to a key and is about something; the same errand is never under way twice. When it ends the key is woken, and its result
waits where the next look finds it, until that look says that it is on record. Memory only: what a crash loses is asked for again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
A = TypeVar("A", bound=Hashable)
R = TypeVar("R")


class Errands(Generic[K, A, R]):
    """Runs errands, so many at a time; the others wait their turn. One that raises has no result, and may be started again."""

    def __init__(self, *, limit: int, wake: Callable[[K], None]) -> None:
        self._places = asyncio.Semaphore(limit)
        self._wake = wake
        self._under_way: dict[K, dict[A, asyncio.Task[None]]] = {}
        self._results: dict[K, dict[A, R]] = {}

    def start(self, key: K, about: A, work: Callable[[], Awaitable[R]]) -> None:
        """Start an errand, unless it is under way or its result waits to be put on record."""
        tasks = self._under_way.setdefault(key, {})
        if about in tasks or about in self._results.get(key, {}):
            return
        tasks[about] = asyncio.create_task(self._run(key, about, work), name=f"errand for {key}")

    def results(self, key: K) -> Mapping[A, R]:
        """Return the results that are not on record yet."""
        return dict(self._results.get(key, {}))

    def settle(self, key: K, about: A) -> None:
        """Drop a result that is on record."""
        results = self._results.get(key, {})
        results.pop(about, None)
        if not results:
            self._results.pop(key, None)

    def forget(self, key: K) -> None:
        """Give up everything about a key whose object is gone."""
        for task in self._under_way.pop(key, {}).values():
            task.cancel()
        self._results.pop(key, None)

    async def close(self) -> None:
        """Give up everything."""
        tasks = [task for errands in self._under_way.values() for task in errands.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, key: K, about: A, work: Callable[[], Awaitable[R]]) -> None:
        try:
            async with self._places:
                result = await work()
        finally:
            self._gone(key, about)
        self._results.setdefault(key, {})[about] = result
        self._wake(key)

    def _gone(self, key: K, about: A) -> None:
        tasks = self._under_way.get(key, {})
        if tasks.get(about) is not asyncio.current_task():
            return  # it was given up, and the same was started anew before it had ended
        del tasks[about]
        if not tasks:
            del self._under_way[key]
