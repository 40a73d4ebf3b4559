"""The stand-in for KServe's agent between real servers: what it passes on, what it tells the sink, what it loses."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from headgate_devcluster.kserve.agent.events import REQUEST, RESPONSE, Origin
from headgate_devcluster.kserve.agent.proxy import Proxy, application
from headgate_devcluster.kserve.agent.sink import QUEUE, WORKERS, Sink
from tests.served import everything, served
from tests.waiting import eventually

REQUEST_ID = "3c9f"


@dataclass
class Bench:
    """A model server, the agent before it, and the sink."""

    client: aiohttp.ClientSession
    events: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    """The sink answers nothing before this is set."""
    url: str = ""
    sink: Sink = field(default_factory=lambda: Sink(""))

    async def collect(self, request: web.Request) -> web.Response:
        await self.release.wait()
        self.events.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return web.Response()

    async def ask(self, path: str = "/v2/models/m/infer", **headers: str) -> tuple[int, str]:
        sent = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.post(self.url + path, data=b'{"inputs": []}', headers=sent) as answer:
            return answer.status, await answer.text()

    async def until(self, met: Callable[[], bool]) -> None:
        await eventually(met)


async def model(request: web.Request) -> web.Response:
    status = {"/fail": 500, "/bad": 400}.get(request.path, 200)
    return web.Response(status=status, text=f"{request.method} {request.path_qs} {await request.text()}", headers={"X-Model": "m"})


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(aiohttp.ClientSession())
        made = Bench(client)
        made.release.set()
        target = await stack.enter_async_context(served(everything(model)))
        collector = await stack.enter_async_context(served(everything(made.collect)))
        made.sink = await stack.enter_async_context(Sink(f"{collector}/v1/events/m/r1"))
        origin = Origin("m-1", "ml", metadata_headers=("X-Request-Id",))
        made.url = await stack.enter_async_context(served(application(Proxy(target, "all", origin, made.sink, client))))
        stack.callback(made.release.set)  # before the servers close: they wait for what is under way
        yield made


async def test_an_answer_passes_unchanged_and_two_events_with_one_id_tell_of_it(bench: Bench) -> None:
    assert await bench.ask("/v2/models/m/infer?a=%20b") == (200, 'POST /v2/models/m/infer?a=%20b {"inputs": []}')
    await bench.until(lambda: len(bench.events) == 2)
    (asked, question), (answered, answer) = sorted(bench.events, key=lambda event: event[0]["ce-type"])
    assert (asked["ce-type"], answered["ce-type"]) == (REQUEST, RESPONSE)
    assert asked["ce-id"] == answered["ce-id"]
    assert (question, answer) == (b'{"inputs": []}', b'POST /v2/models/m/infer?a=%20b {"inputs": []}')
    assert (asked["ce-inferenceservicename"], asked["ce-namespace"], asked["ce-component"]) == ("m-1", "ml", "predictor")
    assert (asked["ce-specversion"], asked["ce-source"]) == ("1.0", "http://localhost:9081/")


async def test_the_headers_asked_for_are_metadata_and_the_senders_id_is_kept(bench: Bench) -> None:
    await bench.ask(x_request_id=REQUEST_ID, ce_id="their-own")
    await bench.until(lambda: len(bench.events) == 2)
    for headers, _ in bench.events:
        assert json.loads(headers["ce-metadata"]) == {"X-Request-Id": [REQUEST_ID]}
        assert headers["ce-id"] == "their-own"


async def test_a_response_event_carries_the_content_type_of_the_request(bench: Bench) -> None:
    await bench.ask(content_type="application/octet-stream")
    await bench.until(lambda: len(bench.events) == 2)
    assert {headers["content-type"] for headers, _ in bench.events} == {"application/octet-stream"}


@pytest.mark.parametrize("path", ["/fail", "/bad"])
async def test_a_failure_leaves_a_request_without_a_response(bench: Bench, path: str) -> None:
    status, _ = await bench.ask(path)
    await bench.ask(ce_id="next")
    await bench.until(lambda: len(bench.events) == 3)
    assert status == {"/fail": 500, "/bad": 400}[path]
    assert sorted(headers["ce-type"] for headers, _ in bench.events if headers["ce-id"] != "next") == [REQUEST]


async def test_probes_are_not_logged(bench: Bench) -> None:
    assert (await bench.ask("/v2/health/ready", user_agent="kube-probe/1.35"))[0] == 200
    await bench.ask(ce_id="only")
    await bench.until(lambda: len(bench.events) == 2)
    assert {headers["ce-id"] for headers, _ in bench.events} == {"only"}


async def test_a_sink_that_hangs_costs_events_and_no_answer(bench: Bench) -> None:
    bench.release.clear()
    asked = QUEUE + WORKERS
    answers = [(await bench.ask())[0] for _ in range(asked)]
    assert answers == [200] * asked
    assert bench.sink.dropped == 2 * asked - QUEUE - WORKERS
