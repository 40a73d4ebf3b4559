"""What the KServe stand-in makes of InferenceServices that cannot be served, or that scale, and what it says of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from headgate_devcluster.cluster import Cluster
from tests.standin import AUTOSCALER, DEPLOYMENT, ISVC, Object, World, condition, inference_service
from tests.waiting import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, small_export: Path) -> AsyncIterator[World]:
    async with Cluster(tmp_path_factory.mktemp("cluster"), operator=False) as cluster, aiohttp.ClientSession() as client:
        yield World(cluster, client, small_export)


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


async def test_an_object_that_the_server_refuses_children_of_does_not_hold_up_the_others(world: World) -> None:
    await world.apply(inference_service("a" * 60, world.model.as_uri()))
    await world.apply(inference_service("m-9", "file:///no/such/model"))

    async def made() -> Object | None:
        return await world.api.get(*DEPLOYMENT, "m-9-predictor")

    await eventually(made)
    assert await world.api.get(*DEPLOYMENT, "a" * 60 + "-predictor") is None
    for name in ("a" * 60, "m-9"):
        await world.api.delete(*ISVC, name)


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
