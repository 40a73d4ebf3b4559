"""Delivery to the log sink: one attempt, a few at a time, a queue that drops when it is full."""

import asyncio
import logging
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import aiohttp

from headgate_devcluster.kserve.agent.events import Event

QUEUE = 100
WORKERS = 5

_TIMEOUT = aiohttp.ClientTimeout(total=10)

logger = logging.getLogger(__name__)


@dataclass
class Sink:
    """Where events go. `async with` runs its workers; what is queued at the end is lost, as with the real agent."""

    url: str
    sent: int = 0
    dropped: int = 0
    _queue: asyncio.Queue[Event] = field(default_factory=lambda: asyncio.Queue(QUEUE))

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        # The environment names the proxy that knows the cluster's Services.
        self._session = await self._stack.enter_async_context(aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=True))
        self._workers = [asyncio.create_task(self._work()) for _ in range(WORKERS)]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for worker in self._workers:
            worker.cancel()
        await asyncio.wait(self._workers)
        await self._stack.aclose()

    def put(self, event: Event) -> None:
        """Queue an event; never waits."""
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self.dropped += 1
            if self.dropped.bit_count() == 1:  # 1, 2, 4, 8, ...: a dead sink does not fill the log
                logger.warning("the queue for %s is full; %d events dropped so far", self.url, self.dropped)

    async def _work(self) -> None:
        while True:
            await self._send(await self._queue.get())

    async def _send(self, event: Event) -> None:
        with suppress(aiohttp.ClientError, TimeoutError):
            async with self._session.post(self.url, data=event.body, headers=event.headers) as answer:
                self.sent += 1
                if answer.status != 200:  # the only answer it takes for success; nothing is sent twice
                    logger.warning("%s answered %d", self.url, answer.status)
