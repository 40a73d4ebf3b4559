"""The KServe stand-in with real servers: what becomes of pods, processes and requests."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from yarl import URL

from headgate_devcluster.cluster import Cluster
from headgate_devcluster.kserve.behaviour import Behaviour, order
from tests.served import everything, served
from tests.standin import DEPLOYMENT, ISVC, Object, World, condition, inference_service, route
from tests.waiting import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]


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
    await eventually(lambda: answers.total() > 20)
    done.set()
    await asyncio.gather(*clients)
    (after,) = await world.pods()
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["metadata"]["labels"]["team"] == "delays"
    assert set(answers) == {200}


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


async def test_a_deleted_inference_service_takes_its_children_and_its_process_along(world: World) -> None:
    await world.api.delete(*ISVC, "m-1")

    async def gone() -> bool:
        left = [await world.api.get(*DEPLOYMENT, "m-1-predictor"), await world.api.get("v1", "services", "ml", "m-1-predictor")]
        found = await world.api.list("v1", "pods", "ml", label_selector="serving.kserve.io/inferenceservice=m-1")
        return not any(left) and not found and not any(name.startswith("m-1-") for name in world.cluster.pids())

    await eventually(gone)
