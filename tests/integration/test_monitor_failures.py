"""The monitor is never in the request path: flooded, hanging or dead, it changes neither the latency nor the errors of serving."""

import asyncio
import itertools
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
import pytest

from tests.monitorprocess import REQUEST, RESPONSE
from tests.scene import HOST, NAME, Scene, bodies, first_answer
from tests.waiting import eventually

REQUESTS = 150
RATE = 100.0
SLOWER, SLACK = 3.0, 0.05
"""A median is "unchanged" below so many times the undisturbed one plus so many seconds: everything here shares one machine."""
TRIES = 5
"""What else this machine does passes; what the monitor does to serving would be there each time."""


@pytest.fixture
def with_monitor(monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setenv("HEADGATE_MONITOR_QUEUE_EVENTS", "100")
    return True


async def test_a_monitor_flooded_hanging_or_dead_changes_neither_latency_nor_errors_of_serving(
    scene: Scene, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    export, columns = make_export(tmp_path / "s", "1"), make_columns(200, seed=5)
    await scene.apply(export, drift={})
    status = await scene.serving(export)
    assert status.stable is not None
    pid = scene.cluster.pids()["monitor"]
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        await first_answer(session, scene.cluster.gateway_url)
        await latency(session, scene, columns)  # warms up
        await eventually(lambda: collected(scene, "collected"))
        most = SLOWER * await latency(session, scene, columns) + SLACK

        async def unchanged(how: str) -> None:
            found = [await latency(session, scene, columns)]
            while found[-1] > most and len(found) < TRIES:
                found.append(await latency(session, scene, columns))
            assert found[-1] <= most, (how, most, found)

        async with flooded(scene, status.stable.id, columns):
            await unchanged("flooded")
        os.kill(pid, signal.SIGSTOP)
        await unchanged("hanging")
        os.kill(pid, signal.SIGKILL)
        await eventually(lambda: "monitor" not in scene.cluster.pids())
        await unchanged("dead")


async def latency(session: aiohttp.ClientSession, scene: Scene, columns: Any) -> float:
    """Send requests at a steady rate; every one must be answered with 200. Return the median time to an answer, seconds."""

    async def ask(body: Any) -> float:
        began = time.perf_counter()
        async with session.post(f"{scene.cluster.gateway_url}/v2/models/{NAME}/infer", json=body, headers={"Host": HOST}) as answer:
            await answer.read()
            assert answer.status == 200, await answer.text()
        return time.perf_counter() - began

    tasks = []
    for _, body in zip(range(REQUESTS), bodies(columns), strict=False):
        tasks.append(asyncio.create_task(ask(body)))
        await asyncio.sleep(1 / RATE)
    return median(await asyncio.gather(*tasks))


@asynccontextmanager
async def flooded(scene: Scene, version: str, columns: Any) -> AsyncIterator[None]:
    """Send the monitor payloads of ten windows each until the block ends, which begins when that is more than it can read and keep."""
    url = f"{scene.cluster.monitor_url}/v1/events/{NAME}/{version}"
    request = json.dumps({"inputs": {name: list(values) * 25 for name, values in columns.items()}}).encode()
    response = json.dumps({"predictions": [0.5] * 5000}).encode()

    async def flood(session: aiohttp.ClientSession, sender: int) -> None:
        for number in itertools.count():
            for kind, body in ((REQUEST, request), (RESPONSE, response)):
                with suppress(aiohttp.ClientError, TimeoutError):
                    async with session.post(url, data=body, headers={"ce-id": f"{sender}-{number}", "ce-type": kind}) as answer:
                        await answer.read()

    async def overloaded() -> bool:
        """Its queue has been full again and again. How much it reads beside that depends on what else this machine does."""
        return await collected(scene, "dropped") > 300

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        senders = [asyncio.create_task(flood(session, number)) for number in range(12)]
        try:
            await eventually(overloaded)
            yield
        finally:
            for sender in senders:
                sender.cancel()
            await asyncio.wait(senders)


async def collected(scene: Scene, result: str) -> float:
    """How many events the monitor counted with this result."""
    async with aiohttp.ClientSession() as session, session.get(f"{scene.cluster.monitor_url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return sum(
        float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith("headgate_monitor_events_total") and f'result="{result}"' in line
    )
