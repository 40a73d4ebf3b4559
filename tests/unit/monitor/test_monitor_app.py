"""The monitor as a real process: started, asked, sent nonsense, killed, started again."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

from tests.monitorprocess import REQUEST, RESPONSE, Process
from tests.waiting import eventually


@pytest.fixture
async def monitor(tmp_path: Path) -> AsyncIterator[Process]:
    made = Process(tmp_path)
    made.fit()
    await made.start()
    yield made
    await made.end(signal.SIGKILL)


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        yield session


async def ask(client: aiohttp.ClientSession, monitor: Process) -> dict[str, Any]:
    async with client.post(f"{monitor.url}/v1/drift/flights", json=monitor.question()) as answer:
        assert answer.status == 200, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found


async def send(client: aiohttp.ClientSession, monitor: Process, body: bytes, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client.post(f"{monitor.url}/v1/events/flights/r1", data=body, headers=named) as answer:
        await answer.read()
        return answer.status


async def metrics(client: aiohttp.ClientSession, monitor: Process) -> str:
    async with client.get(f"{monitor.url}/metrics") as answer:
        return await answer.text()


async def window_of_150_rows(client: aiohttp.ClientSession, monitor: Process) -> dict[str, Any]:
    rows = np.random.default_rng(7).normal(size=(150, 1)).tolist()
    body, answer = json.dumps({"instances": rows}).encode(), json.dumps({"predictions": [row[0] for row in rows]}).encode()
    assert await send(client, monitor, body, ce_id="window", ce_type=REQUEST) == 200
    assert await send(client, monitor, answer, ce_id="window", ce_type=RESPONSE) == 200

    async def counted() -> Any:
        found = await ask(client, monitor)
        return found if found["window"] else None

    return await eventually(counted)


async def test_events_become_verdicts_which_a_crash_does_not_lose(client: aiohttp.ClientSession, monitor: Process) -> None:
    assert (await ask(client, monitor))["input"]["signal"] == "Unknown"
    found = await window_of_150_rows(client, monitor)
    assert found["input"]["signal"] == "Clean"
    await monitor.end(signal.SIGKILL)
    await monitor.start()
    assert await ask(client, monitor) == found
    async with client.get(f"{monitor.url}/v1/drift/flights") as answer:
        (feature,) = (await answer.json())["versions"]["r1"]["features"]
    assert (feature["name"], sum(feature["current"]), sum(feature["reference"])) == ("a", 150, 2000)
    assert len(feature["reference"]) == len(feature["bins"]) + 1
    async with client.get(f"{monitor.url}/v1/drift/others") as answer:
        assert answer.status == 404


async def test_it_ends_in_time_when_told_to(client: aiohttp.ClientSession, monitor: Process) -> None:
    await ask(client, monitor)
    assert await monitor.end(signal.SIGTERM) == 0


NONSENSE: list[tuple[bytes, dict[str, str], int]] = [
    (b"{}", {}, 400),
    (b"{}", {"ce_id": "1", "ce_type": "other"}, 400),
    (b"\xff" * 100, {"ce_id": "2", "ce_type": REQUEST}, 200),
    (b"nonsense", {"content_type": "application/cloudevents+json"}, 200),
    (b"[1, {}]", {"content_type": "application/cloudevents-batch+json"}, 200),
    (b"<a/>", {"content_type": "application/cloudevents+xml"}, 400),
    (b"x" * 1_000_001, {"ce_id": "3", "ce_type": REQUEST}, 413),
]


async def test_nonsense_is_answered_and_survived(client: aiohttp.ClientSession, monitor: Process) -> None:
    await ask(client, monitor)
    for body, headers, status in NONSENSE:
        assert await send(client, monitor, body, **headers) == status, body[:20]
    assert (await window_of_150_rows(client, monitor))["input"]["signal"] == "Clean"
    shown = await metrics(client, monitor)
    assert 'headgate_monitor_events_total{reason="request",result="collected"} 2.0' in shown
    assert 'headgate_monitor_windows_total{deployment="flights"} 1.0' in shown
    assert 'headgate_monitor_signal{comparison="reference",deployment="flights",version="r1"} 0.0' in shown
    assert 'headgate_monitor_distance{deployment="flights",feature="a",version="r1"} 0.' in shown
    assert 'headgate_monitor_window_rows{deployment="flights",version="r1"} 150.0' in shown
    assert 'headgate_monitor_detector_info{alibi_detect="0.11.4",licence="Apache-2.0"} 1.0' in shown


async def label(client: aiohttp.ClientSession, monitor: Process, body: bytes, kind: str = "application/json") -> tuple[int, str]:
    async with client.post(f"{monitor.url}/v1/ground-truth/flights", data=body, headers={"Content-Type": kind}) as answer:
        return answer.status, await answer.text()


async def test_labels_are_counted_to_their_sender_and_nonsense_is_answered(client: aiohttp.ClientSession, monitor: Process) -> None:
    assert (await label(client, monitor, b"[]"))[0] == 404
    with_labels = monitor.question() | {"groundTruth": {"horizon": "1d"}, "trial": {"id": "r2", "reference": "s3://m"}}
    async with client.post(f"{monitor.url}/v1/drift/flights", json=with_labels) as answer:
        assert answer.status == 200
    assert await send(client, monitor, b'{"id": "q1", "instances": [[1], [2]]}', ce_id="1", ce_type=REQUEST) == 200
    assert await send(client, monitor, b'{"predictions": [0.2, 0.7]}', ce_id="1", ce_type=RESPONSE) == 200

    async def labelled_again() -> tuple[int, str] | None:
        """The answer, once the events were read."""
        answer = await label(client, monitor, b'{"id": "q1", "row": 1, "value": 1}\n{"id": "q1"}\n', "application/x-ndjson")
        return answer if json.loads(answer[1])["counts"]["repeated"] else None

    status, text = await eventually(labelled_again)
    found = json.loads(text)["counts"]
    assert (status, found["unknown"], found["malformed"]) == (200, 0, 1)
    assert json.loads(text)["problems"] == ["label 1: 'value' must be 0 or 1 (or false or true)"]
    for body, status in ((b"nonsense", 400), (b"{}", 400), (b"[" + b"1," * 20_000 + b"1]", 400), (b"x" * 1_000_001, 413)):
        assert (await label(client, monitor, body))[0] == status
    async with client.get(f"{monitor.url}/v1/ground-truth/flights") as answer:
        assert (await answer.json())["versions"]["r1"]["predictions"] == 0
    async with client.get(f"{monitor.url}/v1/ground-truth/other") as answer:
        assert answer.status == 404
    assert 'headgate_monitor_labels_total{result="repeated"} 1.0' in await metrics(client, monitor)


async def test_a_question_that_is_none_is_refused_with_a_sentence(client: aiohttp.ClientSession, monitor: Process) -> None:
    for body in ("", "[]", '{"stable": 1}', '{"stable": {"id": "", "reference": "x"}}', '{"stable": {"id": "r1"}}'):
        async with client.post(f"{monitor.url}/v1/drift/flights", data=body) as answer:
            assert answer.status == 400, body
            assert len((await answer.text()).splitlines()) == 1


async def test_what_it_cannot_do_is_one_sentence(monitor: Process, tmp_path: Path) -> None:
    address = monitor.url.removeprefix("http://")
    for argv, sentence in (
        (["--address", address, "--state", str(tmp_path / "two")], "cannot listen on"),
        (["--address", "nowhere"], "is not <host>:<port>"),
        (["--state", "/dev/null/state"], "/dev/null"),
    ):
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "headgate_monitor", *argv, stderr=asyncio.subprocess.PIPE, env=dict(os.environ)
        )
        async with asyncio.timeout(60):
            _, said = await child.communicate()
        assert child.returncode
        assert sentence in said.decode()
        assert "Traceback" not in said.decode()
