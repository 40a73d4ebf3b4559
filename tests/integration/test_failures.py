"""What production does to a rollout: killed processes, lost status, edited and deleted objects, counters that cannot be read."""

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

from headgate_devcluster.apiserver.faults import Effect, Fault
from headgate_devcluster.errors import free_port
from headgate_operator.api.names import API_VERSION
from tests.waiting import eventually

ROUTES = ("gateway.networking.k8s.io/v1", "httproutes", "ml", "flight-delay")
SERVICES = ("serving.kserve.io/v1beta1", "inferenceservices", "ml")
SUBJECT = (API_VERSION, "modeldeployments", "ml", "flight-delay")
ERRORS = {"name": "errors", "preset": "gateway-errors", "maximum": "5%"}
LONG_STEP = {"steps": [{"weight": 20, "minDuration": "5m", "minRequests": 20}]}
SHORT_STEPS = {"steps": [{"weight": weight, "minDuration": "2s", "minRequests": 20} for weight in (20, 50)]}


async def wipe_status(scene: Any) -> None:
    """Leave an empty status, as a restore without it or a pruning API server would."""
    await scene.cluster.api.merge_patch(*SUBJECT, {"status": None}, subresource="status")


def weights(status: Any) -> dict[str, int]:
    return {entry.id: entry.weight for entry in status.traffic}


async def test_a_refused_version_stays_refused_through_kills_of_the_operator_and_a_lost_status(
    scene: Any, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    good, broken = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "3", unknown="error")
    await scene.apply(good)
    stable = (await scene.serving(good)).stable.id
    async with scene.load(make_columns(500, seed=5)) as traffic:
        await scene.apply(broken)
        status = await scene.until(lambda s: s.candidate and s.candidate.id in weights(s), "the broken version has weight")
        refused = status.candidate.id
        await wipe_status(scene)
        await scene.until(lambda s: s.stable and s.stable.id == stable, "stable is known again")
        moments = random.Random(7)
        while not (await scene.status()).rejected:
            await scene.cluster.kill_operator(signal.SIGKILL)
            await scene.cluster.start_operator()
            answers = traffic.of(stable) + moments.randint(60, 180)
            await scene.until(lambda s, n=answers: s.rejected or traffic.of(stable) >= n, "it works for a while")
        await scene.until(lambda s: s.rejected and not s.draining, "it is gone")
        answered = traffic.of(refused)
        await wipe_status(scene)
        await scene.until(lambda s: s.rejected, "the refusal is known again")
        await scene.cluster.kill_operator(signal.SIGKILL)
        await wipe_status(scene)
        await scene.cluster.start_operator()
        status = await scene.until(lambda s: s.rejected and weights(s) == {stable: 100} and not s.draining, "and after a restart")
        assert [entry.id for entry in status.rejected] == [refused]
        assert {c.type: c.reason for c in status.conditions}["Stalled"] == "CandidateRejected"
        enough = traffic.of(stable) + 60
        await scene.until(lambda _: traffic.of(stable) >= enough, "more requests were answered")
    assert traffic.of(refused) == answered
    assert traffic.bad() == traffic.bad(refused), traffic.answers
    assert "StateLost" in await scene.events()


async def test_a_candidate_whose_server_dies_loses_its_traffic_until_it_is_back_and_edits_of_the_route_do_not_last(
    scene: Any, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    first, second = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "2", seed=1)
    await scene.apply(first)
    stable = (await scene.serving(first)).stable.id
    async with scene.load(make_columns(500, seed=5)) as traffic:
        await scene.apply(second, rollout=LONG_STEP)
        status = await scene.until(lambda s: s.candidate and s.candidate.step_requests > 5, "the candidate is analysed")
        candidate, shared = status.candidate, weights(status)
        began = time.monotonic()
        for name, pid in scene.cluster.pids().items():
            if name.startswith(candidate.isvc):
                os.kill(pid, signal.SIGKILL)
        status = await scene.until(lambda s: weights(s) == {stable: 100}, "its traffic goes to stable")
        its_share = 60 * shared[candidate.id] / 100 * (time.monotonic() - began + 0.5)  # until Envoy has read that, too
        assert (status.candidate.unready, status.candidate.unready_count) == (True, 1)
        await scene.until(lambda s: weights(s) == shared, "it is back at its step")
        assert traffic.bad() == traffic.bad(candidate.id) <= its_share, traffic.answers
        (rule,) = (await scene.cluster.api.get(*ROUTES))["spec"]["rules"]
        only_some = [{"path": {"type": "PathPrefix", "value": "/v1"}}]
        swapped = [ref | {"weight": 100 - ref["weight"]} for ref in rule["backendRefs"]]
        for edited in ({"matches": only_some}, {"backendRefs": swapped}, {"backendRefs": rule["backendRefs"][:1]}):
            await scene.cluster.api.merge_patch(*ROUTES, {"spec": {"rules": [rule | edited]}})
            await put_back(scene, rule)
        await scene.cluster.api.delete(*ROUTES)
        await put_back(scene, rule)
        await scene.until(lambda s: weights(s) == shared and s.candidate.weight == shared[candidate.id], "all is as it was")
    assert traffic.bad(stable) == 0, traffic.answers
    assert {"CandidateUnready", "ChildRestored"} <= await scene.events()


async def test_a_version_that_an_admission_webhook_refuses_is_told_and_starts_when_it_no_longer_does(
    scene: Any, tmp_path: Path, make_export: Any
) -> None:
    first, second = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "2", seed=1)
    await scene.apply(first)
    stable = (await scene.serving(first)).stable.id
    refused = scene.cluster.faults.inject(
        Fault(effect=Effect.ERROR, code=403, verbs=frozenset({"patch"}), resources=frozenset({"inferenceservices"}))
    )
    await scene.apply(second, rollout=LONG_STEP)

    async def told() -> bool:
        return "InvalidSpec" in await scene.events()

    await eventually(told)
    status = await scene.until(lambda s: s.phase == "Stalled" and s.candidate, "the status says it, too")
    assert {c.reason for c in status.conditions if c.type in {"Stalled", "CandidateAccepted"}} == {"InvalidSpec"}
    assert (status.stable.id, weights(status), status.rejected) == (stable, {stable: 100}, [])
    scene.cluster.faults.remove(refused)
    await scene.until(lambda s: s.candidate and s.candidate.id in weights(s), "it has traffic")


async def put_back(scene: Any, rule: dict[str, Any]) -> None:
    """Wait until the route has its one rule again."""

    async def as_it_was() -> bool:
        return ((await scene.cluster.api.get(*ROUTES)) or {"spec": {}})["spec"].get("rules") == [rule]

    await eventually(as_it_was)


async def test_weights_stay_while_the_counters_cannot_be_read(scene: Any, tmp_path: Path, make_export: Any, make_columns: Any) -> None:
    first, second = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "2", seed=1)
    await scene.apply(first)
    await scene.serving(first)
    nobody = {"envoy": {"addresses": [f"http://127.0.0.1:{free_port()}"], "flush": "1s"}}
    async with scene.load(make_columns(500, seed=5)) as traffic:
        await scene.apply(second, rollout=LONG_STEP)
        status = await scene.until(lambda s: s.candidate and s.candidate.step_requests > 5, "the candidate is analysed")
        new, shared = status.candidate.id, weights(status)
        await scene.apply(second, rollout=LONG_STEP, analysis={"interval": "1s", "metrics": [ERRORS], "provider": nobody})
        await scene.until(lambda s: s.candidate.hold_reason == "ProviderError", "it holds")
        await scene.apply(second, rollout=SHORT_STEPS, analysis={"interval": "1s", "metrics": [ERRORS], "provider": nobody})
        over = traffic.of(new) + 40  # more than its step needs
        status = await scene.until(lambda _: traffic.of(new) >= over, "its step would be over")
        assert (weights(status), status.candidate.hold_reason, status.phase) == (shared, "ProviderError", "Holding")
        available = next(c for c in status.conditions if c.type == "AnalysisAvailable")
        assert (available.status, available.reason) == ("False", "ProviderError")
        await scene.apply(second, rollout=SHORT_STEPS)
        await scene.until(lambda s: s.candidate.step == 1, "it goes on")
    assert traffic.bad() == 0, traffic.answers


async def test_an_object_that_is_deleted_and_created_again_serves_with_children_of_its_own(
    scene: Any, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    first, second = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "2", seed=1)
    await scene.apply(first)
    old = (await scene.serving(first)).stable.id
    await scene.apply(second, rollout=LONG_STEP)
    await scene.until(lambda s: s.candidate and s.candidate.id in weights(s), "a rollout is under way")
    await scene.cluster.api.delete(*SUBJECT)
    await scene.apply(second)
    status = await scene.serving(second)
    uid = (await scene.cluster.api.get(*SUBJECT))["metadata"]["uid"]
    children = [*await scene.cluster.api.list(*SERVICES), await scene.cluster.api.get(*ROUTES)]
    assert [child["metadata"]["ownerReferences"][0]["uid"] for child in children] == [uid, uid]
    assert (status.history[0].id, len(status.history), status.rejected) == (status.stable.id, 1, [])
    async with scene.load(make_columns(500, seed=5)) as traffic:
        await scene.until(lambda s: traffic.of(s.stable.id) >= 20, "it answers")
    assert (traffic.of(old), traffic.bad()) == (0, 0), traffic.answers
