"""Asking a candidate its golden inputs: outside of any look, never mistaking silence for a mismatch."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from headgate_operator.api.reasons import Reason
from headgate_operator.controller.resources import CONFIG_MAPS, HTTP_ROUTES
from tests.served import everything, served

KEY = ("ml", "flight-delay")
GOLDEN = {
    "format": 1,
    "request": {"inputs": [{"name": "temp", "shape": [2], "datatype": "FP64", "data": [1.5, None]}]},
    "outputs": {"probability": [0.25, 0.5]},
}


def expecting(outputs: str) -> dict[str, str]:
    return {"golden.json": f'{{"format": 1, "request": {{"inputs": []}}, "outputs": {outputs}}}'}


async def test_the_candidate_is_asked_its_golden_inputs_once_it_is_ready(world, monkeypatch) -> None:
    asked: list[tuple[str, dict]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((str(request.url), await request.json()))
        assert request.headers["x-headgate-parity"] == "1"
        return web.json_response({"outputs": [{"name": "probability", "data": [0.25, 0.9]}]})

    async with everywhere(answer, monkeypatch):
        await golden(world, GOLDEN)
        await world.manifest(parity={"mode": "Required", "golden": {"configMap": "g"}})
        await world.reconciler.look(KEY)
        early = (await world.snapshot()).observed.parity
        assert (early.asked, len(early.golden), asked) == (False, 64, []), "not ready yet: pinned, not asked"
        await world.reconciler.look(KEY)
        assert (await world.status()).candidate.golden == early.golden
        await world.kserve()
        parity = await _answered(world)
    isvc = (await world.status()).candidate.isvc
    assert asked == [(f"http://{isvc}-predictor.ml.svc.cluster.local/v2/models/flight-delay/infer", GOLDEN["request"])]
    assert parity.unavailable is None
    assert "probability differs in 1 of 2 rows; the largest difference is 0.4 at row 1 (0.9 instead of 0.5)" in parity.mismatch
    assert len(parity.golden) == 64


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (500, "it raised", "answered HTTP 500: it raised"),
        (200, "<html>", "answered something that is not JSON"),
        (200, "[]", "answered JSON that is no object"),
        (302, "elsewhere", "answered HTTP 302"),
        (200, " " * 5_000_000, "its answer is larger than 4 MB"),
    ],
    ids=["error", "not JSON", "no object", "redirect", "huge"],
)
async def test_an_answer_that_cannot_be_compared_is_no_mismatch(world, monkeypatch, status, body, said) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body, headers={"Location": "/"} if status == 302 else None)

    async with everywhere(answer, monkeypatch):
        parity = await _ready_parity(world)
    reason, message = parity.unavailable
    assert reason is Reason.PARITY_UNAVAILABLE
    assert said in message
    assert parity.mismatch is None


async def test_a_candidate_that_cannot_be_reached_is_no_mismatch(world, monkeypatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    parity = await _ready_parity(world)
    assert parity.unavailable[0] is Reason.PARITY_UNAVAILABLE


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "ConfigMap g does not exist; apply it before the ModelDeployment"),
        ({"other": "x"}, "ConfigMap g has no key golden.json"),
        ({"golden.json": "{"}, "is not JSON"),
        ({"golden.json": '{"format": 2}'}, "is not a golden set of format 1"),
        ({"golden.json": '{"format": 1, "request": {"inputs": 3}, "outputs": {}}'}, "is not a golden set of format 1"),
        (expecting("{}"), "has no outputs to compare with"),
        (expecting('{"probability": 0.25}'), "the output probability must be a list of finite numbers"),
        (expecting('{"probability": []}'), "the output probability must be a list of finite numbers"),
        (expecting('{"probability": [0.25, null]}'), "the output probability must be a list of finite numbers"),
        (expecting('{"probability": [0.25, NaN]}'), "the output probability must be a list of finite numbers"),
    ],
)
async def test_a_golden_set_that_cannot_be_used_is_missing_and_says_why(world, data, said) -> None:
    parity = await _ready_parity(world, data=data)
    reason, message = parity.unavailable
    assert reason is Reason.GOLDEN_MISSING
    assert said in message


async def test_a_candidate_that_speaks_v1_is_asked_in_v1(world, monkeypatch) -> None:
    asked: list[tuple[str, dict]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.path, await request.json()))
        return web.json_response({"predictions": [{"probability": 0.25}, {"probability": 0.5}]})

    async with everywhere(answer, monkeypatch):
        parity = await _ready_parity(world, protocol="v1", modelName="other")
    assert asked == [("/v1/models/other:predict", {"instances": [{"temp": 1.5}, {"temp": None}]})]
    assert (parity.mismatch, parity.unavailable) == (None, None)


async def _ready_parity(world, data=False, **model):
    if data is False:
        await golden(world, GOLDEN)
    elif data is not None:
        await _config_map(world, data)
    full = {"uri": "s3://m/1", "format": {"name": "xgboost"}, "runtime": "headgate-xgboost"} | model
    await world.manifest(model=full, parity={"mode": "Required", "golden": {"configMap": "g"}})
    await world.reconciler.look(KEY)
    await world.kserve()
    return await _answered(world)


async def _answered(world):
    """The answer that a look finds once the candidate was asked, which no look waits for."""
    return await _woken_until(world, lambda parity: parity.asked, (await world.snapshot()).observed.parity)


async def _woken_until(world, met, parity):
    """What a look finds, once it is as wanted; nothing but the queue says when to look: a write wakes a look, and so does an answer."""
    async with asyncio.timeout(60):
        while not met(parity):
            assert (await world.queue.get())[0] == KEY
            world.queue.done(KEY)
            parity = (await world.snapshot()).observed.parity
    return parity


async def test_a_candidate_that_takes_its_time_holds_no_look_up_and_is_asked_once(world, monkeypatch) -> None:
    asked, let_go = [], asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        asked.append(request)
        await let_go.wait()
        return web.json_response({"outputs": [{"name": "probability", "data": [0.25, 0.5]}]})

    async with everywhere(answer, monkeypatch):
        await golden(world, GOLDEN)
        await world.manifest(parity={"mode": "Required", "golden": {"configMap": "g"}})
        await world.reconciler.look(KEY)
        await world.kserve()
        for _ in range(3):
            async with asyncio.timeout(5):
                await world.reconciler.look(KEY)
        assert (await world.status()).candidate.parity is None
        let_go.set()
        async with asyncio.timeout(60):
            while (await world.status()).stable is None:
                await world.queue.get()
                world.queue.done(KEY)
                await world.reconciler.look(KEY)
                await world.kserve()
                if await world.admin.get(HTTP_ROUTES, *KEY) is not None:
                    await world.gateway()
    assert len(asked) == 1


async def test_a_candidate_that_gave_no_answer_is_asked_again_and_what_it_said_stands_meanwhile(world, monkeypatch) -> None:
    codes = [500, 200]

    async def answer(_: web.Request) -> web.Response:
        code = codes.pop(0)
        body = {"outputs": [{"name": "probability", "data": [0.25, 0.5]}]} if code == 200 else {}
        return web.json_response(body, status=code)

    async with everywhere(answer, monkeypatch):
        first = await _ready_parity(world)
        assert first.unavailable is not None
        assert codes == [200], "a look that finds an answer asks nothing"
        assert (await world.snapshot()).observed.parity == first, "it stands while the candidate is asked again"
        second = await _woken_until(world, lambda parity: parity.unavailable is None, first)
    assert (second.mismatch, codes) == (None, [])


async def golden(world, content) -> None:
    await _config_map(world, {"golden.json": json.dumps(content)})


async def _config_map(world, data) -> None:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "g", "namespace": "ml"}, "data": data}
    await world.admin.apply(CONFIG_MAPS, obj, field_manager="person")


@asynccontextmanager
async def everywhere(answer, monkeypatch):
    """An HTTP proxy that knows every cluster-local name and gives all of them the same answer."""
    async with served(everything(answer)) as url:
        monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
        monkeypatch.setenv("http_proxy", url)
        yield
