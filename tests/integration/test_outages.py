"""What may be broken around the operator while it rolls out: the API server, its watches, the gateway. It ends as if nothing had been.

Where there is a real API server the storm is in tests/contract/test_rollouts.py. `make crash-tests` has it here too, goes on with
rollbacks, and lets the API server be down for two minutes instead of seconds.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from headgate_devcluster.apiserver.faults import Effect, Fault
from headgate_devcluster.faults import BlindWatches, CutWatches, FreezeGateway, RestartGateway
from tests.play import QUICK, play
from tests.realcluster.programs import NoRealApiError, find_programs
from tests.storm import EVERY_CALL, STORM
from tests.waiting import eventually
from tests.witness import background

OUTAGE = float(os.environ.get("HEADGATE_OUTAGE", "6"))
ROUTE = ("gateway.networking.k8s.io/v1", "httproutes", "ml", "flight-delay")
LONG = {**QUICK, "steps": [{"weight": 20, "minDuration": "8s", "minRequests": 10}, *QUICK["steps"][1:]]}


async def cut_watches(scene: Any) -> None:
    while True:
        await asyncio.sleep(2)
        scene.cluster.faults.inject(CutWatches())


def has_real_api() -> bool:
    try:
        find_programs()
    except NoRealApiError:
        return False
    return True


@pytest.mark.skipif(has_real_api() and not EVERY_CALL, reason="it is run on the real API server, in tests/contract/test_rollouts.py")
@pytest.mark.slow
async def test_a_storm_of_errors_lost_answers_and_cut_watches_delays_and_changes_nothing(
    scene: Any, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    async with play(scene, tmp_path, make_export, make_columns) as playing:
        for fault in STORM:
            scene.cluster.faults.inject(fault)
        async with background(cut_watches(scene)):
            await playing.promotion()
            if EVERY_CALL:
                await playing.rollback()
        scene.cluster.faults.clear()


@pytest.mark.slow
async def test_an_api_server_that_is_down_and_a_deletion_that_no_watch_saw(
    scene: Any, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    async with play(scene, tmp_path, make_export, make_columns) as playing:
        uids: list[str] = []
        playing.gateway_fails = True  # without its route it knows nobody

        async def outage() -> None:
            await scene.until(lambda s: s.candidate and s.candidate.weight, "the candidate has weight")
            uids.append((await scene.cluster.api.get(*ROUTE))["metadata"]["uid"])
            scene.cluster.faults.inject(CutWatches())
            scene.cluster.faults.inject(Fault(effect=Effect.DROP, seconds=OUTAGE))
            await asyncio.sleep(OUTAGE)
            blind = scene.cluster.faults.inject(BlindWatches(seconds=600))
            await scene.cluster.api.delete(*ROUTE)
            scene.cluster.faults.remove(blind)

        for story in (playing.promotion, playing.rollback)[: 2 if EVERY_CALL else 1]:
            await asyncio.gather(story(), outage())
            assert (await scene.cluster.api.get(*ROUTE))["metadata"]["uid"] not in uids, "it was put back"


@pytest.mark.slow
async def test_a_gateway_that_hangs_or_restarts_is_no_evidence_against_anybody(
    scene: Any, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    async with play(scene, tmp_path, make_export, make_columns) as playing:
        playing.gateway_fails = True
        new = playing.models.new(good=True)
        await scene.apply(new, rollout=LONG)
        status = await scene.until(lambda s: s.candidate and s.candidate.step_requests > 5, "the candidate is analysed")
        candidate, pid = status.candidate.id, scene.cluster.pids()["envoy"]
        frozen = scene.cluster.faults.inject(FreezeGateway())
        status = await scene.until(lambda s: s.candidate.hold_reason == "ProviderError", "it holds")
        assert (status.candidate.step, status.rejected) == (0, [])
        scene.cluster.faults.remove(frozen)
        await scene.until(lambda s: s.candidate is None or s.candidate.hold_reason != "ProviderError", "it goes on")
        routes = len(playing.witness.routes)
        scene.cluster.faults.inject(RestartGateway())
        await scene.until(lambda s: scene.cluster.pids().get("envoy") not in {None, pid}, "the gateway is another process")
        status = await scene.until(lambda s: s.stable.id == candidate and s.phase == "Healthy" and not s.draining, "it is promoted", 240)
        assert status.rejected == []
        playing.promotions += 1
        assert len(playing.witness.routes) - routes >= 2, "it went step by step"


@pytest.mark.slow
async def test_after_an_orphaning_deletion_the_object_restored_with_its_status_serves_on(
    scene: Any, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    async with play(scene, tmp_path, make_export, make_columns) as playing:
        await playing.promotion()
        pids = {name: pid for name, pid in scene.cluster.pids().items() if name.startswith("flight-delay")}
        new = await scene.restore_from_backup()

        def taken_back(status: Any) -> bool:
            return bool(status.phase == "Healthy" and status.stable)

        await scene.until(taken_back, "it serves")

        async def adopted() -> bool:
            route = await scene.cluster.api.get(*ROUTE)
            return [one["uid"] for one in route["metadata"].get("ownerReferences", ())] == [new["metadata"]["uid"]]

        await eventually(adopted)
        assert {name: pid for name, pid in scene.cluster.pids().items() if name.startswith("flight-delay")} == pids
        assert "ChildAdopted" in await scene.events()
        await playing.rollback()
