"""Breaking a running cluster on purpose, from Python and over its control endpoint."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from headgate_devcluster.apiserver.faults import Effect, Fault, Moment
from headgate_devcluster.cluster import Cluster
from headgate_devcluster.faults import FreezeGateway, KillOperator, PauseOperator, RestartGateway
from tests.waiting import eventually


@pytest.fixture
async def bare(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with Cluster(tmp_path, operator=False) as cluster:
        yield cluster


def state(pid: int) -> str:
    """Of a process, in the kernel's letters: T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def restarted(cluster: Cluster, first: int) -> bool:
    return cluster.pids().get("operator", first) != first


async def test_the_operator_is_killed_and_comes_back(cluster: Cluster) -> None:
    first = cluster.pids()["operator"]
    cluster.faults.inject(KillOperator())
    await eventually(lambda: restarted(cluster, first))


async def test_the_operator_is_killed_by_its_own_call(cluster: Cluster) -> None:
    first = cluster.pids()["operator"]
    cluster.faults.inject(Fault(effect=Effect.CRASH, verbs=frozenset({"watch", "list"}), moment=Moment.BEFORE))
    cluster.faults.inject(KillOperator())  # each one after it lists at once, and dies of it
    await eventually(lambda: restarted(cluster, first))
    second = cluster.pids()["operator"]
    await eventually(lambda: restarted(cluster, second))


async def test_a_paused_operator_goes_on_when_its_time_is_up(cluster: Cluster) -> None:
    pid = cluster.pids()["operator"]
    cluster.faults.inject(PauseOperator(seconds=0.5))
    while state(pid) != "T":  # without letting the event loop go on, or its time might be up before anybody has looked
        pass
    await eventually(lambda: state(pid) != "T")
    assert cluster.faults.active() == []


async def test_a_frozen_gateway_answers_nobody_until_it_is_cleared(bare: Cluster) -> None:
    bare.faults.inject(FreezeGateway())
    brief = aiohttp.ClientTimeout(total=0.3)
    async with aiohttp.ClientSession(timeout=brief) as session:
        with pytest.raises(TimeoutError):
            await session.get(bare.gateway_url)
    bare.faults.clear()
    async with aiohttp.ClientSession() as session, session.get(bare.gateway_url) as answer:
        assert answer.status == 404


async def test_a_gateway_that_restarts_keeps_its_address(bare: Cluster) -> None:
    first = bare.pids()["envoy"]
    bare.faults.inject(RestartGateway())
    await eventually(lambda: bare.pids()["envoy"] != first)

    async def answered() -> int:
        try:
            async with aiohttp.ClientSession() as session, session.get(bare.gateway_url) as answer:
                return answer.status
        except aiohttp.ClientError:
            return 0

    async def refused() -> bool:
        return await answered() == 404

    await eventually(refused)


async def test_a_cluster_with_a_frozen_gateway_goes_down_without_a_word(tmp_path: Path) -> None:
    async with Cluster(tmp_path, operator=False) as cluster:
        pid = cluster.pids()["envoy"]
        cluster.faults.inject(FreezeGateway())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_the_control_endpoint_injects_lists_and_clears(bare: Cluster) -> None:
    url = bare.facts().control_url
    fault = {"effect": "error", "code": 409, "verbs": ["update"], "resources": ["modeldeployments/status"], "seconds": 60}
    async with aiohttp.ClientSession() as session:
        assert await told(session.post(f"{url}/faults/Fault", json=fault)) == (201, {"id": "f1"})
        code, (listed,) = await told(session.get(f"{url}/faults"))
        assert (code, listed["id"], listed["kind"], listed["what"]["code"], listed["struck"]) == (200, "f1", "Fault", 409, 0)
        assert 0 < listed["secondsLeft"] <= 60
        assert await told(session.delete(f"{url}/faults/f1")) == (200, {})
        assert await told(session.delete(f"{url}/faults/f1")) == (
            404, {"error": "nothing with the id f1 is in force; it may be over already"}
        )  # fmt: skip
        assert await told(session.get(f"{url}/faults")) == (200, [])


@pytest.mark.parametrize(
    ("kind", "body", "code", "sentence"),
    [
        ("Nonsense", {}, 404, "there is no disturbance Nonsense; there are Fault, "),
        ("Fault", {"effect": "sleep"}, 400, "effect: Input should be 'error', 'latency', 'drop' or 'crash'"),
        ("KillOperator", {}, 409, "no process operator runs in this cluster; there are envoy"),
    ],
)
async def test_the_control_endpoint_says_what_is_wrong(bare: Cluster, kind: str, body: dict[str, Any], code: int, sentence: str) -> None:
    async with aiohttp.ClientSession() as session:
        answered, error = await told(session.post(f"{bare.facts().control_url}/faults/{kind}", json=body))
    assert (answered, error["error"].startswith(sentence)) == (code, True), error


async def test_a_web_page_cannot_use_the_control_endpoint(bare: Cluster) -> None:
    url = f"{bare.facts().control_url}/faults/FreezeGateway"
    async with aiohttp.ClientSession() as session:
        assert (await told(session.post(url, data="{}", headers={"Content-Type": "text/plain"})))[0] == 415
        assert (await told(session.post(url, json={}, headers={"Host": "rebound.example.com"})))[0] == 403
    assert bare.faults.active() == []


async def test_every_part_says_how_it_is(bare: Cluster) -> None:
    async with aiohttp.ClientSession() as session:
        code, parts = await told(session.get(f"{bare.facts().control_url}/parts"))
    assert code == 200
    assert {part["name"]: part["health"] for part in parts} == {
        "api-server": "ready", "kserve": "ready", "envoy": "ready", "operator": "not running"
    }  # fmt: skip
    addresses = {part["name"]: part["address"] for part in parts}
    assert (addresses["api-server"], addresses["envoy"]) == (bare.api_url, bare.gateway_url)


async def told(request: Any) -> tuple[int, Any]:
    async with request as answer:
        return answer.status, await answer.json()
