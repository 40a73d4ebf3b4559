"""BlueGreen and Shadow in a whole devcluster: real Envoy mirrors real requests to real model servers."""

import json
from pathlib import Path
from typing import Any

from headgate_devcluster.faults import CrashPod

STEPS = [{"weight": 20, "minDuration": "4s", "minRequests": 50}, {"weight": 50, "minDuration": "2s", "minRequests": 50}]


def rollout(strategy: str, **changes: Any) -> dict[str, Any]:
    watch = {"duration": "3s", "holdback": 10}
    return {"strategy": strategy, "steps": STEPS, "watch": watch, "scaleDownDelay": "1s"} | changes


async def filters(scene: Any) -> list[dict[str, Any]]:
    route = await scene.cluster.api.get("gateway.networking.k8s.io/v1", "httproutes", "ml", scene.name)
    found: list[dict[str, Any]] = route["spec"]["rules"][0].get("filters", [])
    return found


async def test_a_blue_green_version_is_judged_on_copies_and_takes_over_in_one_switch(
    scene: Any, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    first, second = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "2", seed=1)
    await scene.apply(first, rollout=rollout("BlueGreen"))
    status = await scene.serving(first)
    assert status.stable is not None
    old = status.stable.id
    async with scene.load(make_columns(500, seed=5)) as traffic:
        await scene.apply(second, rollout=rollout("BlueGreen"))
        status = await scene.until(lambda s: s.candidate and s.candidate.step_requests > 50, "copies are counted")
        assert status.candidate is not None
        new = status.candidate.id
        assert [(entry.id, entry.weight, entry.mirror) for entry in status.traffic] == [(old, 100, 0), (new, 0, 100)]
        (only,) = await filters(scene)
        assert only["requestMirror"]["backendRef"]["name"] == f"{status.candidate.isvc}-predictor"
        assert traffic.of(new) == 0
        shown = await scene.headgate("status", scene.name)
        assert "100 % mirrored" in shown.stdout
        status = await scene.until(lambda s: s.stable and s.stable.id == new and s.watch_until, "switched, under watch")
        assert {entry.id: entry.weight for entry in status.traffic} == {new: 90, old: 10}
        assert await filters(scene) == []
        await scene.serving(second)
        await scene.until(lambda s: not s.draining, "the old version is gone")
        assert traffic.of(new) > 20
    assert traffic.bad() == 0, traffic.answers
    events = await scene.events()
    assert {"MirrorStarted", "Promoted", "WatchEnded"} <= events
    assert "StepStarted" not in events


async def test_a_blue_green_version_with_bad_answers_is_refused_before_a_client_saw_one(
    scene: Any, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    good, broken = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "3", unknown="error")
    await scene.apply(good, rollout=rollout("BlueGreen"))
    await scene.serving(good)
    async with scene.load(make_columns(500, seed=5)) as traffic:
        await scene.apply(broken, rollout=rollout("BlueGreen"))
        status = await scene.until(lambda s: s.rejected, "the broken version is refused")
        rejected = status.rejected[0]
        assert (rejected.reason, rejected.version) == ("ErrorsWorse", broken.name)
        await scene.until(lambda s: not s.draining, "it is gone")
        assert await filters(scene) == []
    assert traffic.of(rejected.id) == 0
    assert traffic.bad() == 0, traffic.answers
    services = await scene.cluster.api.list("serving.kserve.io/v1beta1", "inferenceservices", "ml")
    assert len(services) == 1


async def test_a_shadow_takes_over_only_when_a_person_says_so(scene: Any, tmp_path: Path, make_export: Any, make_columns: Any) -> None:
    first, second = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "2", seed=1)
    shadow = rollout("Shadow", shadowPercent=50)
    await scene.apply(first, rollout=shadow)
    await scene.serving(first)
    async with scene.load(make_columns(500, seed=5)) as traffic:
        await scene.apply(second, rollout=shadow)
        status = await scene.until(lambda s: any(c.reason == "ShadowReady" for c in s.conditions), "the shadow is good enough")
        assert status.candidate is not None
        assert status.analysis is not None
        new, (errors,) = status.candidate.id, status.analysis.metrics
        assert 0.3 < errors.total.candidate / errors.total.stable < 0.7, "each request is mirrored or not by chance"
        assert (status.phase, errors.verdict) == ("Paused", "NotWorse")
        assert traffic.of(new) == 0
        promoted = await scene.headgate("promote", scene.name)
        assert promoted.exit_code == 0, promoted.output
        status = await scene.serving(second)
        assert status.stable is not None
        assert status.stable.id == new
    assert traffic.bad() == 0, traffic.answers
    history = json.loads((await scene.headgate("history", scene.name, "-o", "json")).stdout)
    assert history[0]["revision"] == new


async def test_a_mirrored_pod_that_crashes_costs_no_client_an_answer(
    scene: Any, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    first, second = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "2", seed=1)
    settings = {"rollout": rollout("Shadow"), "predictor": {"replicas": {"min": 1, "max": 2}}}
    await scene.apply(first, **settings)
    await scene.serving(first)
    async with scene.load(make_columns(500, seed=5)) as traffic:
        await scene.apply(second, **settings)
        status = await scene.until(lambda s: s.candidate and s.candidate.step_requests > 20, "copies are counted")
        assert status.candidate is not None
        pods = [pod["metadata"]["name"] for pod in await scene.cluster.api.list("v1", "pods", "ml")]
        mirrored = [name for name in pods if name.startswith(status.candidate.isvc)]
        assert len(mirrored) == 2
        scene.cluster.faults.inject(CrashPod(mirrored[0]))
        status = await scene.until(lambda s: any(c.reason == "ShadowReady" for c in s.conditions), "the shadow is good enough all the same")
        assert status.candidate is not None
        assert status.candidate.unready_count == 0
    assert traffic.bad() == 0, traffic.answers
