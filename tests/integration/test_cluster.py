"""The cluster as a whole: it comes up, serves, says clearly why it cannot, and leaves no process behind however it ends."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from headgate_devcluster.cluster import Cluster
from headgate_devcluster.errors import ClusterError
from headgate_devcluster.kserve.controller import KServeController
from headgate_devcluster.lock import ClusterFacts, read_facts, supervisor
from tests.devcommand import DEV, headgate_dev, processes_of
from tests.waiting import eventually


async def started(folder: Path, *options: str) -> asyncio.subprocess.Process:
    """`headgate dev up` in the foreground, up and running."""
    command = await asyncio.create_subprocess_exec(*DEV, "up", "--folder", folder, *options, stdout=asyncio.subprocess.DEVNULL)
    await eventually(lambda: read_facts(folder))
    return command


async def test_a_cluster_has_its_parts_and_its_objects(tmp_path: Path) -> None:
    async with Cluster(tmp_path / "with a space", operator=False) as cluster, aiohttp.ClientSession() as client:
        assert set(cluster.pids()) == {"envoy"}
        assert cluster.kubeconfig.is_file()
        names = {obj["metadata"]["name"] for obj in await cluster.api.list("apiextensions.k8s.io/v1", "customresourcedefinitions")}
        assert {"modeldeployments.headgate.dev", "inferenceservices.serving.kserve.io", "httproutes.gateway.networking.k8s.io"} <= names
        assert await cluster.api.get("serving.kserve.io/v1alpha1", "clusterservingruntimes", None, "headgate-xgboost")
        async with client.get(cluster.gateway_url, headers={"Host": "nobody.example.com"}) as answer:
            assert answer.status == 404
        await eventually(lambda: _programmed(cluster))


async def _programmed(cluster: Cluster) -> bool:
    gateway = await cluster.api.get("gateway.networking.k8s.io/v1", "gateways", "kserve", "kserve-ingress-gateway") or {}
    conditions = gateway.get("status", {}).get("conditions", [])
    return ("Programmed", "True") in {(entry["type"], entry["status"]) for entry in conditions}


async def test_two_clusters_run_at_once(tmp_path: Path) -> None:
    async with Cluster(tmp_path / "a", operator=False) as first, Cluster(tmp_path / "b", operator=False) as second:
        await first.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "only-here"}}, field_manager="test")
        assert await second.api.get("v1", "namespaces", None, "only-here") is None
        assert first.gateway_url != second.gateway_url


async def test_leaving_a_cluster_ends_every_process_and_takes_its_facts_away(tmp_path: Path, small_export: Path) -> None:
    async with Cluster(tmp_path, operator=False) as cluster:
        await cluster.api.apply(_inference_service(small_export), field_manager="test")
        await eventually(lambda: len(cluster.pids()) == 2)
        pids = list(cluster.pids().values())
        assert read_facts(tmp_path) == cluster.facts()
    assert [pid for pid in pids if os.path.exists(f"/proc/{pid}")] == []  # noqa: ASYNC240, PTH110
    assert read_facts(tmp_path) is None


async def test_a_second_cluster_in_the_same_folder_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    async with Cluster(tmp_path, operator=False) as cluster:
        with pytest.raises(ClusterError, match=r"a cluster already runs in .*; stop it with `headgate dev down --folder"):
            await Cluster(tmp_path, operator=False).__aenter__()
        assert supervisor(tmp_path) == os.getpid()
        assert await cluster.api.list("v1", "namespaces")


async def test_a_cluster_that_cannot_come_up_leaves_nothing_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headgate_devcluster.operator_process.sys.executable", "/no/such/python")
    with pytest.raises(ClusterError, match="operator cannot be started: /no/such/python: No such file or directory"):
        await Cluster(tmp_path).__aenter__()
    assert processes_of(tmp_path) == []
    assert supervisor(tmp_path) is None


async def test_a_part_that_fails_ends_the_cluster_with_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_self: KServeController) -> None:
        raise RuntimeError("no more ideas")

    monkeypatch.setattr(KServeController, "run", fail)
    with pytest.raises(ClusterError, match="KServeController of the devcluster failed: no more ideas"):
        async with Cluster(tmp_path, operator=False):
            await asyncio.sleep(30)
    assert processes_of(tmp_path) == []


async def test_the_end_of_envoy_is_the_end_of_the_cluster(tmp_path: Path) -> None:
    async def kill_envoy() -> None:
        async with Cluster(tmp_path, operator=False) as cluster:
            os.kill(cluster.pids()["envoy"], signal.SIGKILL)
            await asyncio.sleep(30)

    with pytest.raises(ClusterError, match="Envoy of the devcluster failed: Envoy ended with exit code -9"):
        await kill_envoy()


async def test_busy_ports_are_one_sentence(tmp_path: Path) -> None:
    async with Cluster(tmp_path / "a", operator=False) as cluster:
        gateway, api = (int(url.rsplit(":", 1)[1]) for url in (cluster.gateway_url, cluster.api_url))
        with pytest.raises(ClusterError, match=f"port {gateway} of 127.0.0.1 cannot be used for the gateway"):
            await Cluster(tmp_path / "b", gateway_port=gateway).__aenter__()
        with pytest.raises(ClusterError, match=f"port {api} of 127.0.0.1 cannot be used for the API server"):
            await Cluster(tmp_path / "b", api_port=api).__aenter__()


@pytest.mark.slow
async def test_the_operator_runs_is_restarted_and_can_be_killed_for_good(tmp_path: Path) -> None:
    async with Cluster(tmp_path) as cluster:
        first = cluster.pids()["operator"]
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: cluster.pids().get("operator", first) != first)
        await cluster.kill_operator()
        assert "operator" not in cluster.pids()
        await cluster.start_operator()
        assert "operator" in cluster.pids()
    assert processes_of(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_headgate_dev_up_in_order(tmp_path: Path, number: int) -> None:
    command = await started(tmp_path, "--no-operator")
    command.send_signal(number)
    assert await command.wait() == 0
    assert processes_of(tmp_path) == []


async def test_a_signal_while_starting_leaves_nothing_running(tmp_path: Path) -> None:
    command = await asyncio.create_subprocess_exec(*DEV, "up", "--folder", tmp_path, stdout=asyncio.subprocess.DEVNULL)
    await eventually(lambda: len(processes_of(tmp_path)) > 1)
    command.send_signal(signal.SIGINT)
    assert await command.wait() == 0
    assert processes_of(tmp_path) == []


async def test_nothing_survives_a_supervisor_that_is_killed(tmp_path: Path, small_export: Path) -> None:
    command = await started(tmp_path, "--no-operator")
    facts = read_facts(tmp_path)
    assert facts
    await _apply(facts, _inference_service(small_export))
    await eventually(lambda: len(processes_of(small_export)) == 1)
    command.kill()
    await command.wait()
    await eventually(lambda: not processes_of(tmp_path) + processes_of(small_export))
    assert read_facts(tmp_path) is None


async def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = await headgate_dev("up", "--folder", str(tmp_path / "file" / "dev"))
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith("headgate: error: ")
    assert "cannot be written: Not a directory; choose another folder" in err


def _inference_service(model: Path) -> dict[str, Any]:
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "m", "namespace": "ml", "annotations": {"serving.kserve.io/deploymentMode": "Standard"}},
        "spec": {"predictor": {"model": {"runtime": "headgate-xgboost", "storageUri": model.as_uri()}}},
    }


async def _apply(facts: ClusterFacts, obj: dict[str, Any]) -> None:
    url = f"{facts.api_url}/apis/{obj['apiVersion']}/namespaces/ml/inferenceservices"
    async with (
        aiohttp.ClientSession() as client,
        client.post(url, data=json.dumps(obj), headers={"Content-Type": "application/json"}) as answer,
    ):
        assert answer.status == 201
