"""Rollouts judged by a real monitor: real requests through Envoy, KServe's logger, the collector, the detectors, the operator."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.labelling import label
from tests.scene import STEPS, Scene
from tests.witness import background

WINDOW = {"rows": 150, "duration": "20s", "minimumRows": 60}


def drift(policy: str) -> dict[str, Any]:
    return {"onPredictionDrift": policy, "window": WINDOW, "targetFalseAlarmInterval": "6h"}


@pytest.fixture
def with_monitor() -> bool:
    return True


async def collected(scene: Scene) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"{scene.cluster.monitor_url}/metrics") as answer:
        return await answer.text()


async def test_a_candidate_that_predicts_differently_is_refused_where_the_manifest_wants_the_same_behaviour(
    scene: Scene, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    first, second = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "2", late_above=0.6)
    await scene.apply(first, drift=drift("Rollback"))
    await scene.serving(first)
    async with scene.load(make_columns(500, seed=5), rate=100) as traffic:
        await scene.until(lambda s: s.drift and s.drift.input == "Clean", "requests are as in training")
        await scene.apply(second, drift=drift("Rollback"))
        status = await scene.until(lambda s: s.rejected, "the candidate is refused", 240)
        (rejected,) = status.rejected
        assert (rejected.reason, rejected.version) == ("PredictionsDiffer", second.name)
        assert "prediction 0." in (rejected.message or "")
        await scene.until(lambda s: not s.draining, "it is gone")
    assert traffic.bad() == 0, traffic.answers
    assert 'headgate_monitor_events_total{reason="parity",result="ignored"}' in await collected(scene)


async def test_a_candidate_that_is_worse_only_on_labels_is_refused(
    scene: Scene, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    first, second = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "2", inverted=True)
    truth = {"horizon": "2m", "margin": 0.05}
    columns = make_columns(500, seed=5)
    late = [(humid or 60) > 60 for humid in columns["humid"]]  # what the first version learned, more or less
    await scene.apply(first, groundTruth=truth)
    await scene.serving(first)
    async with scene.load(columns, rate=60) as traffic:
        async with background(label(scene, traffic, late)):
            await scene.apply(second, groundTruth=truth, rollout={"steps": [{"weight": 30, "minDuration": "2m"}]})
            status = await scene.until(lambda s: s.rejected, "the candidate is refused", 240)
        (rejected,) = status.rejected
        assert (rejected.reason, rejected.version) == ("GroundTruthWorse", second.name)
        assert "Brier score is 0." in (rejected.message or "")
    assert traffic.bad() == 0, traffic.answers
    assert 'headgate_monitor_labels_total{result="accepted"}' in await collected(scene)


async def test_a_changed_world_is_told_of_and_rolls_nothing_back(scene: Scene, tmp_path: Path, make_export: Any, make_columns: Any) -> None:
    first, second = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "2")  # the same model under another version
    changed = dict(make_columns(500, seed=5))
    changed["distance"] = [value * 2 for value in changed["distance"]]
    await scene.apply(first, drift=drift("Rollback"))
    await scene.serving(first)
    async with scene.load(changed, rate=100) as traffic:
        status = await scene.until(lambda s: s.drift and s.drift.input == "Severe", "the world's change is seen")
        assert status.drift is not None
        assert status.drift.top[0].feature == "distance"
        await scene.apply(second, drift=drift("Rollback"), rollout={"steps": STEPS, "watch": {"duration": "3s", "holdback": 10}})
        status = await scene.until(lambda s: s.stable and s.stable.version == second.name and not s.candidate, "it is promoted", 240)
        assert status.rejected == []
    assert traffic.bad() == 0, traffic.answers
    assert "WorldChanged" in await scene.events()
