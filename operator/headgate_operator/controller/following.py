"""Asking the same question again and again, outside of any pass, and waking whoever it is about when the answer is another one.

A pass only looks at the last answer: a server that is slow holds no worker, and one whose answer stays the same costs no pass.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
Q = TypeVar("Q", bound=Hashable)
R = TypeVar("R")

_SPREAD: Final = 0.1
"""Part of an interval by which it may be shorter or longer: objects that were found together shall not ask together for ever."""
_AFTER_A_BUG: Final = 60.0  # seconds

_log = logging.getLogger(__name__)


@dataclass
class _Followed(Generic[Q, R]):
    question: Q
    task: asyncio.Task[None]
    answer: R | None = None


class Following(Generic[K, Q, R]):
    """One question a key, and the last answer to it. Memory only: after a restart it is asked at once."""

    def __init__(
        self, *, ask: Callable[[Q], Awaitable[R]], pause: Callable[[Q, R], float], wake: Callable[[K], None],
        spread: Callable[[], float] = random.random,
    ) -> None:  # fmt: skip
        self._ask = ask
        self._pause = pause
        self._wake = wake
        self._spread = spread
        self._followed: dict[K, _Followed[Q, R]] = {}

    def latest(self, key: K, question: Q) -> R | None:
        """Return the last answer to the key's question, None if there is none yet; a new question takes the place of another one."""
        known = self._followed.get(key)
        if known is not None and known.question == question:
            return known.answer
        self.forget(key)
        task = asyncio.create_task(self._follow(key, question), name=f"following for {key}")
        self._followed[key] = _Followed(question, task)
        return None

    def forget(self, key: K) -> None:
        """Ask no more for that key."""
        known = self._followed.pop(key, None)
        if known is not None:
            known.task.cancel()

    async def close(self) -> None:
        """Ask no more at all."""
        tasks = [known.task for known in self._followed.values()]
        self._followed.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, key: K, question: Q) -> None:
        while True:
            try:
                answer = await self._ask(question)
            except Exception:  # noqa: BLE001 (a bug must not end the following, silently and for ever)
                _log.exception("%s: the question %s cannot be asked", key, question)
                await asyncio.sleep(_AFTER_A_BUG)
                continue
            known = self._followed[key]
            if known.answer != answer:
                known.answer = answer
                self._wake(key)
            await asyncio.sleep(self._pause(question, answer) * (1 + _SPREAD * (2 * self._spread() - 1)))
