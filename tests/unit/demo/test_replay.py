import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from headgate_devcluster.demo.replay import Replay, infer_request
from tests.served import routes, served

ROWS = [{"carrier": "UA", "distance": 1400.0, "temp": None}, {"carrier": None, "distance": 200.0, "temp": 70.2}]


@asynccontextmanager
async def server(handler: web.RequestHandler) -> AsyncIterator[str]:
    async with served(routes(web.post("/infer", handler))) as url:
        yield f"{url}/infer"


def replay(url: str, rows: list[dict[str, object]], rate: float = 200, timeout: float = 60) -> Replay:
    return Replay(url, host="model.example.com", rows=iter(rows), categories=frozenset({"carrier"}), rate=rate, timeout=timeout)


def test_a_row_becomes_one_tensor_a_feature_with_null_for_missing() -> None:
    assert infer_request(ROWS[0], frozenset({"carrier"})) == {
        "inputs": [
            {"name": "carrier", "shape": [1], "datatype": "BYTES", "data": ["UA"]},
            {"name": "distance", "shape": [1], "datatype": "FP64", "data": [1400.0]},
            {"name": "temp", "shape": [1], "datatype": "FP64", "data": [None]},
        ]
    }


async def test_requests_arrive_in_order_with_the_host_header() -> None:
    seen: list[tuple[str, object]] = []

    async def handle(request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        seen.append((request.host, body["inputs"][1]["data"][0]))
        return web.json_response({}, headers={"x-headgate-revision": "ra"})

    async with server(handle) as url:
        running = replay(url, [{"carrier": "UA", "distance": float(n)} for n in range(10)], rate=20)  # one connection is enough
        await running.run()
    assert seen == [("model.example.com", float(n)) for n in range(10)]
    assert running.tally.requests == {"ra": 10}
    assert running.tally.bad.total() == 0


async def test_bad_answers_are_blamed_on_the_version_that_gave_them() -> None:
    turns = itertools.cycle([("ra", 200), ("rb", 500), ("", 503)])

    async def handle(_: web.Request) -> web.Response:
        revision, status = next(turns)
        return web.Response(status=status, headers={"x-headgate-revision": revision} if revision else {})

    async with server(handle) as url:
        running = replay(url, ROWS * 3)
        await running.run()
    tally = running.tally
    assert tally.requests == {"ra": 2, "rb": 2, "": 2}
    assert tally.bad == {"rb": 2, "": 2}
    assert tally.errors_from_other_causes("rb") == 2
    assert tally.causes == {"rb: HTTP 500": 2, "no version: HTTP 503": 2}


async def test_a_request_without_an_answer_counts_as_failed() -> None:
    async def handle(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with server(handle) as url:
        running = replay(url, ROWS, timeout=0.1)
        await running.run()
    assert running.tally.bad[""] == 2
    assert running.tally.causes == {"no version: TimeoutError": 2}


async def test_stop_ends_an_endless_replay_after_the_requests_in_flight() -> None:
    started = asyncio.Event()

    async def handle(_: web.Request) -> web.Response:
        started.set()
        return web.json_response({}, headers={"x-headgate-revision": "ra"})

    async with server(handle) as url:
        running = Replay(url, host="h", rows=itertools.cycle(ROWS), categories=frozenset(), rate=100, timeout=60)
        task = asyncio.create_task(running.run())
        await asyncio.wait_for(started.wait(), 60)
        running.stop()
        await asyncio.wait_for(task, 60)
    assert running.tally.requests["ra"] == running.tally.requests.total() > 0
    assert running.tally.latency("ra", 0.5) is not None


async def test_a_replay_waits_for_the_first_stamped_answer() -> None:
    answers = iter([404, 404, 400])
    seen: list[int] = []

    async def handle(_: web.Request) -> web.Response:
        seen.append(status := next(answers))
        return web.Response(status=status, headers={"x-headgate-revision": "ra"} if status == 400 else {})

    async with server(handle) as url:
        waiting = replay(url, ROWS)
        assert await waiting.wait_until_served(60)
        assert seen == [404, 404, 400]
        assert waiting.tally.requests.total() == 0, "waiting is not traffic"


async def test_a_gateway_that_never_serves_is_given_up() -> None:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(status=404)

    async with server(handle) as url:
        assert not await replay(url, ROWS).wait_until_served(0.2)
