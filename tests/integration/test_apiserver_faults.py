"""The API server double under injected faults, as its clients see it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from headgate_devcluster.apiclient import ApiClient, ApiError
from headgate_devcluster.apiserver import ApiServer
from headgate_devcluster.apiserver.faults import EVERYONE, Effect, Fault, Moment
from headgate_devcluster.errors import ClusterError
from headgate_devcluster.faults import BlindWatches, ClusterFaults, CrashPod, CutWatches
from tests.waiting import eventually

CREATE = frozenset({"create"})


def config_map(name: str = "c") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    async with ApiServer() as server:
        yield server


@pytest.fixture
async def api(server: ApiServer) -> AsyncIterator[ApiClient]:
    async with ApiClient(server.url) as api:
        yield api


@pytest.fixture
def faults(server: ApiServer) -> ClusterFaults:
    return ClusterFaults(server, dict, lambda: None)


async def names(api: ApiClient) -> list[str]:
    return [item["metadata"]["name"] for item in await api.list("v1", "configmaps", "default")]


@pytest.mark.parametrize("code", [409, 429, 500, 504])
async def test_an_error_is_answered_as_the_real_server_words_it_and_nothing_is_written(
    server: ApiServer, api: ApiClient, faults: ClusterFaults, code: int
) -> None:
    faults.inject(Fault(effect=Effect.ERROR, code=code, verbs=CREATE, client=EVERYONE, limit=1, retry_after=7))
    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"{server.url}/api/v1/namespaces/default/configmaps", json=config_map())
        status = await answer.json()
        assert (answer.status, status["code"], status["kind"], answer.headers["Retry-After"]) == (code, code, "Status", "7")
    assert await names(api) == []
    await api.create(config_map())  # the limit was reached
    assert await names(api) == ["c"]


@pytest.mark.parametrize(("moment", "left"), [(Moment.BEFORE, []), (Moment.AFTER, ["c"])])
async def test_a_dropped_answer_leaves_the_client_not_knowing_whether_it_was_written(
    api: ApiClient, faults: ClusterFaults, moment: Moment, left: list[str]
) -> None:
    faults.inject(Fault(effect=Effect.DROP, verbs=CREATE, client=EVERYONE, moment=moment))
    with pytest.raises(ApiError) as caught:
        await api.create(config_map())
    assert caught.value.status == 0
    assert await names(api) == left


@pytest.mark.parametrize(("moment", "left"), [(Moment.BEFORE, []), (Moment.AFTER, ["c"])])
async def test_a_crash_kills_the_client_before_or_after_its_call(
    server: ApiServer, api: ApiClient, faults: ClusterFaults, moment: Moment, left: list[str]
) -> None:
    killed: list[list[str]] = []
    server.answering.crash = lambda: killed.append([obj["metadata"]["name"] for obj in server.store.items(("", "configmaps"))])
    faults.inject(Fault(effect=Effect.CRASH, verbs=CREATE, client=EVERYONE, moment=moment, limit=1))
    with pytest.raises(ApiError):
        await api.create(config_map())
    assert killed == [left]


async def test_latency_delays_an_answer(api: ApiClient, faults: ClusterFaults) -> None:
    faults.inject(Fault(effect=Effect.LATENCY, delay=0.3, client=EVERYONE))
    started = asyncio.get_running_loop().time()
    await names(api)
    assert asyncio.get_running_loop().time() - started >= 0.3


async def test_cut_watches_go_on_without_missing_anything(server: ApiServer, api: ApiClient, faults: ClusterFaults) -> None:
    async with asyncio.timeout(60):
        watch = api.watch("v1", "configmaps", "default")
        seen = asyncio.create_task(anext(watch))
        await eventually(lambda: server.store.history(("", "configmaps")).watchers)
        faults.inject(CutWatches("configmaps"))
        await api.create(config_map())
        assert (await seen)[0] == "ADDED"
        await watch.aclose()  # type: ignore[attr-defined]


async def test_a_blind_watch_misses_a_deletion_and_is_told_410(server: ApiServer, api: ApiClient, faults: ClusterFaults) -> None:
    await api.create(config_map())
    history = server.store.history(("", "configmaps"))
    async with asyncio.timeout(60), aiohttp.ClientSession() as session:
        query = {"watch": "true", "resourceVersion": str(server.store.revision)}
        async with session.get(f"{server.url}/api/v1/configmaps", params=query) as stream:
            await eventually(lambda: server.store.history(("", "configmaps")).watchers)
            name = faults.inject(BlindWatches("configmaps", seconds=60))
            await api.delete("v1", "configmaps", "default", "c")
            assert name is not None
            assert [item.id for item in faults.active()] == [name]
            faults.clear()
            lines = [line async for line in stream.content]
    assert len(lines) == 1
    assert b'"type":"ERROR"' in lines[0]
    assert b'"code":410' in lines[0]
    assert history.watchers == 0
    assert faults.active() == []


async def test_calls_are_recorded_with_their_client_and_code(api: ApiClient, faults: ClusterFaults) -> None:
    await api.create(config_map())
    with pytest.raises(ApiError):
        await api.create(config_map())
    told = [(item.call.verb, item.call.path, item.code) for item in faults.audit.of("headgate-devcluster", verbs=["create"])]
    assert told == [("create", "configmaps", 201), ("create", "configmaps", 409)]


async def test_what_does_not_run_cannot_be_crashed(faults: ClusterFaults) -> None:
    with pytest.raises(ClusterError, match="no process web-0 runs in this cluster"):
        faults.inject(CrashPod("web-0"))
