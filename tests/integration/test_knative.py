"""Knative mode of the KServe stand-in with real servers: revisions of one InferenceService and the traffic between them."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from headgate_devcluster.cluster import Cluster
from tests.knative_scene import ISVC, REVISION, TAGGED, World
from tests.waiting import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]


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
