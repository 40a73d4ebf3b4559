"""Knative mode of the KServe stand-in as a client of a real API server, with KServe's and the Gateway API's full schemas where at hand."""

from pathlib import Path

import aiohttp
import pytest

from headgate_devcluster.cluster import Cluster
from tests.knative_scene import ISVC, REVISION, World
from tests.realcluster.controlplane import control_plane
from tests.realcluster.definitions import full_definitions
from tests.realcluster.programs import Programs
from tests.waiting import eventually

pytestmark = [pytest.mark.real_api, pytest.mark.slow]


async def test_a_canary_is_promoted_and_everything_goes_with_its_inference_service(
    tmp_path: Path, real_programs: Programs, small_export: Path
) -> None:
    if real_programs.controller_manager is None:
        pytest.skip("no kube-controller-manager: nothing would collect the children of what is deleted")
    (tmp_path / "control-plane").mkdir()
    with control_plane(tmp_path / "control-plane", real_programs, definitions=full_definitions()[1]) as plane:
        async with Cluster(tmp_path / "cluster", operator=False, api_server=plane.access) as cluster, aiohttp.ClientSession() as client:
            world = World(cluster, client, small_export)
            await world.apply("m", percent=10)
            await world.until_split("m", _1=10, _1prev=90)
            await world.apply("m", percent=0, version="2")
            await world.until_split("m", _2=0, _1prev=100)
            assert await world.ask("prev-m-predictor.ml.example.com") == 200
            await world.apply("m", percent=100, version="2")
            await world.until_split("m", _2=100)
            assert (await world.part("m"))["latestRolledoutRevision"] == REVISION.format("m", 2)
            assert await world.ask("m.ml.svc.cluster.local", proxy=True) == 200
            await cluster.api.delete(*ISVC, "m")

            async def gone() -> bool:
                left = [await cluster.api.list(*kind, "ml") for kind in (("apps/v1", "deployments"), ("v1", "pods"), ("v1", "services"))]
                return set(cluster.pids()) == {"envoy"} and not any(left)

            await eventually(gone)
