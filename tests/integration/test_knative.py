"""Knative mode of the KServe stand-in with real servers: revisions of one InferenceService and the traffic between them."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from headgate_devcluster.cluster import Cluster

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

Object = dict[str, Any]
ISVC = ("serving.kserve.io/v1beta1", "inferenceservices", "ml")
TAGGED = {"serving.kserve.io/enable-tag-routing": "true"}
REVISION = "{}-predictor-{:05d}"


async def eventually(met: Callable[[], Awaitable[Any]], seconds: float = 40) -> Any:
    """What `met` returned once it returned something true."""
    async with asyncio.timeout(seconds):
        while not (found := await met()):  # noqa: ASYNC110 - the condition is behind an API
            await asyncio.sleep(0.05)
        return found


@dataclass
class World:
    """A cluster without operator."""

    cluster: Cluster
    client: aiohttp.ClientSession
    model: Path

    async def apply(
        self,
        name: str,
        *,
        percent: int | None = None,
        version: str = "1",
        least: int = 1,
        image: str = "",
        notes: dict[str, str] | None = None,
    ) -> None:
        """Apply the InferenceService; another `version` is another revision."""
        model: Object = {"runtime": "headgate-xgboost", "storageUri": self.model.as_uri(), "args": ["--model_name=flight-delay"]}
        model |= {"env": [{"name": "VERSION", "value": version}]} | ({"image": image} if image else {})
        predictor = {"minReplicas": least, "model": model} | ({} if percent is None else {"canaryTrafficPercent": percent})
        meta = {"name": name, "namespace": "ml", "annotations": {"serving.kserve.io/deploymentMode": "Knative"} | (notes or {})}
        obj = {"apiVersion": ISVC[0], "kind": "InferenceService", "metadata": meta, "spec": {"predictor": predictor}}
        await self.cluster.api.apply(obj, field_manager="test")

    async def status(self, name: str) -> Object:
        found = await self.cluster.api.get(*ISVC, name) or {}
        return dict(found.get("status") or {})

    async def part(self, name: str) -> Object:
        return dict((await self.status(name)).get("components", {}).get("predictor", {}))

    async def condition(self, name: str, kind: str) -> tuple[str, str]:
        conditions = (await self.status(name)).get("conditions", [])
        return next(((entry["status"], entry.get("reason", "")) for entry in conditions if entry["type"] == kind), ("", ""))

    async def split(self, name: str) -> dict[str, int]:
        """The traffic by revision's number, once the gateway serves it."""
        if (await self.condition(name, "PredictorRouteReady"))[0] != "True":
            return {}
        return {
            f"{entry['revisionName'][-1]}{entry.get('tag', '')}": entry["percent"] for entry in (await self.part(name)).get("traffic", [])
        }

    async def until_split(self, name: str, **wanted: int) -> None:
        """Wait for a split such as `_2=10, _1prev=90`."""
        expected = {revision.removeprefix("_"): percent for revision, percent in wanted.items()}

        async def met() -> bool:
            return await self.split(name) == expected

        await eventually(met)

    async def ask(self, host: str, *, proxy: bool = False) -> int:
        """Ask for a prediction through the gateway, or by a cluster-local name."""
        path = "/v2/models/flight-delay/infer"
        question = json.loads((self.model / "headgate" / "golden.json").read_text())["request"]
        url, through = (f"http://{host}{path}", self.cluster.cluster_local_proxy) if proxy else (self.cluster.gateway_url + path, None)
        async with self.client.post(url, json=question, headers={"Host": host}, proxy=through) as answer:
            await answer.read()
            return answer.status

    async def counted(self) -> Counter[str]:
        """Answers without error by Envoy cluster."""
        found: Counter[str] = Counter()
        async with self.client.get(f"{self.cluster.envoy_admin_url}/stats?filter=^cluster.ml/[^.]*.upstream_rq_200$&format=json") as answer:
            for entry in (await answer.json(content_type=None))["stats"]:
                found[entry["name"].removeprefix("cluster.").removesuffix(".upstream_rq_200")] = entry["value"]
        return found


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, small_export: Path) -> AsyncIterator[World]:
    async with Cluster(tmp_path_factory.mktemp("cluster"), operator=False) as cluster, aiohttp.ClientSession() as client:
        yield World(cluster, client, small_export)


async def test_the_first_deployment_gets_all_traffic_whatever_percentage_it_carries(world: World) -> None:
    await world.apply("m", percent=10)

    async def created() -> bool:
        return "latestCreatedRevision" in await world.part("m")

    await eventually(created)
    assert (await world.condition("m", "Ready"))[0] == "Unknown"
    await world.until_split("m", _1=10, _1prev=90)
    part = await world.part("m")
    first = REVISION.format("m", 1)
    assert (part["latestCreatedRevision"], part["latestReadyRevision"], part["latestRolledoutRevision"]) == (first, first, first)
    assert await world.ask("m.ml.example.com") == 200
    assert await world.ask("m-predictor.ml.svc.cluster.local", proxy=True) == 200


async def test_a_canary_takes_its_share_and_each_revision_counts_its_own_answers(world: World) -> None:
    await world.apply("m", percent=0, version="2")
    await world.until_split("m", _2=0, _1prev=100)
    assert await world.ask("prev-m-predictor.ml.example.com") == 200
    assert await world.ask(f"{REVISION.format('m', 2)}.ml.svc.cluster.local", proxy=True) == 200
    before = await world.counted()
    await world.apply("m", percent=30, version="2")
    await world.until_split("m", _2=30, _1prev=70)
    assert {await world.ask("m.ml.example.com") for _ in range(60)} == {200}
    new = await world.counted() - before
    assert sum(new.values()) == 60
    assert 5 < new["ml/" + REVISION.format("m", 2)] < 35
    assert (await world.part("m"))["latestRolledoutRevision"] == REVISION.format("m", 1)


async def test_all_traffic_promotes_and_the_revision_before_loses_its_pods(world: World) -> None:
    await world.apply("m", percent=100, version="2")
    await world.until_split("m", _2=100)
    part = await world.part("m")
    assert (part["latestRolledoutRevision"], part["previousRolledoutRevision"]) == (REVISION.format("m", 2), REVISION.format("m", 1))

    async def gone() -> bool:
        return not any(name.startswith(REVISION.format("m", 1)) for name in world.cluster.pids())

    await eventually(gone)
    assert await world.ask("m.ml.example.com") == 200


async def test_a_new_revision_that_cannot_start_makes_ready_false_while_the_old_one_serves(world: World) -> None:
    await world.apply("m", percent=0, version="3", image="localhost/none:1")

    async def failed() -> bool:
        return await world.condition("m", "PredictorReady") == ("False", "RevisionFailed")

    await eventually(failed)
    part = await world.part("m")
    assert (part["latestCreatedRevision"], part["latestReadyRevision"]) == (REVISION.format("m", 3), REVISION.format("m", 2))
    assert await world.ask("m.ml.example.com") == 200


async def test_raised_before_the_new_revision_is_ready_the_percentage_goes_to_the_one_ready_last(world: World) -> None:
    await world.apply("k", percent=0)
    await world.until_split("k", _1=0, _1prev=100)
    await world.apply("k", percent=0, version="bad")
    await world.until_split("k", _2=0, _1prev=100)
    await world.apply("k", percent=40, version="next", image="localhost/none:1")
    await world.until_split("k", _2=40, _1prev=60)
    assert (await world.part("k"))["latestCreatedRevision"] == REVISION.format("k", 3)


async def test_a_percentage_left_out_promotes_and_one_below_100_without_a_new_revision_goes_back(world: World) -> None:
    await world.apply("p", percent=0)
    await world.until_split("p", _1=0, _1prev=100)
    await world.apply("p", percent=0, version="2")
    await world.until_split("p", _2=0, _1prev=100)
    await world.apply("p", version="2")
    await world.until_split("p", _2=100)
    await world.apply("p", percent=0, version="2")
    await world.until_split("p", _2=0, _1prev=100)
    assert (await world.part("p"))["latestRolledoutRevision"] == REVISION.format("p", 1)


async def test_replica_bounds_make_a_new_revision_and_a_tag_for_the_latest_does_not(world: World) -> None:
    await world.apply("r", percent=100)
    await world.until_split("r", _1=100)
    await world.apply("r", percent=100, notes=TAGGED)
    await world.until_split("r", _1latest=100)
    assert await world.ask("latest-r-predictor.ml.example.com") == 200
    await world.apply("r", percent=100, least=2, notes=TAGGED)
    await world.until_split("r", _2latest=100)


async def test_a_stop_takes_everything_away_and_a_start_begins_again_with_the_first_revision(world: World) -> None:
    await world.apply("r", notes={"serving.kserve.io/stop": "true"})

    async def stopped() -> bool:
        return await world.condition("r", "Ready") == ("False", "Stopped") and "components" not in await world.status("r")

    await eventually(stopped)
    await world.apply("r", percent=0)
    await world.until_split("r", _1=0, _1prev=100)


async def test_a_deleted_inference_service_takes_its_revisions_along(world: World) -> None:
    for name in "mkpr":
        await world.cluster.api.delete(*ISVC, name)

    async def gone() -> bool:
        return set(world.cluster.pids()) == {"envoy"}

    await eventually(gone)
