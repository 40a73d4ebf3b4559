"""Sends recorded requests through the gateway at a steady rate, in order, and counts the answers by the version that gave them.

An open loop: requests leave on schedule whether or not earlier ones were answered, as real clients do. Both the number in flight and
the number of requests are bounded.
"""

import asyncio
import contextlib
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from headgate_operator.api.names import REVISION_HEADER

Row = Mapping[str, str | float | int | None]

MAX_IN_FLIGHT: Final = 200
LATENCY_WINDOW: Final = 500
UNKNOWN_REVISION: Final = ""
_PROBE_SECONDS: Final = 0.05


def infer_request(row: Row, categories: frozenset[str]) -> dict[str, Any]:
    """Write one flight as a V2 inference request: one tensor a feature, by name, null for missing."""
    return {
        "inputs": [
            {"name": name, "shape": [1], "datatype": "BYTES" if name in categories else "FP64", "data": [value]}
            for name, value in row.items()
        ]
    }


@dataclass
class Tally:
    """What clients saw so far, by revision id; the empty id stands for answers that no version stamped."""

    requests: Counter[str] = field(default_factory=Counter)
    bad: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    late: int = 0
    """Requests that left later than planned because too many were in flight."""
    _latencies: dict[str, deque[float]] = field(default_factory=dict)

    def answered(self, revision: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self.requests[revision] += 1
        self._latencies.setdefault(revision, deque(maxlen=LATENCY_WINDOW)).append(seconds)
        if not 200 <= status < 300:
            self.bad[revision] += 1
            self.causes[f"{revision or 'no version'}: HTTP {status}"] += 1

    def failed(self, cause: str) -> None:
        """Count one request that got no answer."""
        self.requests[UNKNOWN_REVISION] += 1
        self.bad[UNKNOWN_REVISION] += 1
        self.causes[f"no version: {cause}"] += 1

    def latency(self, revision: str, quantile: float) -> float | None:
        """Return a quantile of the last few hundred answers of a revision, in seconds."""
        recent = sorted(self._latencies.get(revision, ()))
        return recent[min(len(recent) - 1, int(quantile * len(recent)))] if recent else None

    def errors_from_other_causes(self, blamed: str) -> int:
        """Count bad answers that the blamed revision did not give."""
        return sum(count for revision, count in self.bad.items() if revision != blamed)


class Replay:
    """A running replay; `stop` ends it after the requests in flight were answered."""

    def __init__(self, url: str, *, host: str, rows: Iterator[Row], categories: frozenset[str], rate: float, timeout: float) -> None:
        """Send to `url` with this Host header, `rate` requests a second; give up on one after `timeout` seconds."""
        self.tally = Tally()
        self._url, self._host, self._rows, self._categories, self._rate = url, host, rows, categories, rate
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._in_flight: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    async def wait_until_served(self, seconds: float) -> bool:
        """Ask until the gateway serves the route; a route is accepted a moment before every thread of the gateway knows it."""
        async with aiohttp.ClientSession(timeout=self._timeout, trust_env=False) as session:
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with session.post(self._url, json={}, headers={"Host": self._host}) as answer:
                        if REVISION_HEADER in answer.headers:
                            return True
                await asyncio.sleep(_PROBE_SECONDS)
        return False

    async def run(self) -> None:
        """Send until `stop` is called or there are no rows left."""
        connector = aiohttp.TCPConnector(limit=MAX_IN_FLIGHT)
        async with aiohttp.ClientSession(connector=connector, timeout=self._timeout, trust_env=False) as session:
            due = time.monotonic()
            for row in self._rows:
                if await self._wait_until(due):
                    break
                await self._make_room()
                task = asyncio.create_task(self._send(session, row))
                self._in_flight.add(task)
                task.add_done_callback(self._in_flight.discard)
                due = max(due + 1 / self._rate, time.monotonic() - 1)  # never catch up by more than a second's worth
            await asyncio.gather(*self._in_flight)

    def stop(self) -> None:
        """Send no more."""
        self._stopping.set()

    async def _wait_until(self, due: float) -> bool:
        delay = due - time.monotonic()
        if delay <= 0:
            return self._stopping.is_set()
        try:
            await asyncio.wait_for(self._stopping.wait(), delay)
        except TimeoutError:
            return False
        return True

    async def _make_room(self) -> None:
        if len(self._in_flight) >= MAX_IN_FLIGHT:
            self.tally.late += 1
            await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)

    async def _send(self, session: aiohttp.ClientSession, row: Row) -> None:
        started = time.monotonic()
        try:
            async with session.post(self._url, json=infer_request(row, self._categories), headers={"Host": self._host}) as answer:
                await answer.read()
                self.tally.answered(answer.headers.get(REVISION_HEADER, UNKNOWN_REVISION), answer.status, time.monotonic() - started)
        except (aiohttp.ClientError, TimeoutError) as error:
            self.tally.failed(type(error).__name__)
