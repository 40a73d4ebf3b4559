"""`headgate dev` as people use it: up, status, logs, inject, down, and up again with everything still there."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.cluster import Cluster
from headgate_devcluster.lock import read_facts
from tests.devcommand import DEV, headgate_dev, processes_of
from tests.waiting import eventually


class Dev:
    """The command against one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def __call__(self, command: str, *arguments: str) -> str:
        code, out, err = await self.outcome(command, *arguments)
        assert code == 0, err
        return out

    async def outcome(self, command: str, *arguments: str) -> tuple[int, str, str]:
        return await headgate_dev(command, "--folder", str(self.folder), *arguments)


@pytest.fixture
async def dev(tmp_path: Path) -> AsyncIterator[Dev]:
    """The command, and a cluster without operator that it left running."""
    dev = Dev(tmp_path)
    await dev("up", "--detach", "--no-operator")
    try:
        yield dev
    finally:
        await dev("down")


async def test_up_says_what_is_ready_and_what_to_do_and_is_idempotent(tmp_path: Path) -> None:
    dev = Dev(tmp_path)
    try:
        told = await dev("up", "--detach", "--no-operator")
        facts = read_facts(tmp_path)
        assert facts is not None
        assert told.splitlines()[:2] == [f"ready: API server at {facts.api_url}", f"ready: gateway at {facts.gateway_url}"]
        assert f"export KUBECONFIG={tmp_path / 'kubeconfig'}" in told
        for options in (("--detach",), ()):
            again = await dev("up", *options)
            assert again.startswith(f"a cluster already runs in {tmp_path}\n")
            assert facts.api_url in again
        assert read_facts(tmp_path) == facts
    finally:
        await dev("down")
    assert processes_of(tmp_path) == []
    assert await dev("down") == f"no cluster runs in {tmp_path}\n"


async def test_status_shows_every_part(dev: Dev) -> None:
    told = json.loads(await dev("status", "-o", "json"))
    facts = read_facts(dev.folder)
    assert facts is not None
    parts = {part["name"]: part for part in told["parts"]}
    assert {name: part["health"] for name, part in parts.items()} == {
        "api-server": "ready", "kserve": "ready", "envoy": "ready", "operator": "not running"
    }  # fmt: skip
    assert (parts["api-server"]["pid"], parts["operator"]["pid"]) == (facts.pid, None)
    os.kill(parts["envoy"]["pid"], signal.SIGSTOP)
    try:
        table = (await dev("status")).splitlines()
    finally:
        os.kill(parts["envoy"]["pid"], signal.SIGCONT)
    assert table[-4:][0].split() == ["api-server", str(facts.pid), facts.api_url, "ready"]
    assert table[-2].split(maxsplit=3)[3] == "does not answer"
    assert next(line for line in table if line.startswith("gateway")).split()[1] == facts.gateway_url


async def test_status_without_a_cluster_says_how_to_start_one(tmp_path: Path) -> None:
    way_out = f"start it with `headgate dev up --folder {tmp_path}`"
    for command in (("status",), ("inject", "--list")):
        assert await Dev(tmp_path).outcome(*command) == (1, "", f"headgate: error: the cluster in {tmp_path} is not running; {way_out}\n")


async def test_objects_outlive_a_cluster_that_is_killed_until_a_fresh_start(tmp_path: Path) -> None:
    dev = Dev(tmp_path)
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept", "namespace": "ml"}}
    try:
        await dev("up", "--detach", "--no-operator")
        async with ApiClient(api_url(tmp_path)) as api:
            created = await api.create(made)
        facts = read_facts(tmp_path)
        assert facts is not None
        os.kill(facts.pid, signal.SIGKILL)
        await eventually(lambda: not processes_of(tmp_path))
        await dev("up", "--detach", "--no-operator")
        async with ApiClient(api_url(tmp_path)) as api:
            assert await api.get("v1", "configmaps", "ml", "kept") == created
        await dev("down")
        await dev("up", "--detach", "--no-operator", "--fresh")
        async with ApiClient(api_url(tmp_path)) as api:
            assert await api.get("v1", "configmaps", "ml", "kept") is None
    finally:
        await dev("down")


async def test_pods_of_an_earlier_cluster_are_not_ready_before_their_servers_run_again(tmp_path: Path, small_export: Path) -> None:
    isvc = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "m", "namespace": "ml", "annotations": {"serving.kserve.io/deploymentMode": "Standard"}},
        "spec": {"predictor": {"model": {
            "modelFormat": {"name": "xgboost", "version": "3"}, "runtime": "headgate-xgboost", "storageUri": f"file://{small_export}"
        }}},
    }  # fmt: skip
    async with Cluster(tmp_path, operator=False, persistent=True) as cluster:
        await cluster.api.apply(isvc, field_manager="t")
        await until_ready(cluster)
        (first,) = [pid for name, pid in cluster.pids().items() if name != "envoy"]
    async with Cluster(tmp_path, operator=False, persistent=True) as cluster:
        assert not await ready_pods(cluster)
        await until_ready(cluster)
        (second,) = [pid for name, pid in cluster.pids().items() if name != "envoy"]
        assert second != first
        assert len(await cluster.api.list("v1", "pods", "ml")) == 1


async def test_logs_of_one_part_and_of_all(dev: Dev) -> None:
    (dev.folder / "logs").mkdir(exist_ok=True)
    (dev.folder / "logs" / "web-0.log").write_text("one\ntwo\nthree\n")
    assert await dev("logs", "web-0") == "one\ntwo\nthree\n"
    assert await dev("logs", "we", "--tail", "1") == "three\n"
    everything = (await dev("logs", "--tail", "2")).splitlines()
    assert [line for line in everything if line.startswith("web-0")] == ["web-0   | two", "web-0   | three"]
    assert any(line.startswith("cluster | ") for line in everything)
    code, _, err = await dev.outcome("logs", "nobody")
    assert (code, err.startswith(f"headgate: error: there is no log of nobody in {dev.folder}; there are cluster, ")) == (1, True)


async def test_logs_are_followed_until_the_end_of_the_cluster(tmp_path: Path) -> None:
    dev = Dev(tmp_path)
    await dev("up", "--detach", "--no-operator")
    log = tmp_path / "logs" / "web-0.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text("one\n")
    following = await asyncio.create_subprocess_exec(*DEV, "logs", "web-0", "-f", "--folder", str(tmp_path), stdout=asyncio.subprocess.PIPE)
    assert following.stdout is not None
    try:
        async with asyncio.timeout(60):
            assert await following.stdout.readline() == b"one\n"
            with log.open("a") as file:
                file.write("two\n")
            assert await following.stdout.readline() == b"two\n"
    finally:
        await dev("down")
        async with asyncio.timeout(60):
            assert await following.wait() == 0


async def test_inject_breaks_lists_and_mends(dev: Dev) -> None:
    created = await dev(
        "inject", "error", "--code", "409", "--verb", "create", "--resource", "configmaps", "--client", "*", "--count", "1", "--for", "5m"
    )
    assert created == "f1: create on configmaps is answered 409\n"
    async with ApiClient(api_url(dev.folder)) as api:
        config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "ml"}}
        with pytest.raises(Exception, match="the object has been modified"):
            await api.create(config_map)
        await api.create(config_map)
    assert await dev("inject", "--list") == "nothing is broken\n"
    assert await dev("inject", "drop", "--probability", "0.5", "--after") == (
        "f2: every request on all resources gets no answer with probability 0.5 after it was carried out\n"
    )
    assert await dev("inject", "gateway") == "d1: the gateway is frozen\n"
    assert (await dev("inject", "--list")).splitlines()[1] == "d1: the gateway is frozen"
    assert await dev("inject", "--remove", "d1") == "d1 is repaired\n"
    assert await dev("inject", "--clear") == "nothing is broken any more\n"
    assert await dev("inject", "--list") == "nothing is broken\n"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("pod", "web-0"), 1, "no process web-0 runs in this cluster; there are envoy"),
        (("--remove", "f9"), 1, "nothing with the id f9 is in force; it may be over already"),
        (("latency", "--delay", "soon"), 2, "'soon' is not a duration: write a number and a unit"),
    ],
)
async def test_what_cannot_be_broken_is_one_sentence(dev: Dev, arguments: tuple[str, ...], code: int, sentence: str) -> None:
    ended, _, err = await dev.outcome("inject", *arguments)
    assert (ended, sentence in err) == (code, True), err


def api_url(folder: Path) -> str:
    facts = read_facts(folder)
    assert facts is not None
    return facts.api_url


async def ready_pods(cluster: Cluster) -> list[str]:
    return [
        pod["metadata"]["name"]
        for pod in await cluster.api.list("v1", "pods", "ml")
        if any(item["type"] == "Ready" and item["status"] == "True" for item in pod.get("status", {}).get("conditions", ()))
    ]


async def until_ready(cluster: Cluster) -> None:
    await eventually(lambda: ready_pods(cluster))
