"""The KServe stand-in with real servers: what becomes of pods, processes and requests."""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from yarl import URL

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.cluster import Cluster
from headgate_devcluster.kserve.behaviour import Behaviour, order
from tests.served import everything, served
from tests.waiting import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

Object = dict[str, Any]
AUTOSCALER = ("autoscaling/v2", "horizontalpodautoscalers", "ml")
ISVC = ("serving.kserve.io/v1beta1", "inferenceservices", "ml")
DEPLOYMENT = ("apps/v1", "deployments", "ml")
HOST = "m.ml.example.com"


def inference_service(name: str, uri: str, **predictor: Any) -> Object:
    labels = predictor.pop("labels", {})
    model = {"modelFormat": {"name": "xgboost"}, "runtime": "headgate-xgboost", "storageUri": uri, "args": ["--model_name=flight-delay"]}
    model |= predictor.pop("model", {})
    annotations = {"serving.kserve.io/deploymentMode": "Standard", "serving.kserve.io/autoscalerClass": "none"}
    return {
        "apiVersion": ISVC[0],
        "kind": "InferenceService",
        "metadata": {"name": name, "namespace": "ml", "annotations": annotations, "labels": labels},
        "spec": {"predictor": {"minReplicas": 1, "maxReplicas": 3, "model": model} | predictor},
    }


def route(name: str, service: str) -> Object:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": "ml"},
        "spec": {
            "parentRefs": [{"name": "kserve-ingress-gateway", "namespace": "kserve"}],
            "hostnames": [HOST],
            "rules": [{"backendRefs": [{"kind": "Service", "name": service, "port": 80, "weight": 100}], "timeouts": {"request": "5s"}}],
        },
    }


def condition(obj: Object | None, kind: str) -> str | None:
    conditions = (obj or {}).get("status", {}).get("conditions", [])
    return next((entry["status"] for entry in conditions if entry["type"] == kind), None)


class World:
    """A cluster without operator, with the InferenceService `m-1` and a route to it."""

    def __init__(self, cluster: Cluster, client: aiohttp.ClientSession, model: Path) -> None:
        self.cluster, self.client, self.model = cluster, client, model
        self.question = json.loads((model / "headgate" / "golden.json").read_text())["request"]

    @property
    def api(self) -> ApiClient:
        return self.cluster.api

    async def apply(self, obj: Object) -> Object:
        return await self.api.apply(obj, field_manager="test")

    async def serve(self, name: str = "m-1", **predictor: Any) -> None:
        await self.apply(inference_service(name, self.model.as_uri(), **predictor))

    async def pods(self, name: str = "m-1") -> list[Object]:
        found = await self.api.list("v1", "pods", "ml", label_selector=f"serving.kserve.io/inferenceservice={name}")
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    async def service_on(self, name: str, port: int) -> None:
        """A Service whose one Pod is a server of the test's own."""
        meta = {"name": name, "namespace": "ml", "labels": {"app": name}, "annotations": {"devcluster.headgate.dev/port": str(port)}}
        await self.apply(
            {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": {"app": name}, "ports": [{"port": 80}]}}
        )
        container = {"name": "main", "image": "none"}
        await self.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}})
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        await self.api.merge_patch("v1", "pods", "ml", name, {"status": ready}, subresource="status")

    async def available(self, count: int, name: str = "m-1") -> None:
        """Wait until the Deployment has exactly this many pods, all of the present template and available."""

        async def met() -> bool:
            found = await self.api.get(*DEPLOYMENT, f"{name}-predictor") or {}
            numbers = found.get("status", {})
            current = numbers.get("observedGeneration") == found.get("metadata", {}).get("generation")
            counts = [numbers.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
            return current and counts == [count] * 3

        await eventually(met)

    async def ready(self, name: str = "m-1") -> None:
        async def met() -> bool:
            return condition(await self.api.get(*ISVC, name), "Ready") == "True"

        await eventually(met)

    async def ask(self) -> int:
        url = f"{self.cluster.gateway_url}/v2/models/flight-delay/infer"
        async with self.client.post(url, json=self.question, headers={"Host": HOST}) as answer:
            await answer.read()
            return answer.status

    async def routed(self) -> None:
        """Wait until the gateway has told that it serves the route, and knows the server."""

        async def met() -> bool:
            found = await self.api.get("gateway.networking.k8s.io/v1", "httproutes", "ml", "m") or {}
            parents = found.get("status", {}).get("parents", [])
            accepted = [(entry["type"], entry["status"]) for parent in parents for entry in parent["conditions"]]
            return accepted == [("Accepted", "True"), ("ResolvedRefs", "True")] and await self.ask() == 200

        await eventually(met)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, small_export: Path) -> AsyncIterator[World]:
    async with Cluster(tmp_path_factory.mktemp("cluster"), operator=False) as cluster, aiohttp.ClientSession() as client:
        found = World(cluster, client, small_export)
        await found.serve()
        await found.apply(route("m", "m-1-predictor"))
        await found.ready()
        await found.routed()
        yield found


async def test_an_inference_service_becomes_a_deployment_a_service_a_pod_and_a_server(world: World) -> None:
    deployment = await world.api.get(*DEPLOYMENT, "m-1-predictor")
    assert deployment
    template = deployment["spec"]["template"]
    assert template["metadata"]["annotations"]["internal.serving.kserve.io/storage-initializer-sourceuri"] == world.model.as_uri()
    service = await world.api.get("v1", "services", "ml", "m-1-predictor")
    assert service
    assert service["spec"]["selector"] == {"app": "isvc.m-1-predictor"}
    (pod,) = await world.pods()
    port = pod["metadata"]["annotations"]["devcluster.headgate.dev/port"]
    async with world.client.get(f"http://127.0.0.1:{port}/v2/health/ready") as answer:
        assert answer.status == 200
    assert pod["metadata"]["name"] in world.cluster.pids()


async def test_the_server_answers_under_the_service_name_through_the_cluster_local_proxy(world: World) -> None:
    url = "http://m-1-predictor.ml.svc.cluster.local/v2/models/flight-delay/infer"
    async with world.client.post(url, json=world.question, proxy=world.cluster.cluster_local_proxy) as answer:
        outputs = (await answer.json())["outputs"]
    assert [(output["name"], output["shape"]) for output in outputs] == [("probability", [20])]


async def test_a_killed_server_is_started_again_and_everything_says_so(world: World) -> None:
    (pod,) = await world.pods()
    os.kill(world.cluster.pids()[pod["metadata"]["name"]], signal.SIGKILL)

    async def down() -> bool:
        return condition(await world.api.get(*ISVC, "m-1"), "Ready") == "False"

    async def back() -> Object | None:
        (now,) = await world.pods()
        return now if condition(now, "Ready") == "True" else None

    await eventually(down)
    again = await eventually(back)
    container = again["status"]["containerStatuses"][0]
    assert again["metadata"]["uid"] == pod["metadata"]["uid"]
    assert (container["restartCount"], container["lastState"]["terminated"]["exitCode"]) == (1, 137)
    await world.ready()
    await world.routed()


async def test_changed_replica_bounds_restart_no_pod(world: World) -> None:
    (before,) = await world.pods()
    await world.serve(minReplicas=2)
    await world.available(2)
    assert before["metadata"]["uid"] in {pod["metadata"]["uid"] for pod in await world.pods()}
    deployment = await world.api.get(*DEPLOYMENT, "m-1-predictor")
    assert deployment
    assert deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    await world.serve(minReplicas=1)
    await world.available(1)
    await world.routed()


async def test_a_new_label_replaces_every_pod_without_losing_a_request(world: World) -> None:
    answers: Counter[int] = Counter()
    (before,) = await world.pods()
    done = asyncio.Event()

    async def client() -> None:
        while not done.is_set():
            answers[await world.ask()] += 1
            await asyncio.sleep(0.05)

    async def old_process_gone() -> bool:
        return before["metadata"]["name"] not in world.cluster.pids()

    clients = [asyncio.create_task(client()) for _ in range(2)]
    await world.serve(labels={"team": "delays"})
    await eventually(old_process_gone)
    done.set()
    await asyncio.gather(*clients)
    (after,) = await world.pods()
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["metadata"]["labels"]["team"] == "delays"
    assert set(answers) == {200}
    assert answers.total() > 20


async def test_pods_lose_their_readiness_on_order_and_get_it_back_without_being_replaced(world: World) -> None:
    (before,) = await world.pods()

    async def unready() -> bool:
        return condition(await world.api.get(*ISVC, "m-1"), "Ready") == "False" and await world.ask() == 503

    await order(world.api, "ml", "m-1", Behaviour(ready=False))
    await eventually(unready)
    await order(world.api, "ml", "m-1", Behaviour())
    await world.ready()
    await world.routed()
    (after,) = await world.pods()
    assert (after["metadata"]["uid"], after["status"]["containerStatuses"][0]["restartCount"]) == (
        before["metadata"]["uid"],
        before["status"]["containerStatuses"][0]["restartCount"],
    )


async def test_a_server_that_crashes_on_order_comes_back_when_the_order_is_withdrawn(world: World) -> None:
    obj = inference_service("m-7", world.model.as_uri())
    obj["metadata"]["annotations"] |= {name: value for name, value in Behaviour(crash_seconds=0).annotations().items() if value}
    await world.apply(obj)

    async def crashed() -> bool:
        pods = await world.pods("m-7")
        containers = pods[0].get("status", {}).get("containerStatuses", []) if pods else []
        return bool(containers) and containers[0].get("lastState", {}).get("terminated", {}).get("exitCode") == 137

    await eventually(crashed)
    assert condition(await world.api.get(*ISVC, "m-7"), "Ready") == "False"
    await order(world.api, "ml", "m-7", Behaviour())
    await world.ready("m-7")
    await world.api.delete(*ISVC, "m-7")


async def test_a_failed_fetch_is_a_failed_load_and_is_told_for_ever(world: World) -> None:
    await world.apply(inference_service("m-10", "file:///no/such/model"))

    async def told() -> Object:
        return dict((await world.api.get(*ISVC, "m-10") or {}).get("status", {}).get("modelStatus", {}))

    async def failed() -> bool:
        return (await told()).get("transitionStatus") == "BlockedByFailedLoad"

    await eventually(failed)
    before = await told()
    assert (before["states"]["targetModelState"], before["lastFailureInfo"]["reason"]) == ("FailedToLoad", "ModelLoadFailed")
    await world.serve("m-10")
    await world.ready("m-10")
    after = await told()
    assert (after["transitionStatus"], after["lastFailureInfo"]) == ("UpToDate", before["lastFailureInfo"])
    await world.api.delete(*ISVC, "m-10")


async def test_one_slow_pod_of_two_is_told_by_the_deployment_and_makes_ready_false(world: World) -> None:
    slow = inference_service("m-8", world.model.as_uri(), minReplicas=1)
    await world.apply(slow)
    await world.ready("m-8")
    await order(world.api, "ml", "m-8", Behaviour(start_seconds=3))
    await world.apply(inference_service("m-8", world.model.as_uri(), minReplicas=2))

    async def flapped() -> bool:
        return condition(await world.api.get(*ISVC, "m-8"), "Ready") == "False"

    await eventually(flapped)
    await world.ready("m-8")
    await world.available(2, "m-8")
    await world.api.delete(*ISVC, "m-8")


async def test_an_object_that_the_server_refuses_children_of_does_not_hold_up_the_others(world: World) -> None:
    await world.apply(inference_service("a" * 60, world.model.as_uri()))
    await world.apply(inference_service("m-9", "file:///no/such/model"))

    async def made() -> Object | None:
        return await world.api.get(*DEPLOYMENT, "m-9-predictor")

    await eventually(made)
    assert await world.api.get(*DEPLOYMENT, "a" * 60 + "-predictor") is None
    for name in ("a" * 60, "m-9"):
        await world.api.delete(*ISVC, name)


async def test_a_logger_stands_in_the_request_path_and_reaches_a_sink_by_its_service_name(world: World) -> None:
    events: list[dict[str, str]] = []

    async def collect(request: web.Request) -> web.Response:
        events.append({"path": request.path, "host": request.host, **{name.lower(): value for name, value in request.headers.items()}})
        return web.Response()

    async def two() -> bool:
        return len(events) >= 2

    url = "http://sink.ml.svc.cluster.local/v1/events/m/r1"
    path, headers = "/v2/models/flight-delay/infer", {"X-Request-Id": "r-1"}
    address = f"http://m-6-predictor.ml.svc.cluster.local{path}"
    async with served(everything(collect)) as sink:
        await world.service_on("sink", URL(sink).port or 0)
        await world.serve("m-6", logger={"mode": "all", "url": url, "metadataHeaders": ["X-Request-Id"]})
        await world.ready("m-6")
        (pod,) = await world.pods("m-6")
        parts = [(part["name"], part["ready"]) for part in pod["status"]["containerStatuses"]]
        assert parts == [("kserve-container", True), ("agent", True)]
        async with world.client.post(address, json=world.question, headers=headers, proxy=world.cluster.cluster_local_proxy) as answer:
            assert answer.status == 200
        await eventually(two)
        await world.api.delete(*ISVC, "m-6")
    assert [(event["path"], event["ce-inferenceservicename"]) for event in events] == [("/v1/events/m/r1", "m-6")] * 2
    assert {event["ce-metadata"] for event in events} == {'{"X-Request-Id": ["r-1"]}'}


async def test_a_runtime_of_the_namespace_comes_before_the_clusters(world: World) -> None:
    shared = await world.api.get("serving.kserve.io/v1alpha1", "clusterservingruntimes", None, "headgate-xgboost")
    assert shared
    container = shared["spec"]["containers"][0] | {"env": [{"name": "WHOSE", "value": "ours"}]}
    own = {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ServingRuntime",
        "metadata": {"name": "headgate-xgboost", "namespace": "ml"},
        "spec": shared["spec"] | {"containers": [container]},
    }
    await world.apply(own)
    await world.apply(inference_service("m-2", "file:///no/such/model"))

    async def made() -> Object | None:
        return await world.api.get(*DEPLOYMENT, "m-2-predictor")

    deployment = await eventually(made)
    await world.api.delete("serving.kserve.io/v1alpha1", "servingruntimes", "ml", "headgate-xgboost")
    assert {"name": "WHOSE", "value": "ours"} in deployment["spec"]["template"]["spec"]["containers"][0]["env"]


async def test_a_model_that_cannot_be_fetched_leaves_the_pod_waiting_with_the_reason(world: World) -> None:
    await world.apply(inference_service("m-3", "s3://bucket/model"))

    async def waiting() -> Object | None:
        pods = await world.pods("m-3")
        state = pods[0].get("status", {}).get("initContainerStatuses", [{}])[0].get("state", {}) if pods else {}
        found: Object | None = state.get("waiting")
        return found

    found = await eventually(waiting)
    assert found["reason"] == "CrashLoopBackOff"
    assert "s3://bucket/model cannot be fetched" in found["message"]
    assert condition(await world.api.get(*ISVC, "m-3"), "Ready") != "True"


async def test_a_missing_runtime_makes_no_pod_and_says_so_in_the_model_status(world: World) -> None:
    await world.apply(inference_service("m-4", world.model.as_uri(), model={"runtime": "nobody"}))

    async def told() -> Object | None:
        found = await world.api.get(*ISVC, "m-4") or {}
        status: Object | None = found.get("status", {}).get("modelStatus")
        return status

    found = await eventually(told)
    assert (found["transitionStatus"], found["lastFailureInfo"]["reason"]) == ("InvalidSpec", "RuntimeNotRecognized")
    assert await world.api.get(*DEPLOYMENT, "m-4-predictor") is None


async def test_an_autoscaled_deployment_starts_with_one_replica_and_follows_its_bounds_later(world: World) -> None:
    obj = inference_service("m-5", "file:///no/such/model", minReplicas=2)
    del obj["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"]
    await world.apply(obj)
    seen = []

    async def scaled() -> bool:
        found = await world.api.get(*DEPLOYMENT, "m-5-predictor")
        seen.extend([found["spec"]["replicas"]] if found else [])
        return 2 in seen

    await eventually(scaled)
    assert seen[0] == 1
    scaler = await world.api.get(*AUTOSCALER, "m-5-predictor")
    assert scaler is not None
    assert (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]) == (2, 3)
    assert scaler["spec"]["metrics"][0]["resource"] == {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    obj["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] = "none"
    await world.apply(obj)

    async def by_hand() -> bool:
        return await world.api.get(*AUTOSCALER, "m-5-predictor") is None

    await eventually(by_hand)


async def test_a_deleted_inference_service_takes_its_children_and_its_process_along(world: World) -> None:
    await world.api.delete(*ISVC, "m-1")

    async def gone() -> bool:
        left = [await world.api.get(*DEPLOYMENT, "m-1-predictor"), await world.api.get("v1", "services", "ml", "m-1-predictor")]
        found = await world.api.list("v1", "pods", "ml", label_selector="serving.kserve.io/inferenceservice=m-1")
        return not any(left) and not found and not any(name.startswith("m-1-") for name in world.cluster.pids())

    await eventually(gone)
