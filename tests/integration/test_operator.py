"""The operator as a process, in a whole devcluster: real API calls, real Envoy, real model servers, real requests."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

from tests.scene import STEPS
from tests.waiting import settled
from tests.witness import written

LONG = {"steps": [STEPS[0] | {"minDuration": "1h"}, *STEPS[1:]], "watch": {"duration": "3s", "holdback": 10}, "scaleDownDelay": "1s"}
"""The first step is not over before the manifest says so, however slow the machine is."""


async def test_a_new_version_is_promoted_in_steps_although_the_operator_is_killed_in_the_middle(
    scene: Any, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    first, second = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "2", seed=1)
    await scene.apply(first)
    status = await scene.serving(first)
    assert status.stable is not None
    old = status.stable.id
    async with scene.load(make_columns(500, seed=5)) as traffic:
        await scene.apply(second, rollout=LONG)
        await scene.until(lambda s: s.candidate and s.candidate.step_requests > 5, "the first step has evidence")
        await scene.cluster.kill_operator(signal.SIGKILL)
        await settled(lambda: len(written(scene)), quiet=0.5, seconds=60)  # what it had sent is answered
        before = await scene.status()
        await scene.cluster.start_operator()
        after = await scene.until(lambda s: s != before, "the operator goes on")
        assert before.candidate is not None
        assert after.candidate is not None
        kept = ("id", "step", "weight", "started_at", "step_started_at", "parity", "isvc", "slot", "rendered")
        assert {name: getattr(after.candidate, name) for name in kept} == {name: getattr(before.candidate, name) for name in kept}
        assert after.candidate.step_requests >= before.candidate.step_requests
        assert before.analysis is not None
        assert after.analysis is not None
        assert after.analysis.metrics[0].total.candidate >= before.analysis.metrics[0].total.candidate
        assert after.analysis.metrics[0].total.stable >= before.analysis.metrics[0].total.stable
        new = before.candidate.id
        await scene.apply(second)
        await scene.until(lambda s: s.stable and s.stable.id == new and s.previous, "promoted, under watch")
        assert traffic.of(new) > 20
        assert traffic.of(old) > 20
        status = await scene.serving(second)
        await scene.until(lambda s: not s.draining, "the old version is gone")
    assert traffic.bad() == 0, traffic.answers
    assert [entry.id for entry in status.history] == [new, old]
    services = await scene.cluster.api.list("serving.kserve.io/v1beta1", "inferenceservices", "ml")
    assert [service["metadata"]["name"] for service in services] == [status.stable.isvc] if status.stable else False
    assert {"FirstRevision", "CandidateStarted", "StepStarted", "Promoted", "WatchEnded"} <= await scene.events()
    assert (await scene.headgate("status", scene.name, "--wait", "--revision", new, "--timeout", "5s")).exit_code == 0


async def test_a_version_that_fails_on_unknown_categories_is_rolled_back_and_its_return_refused(
    scene: Any, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    good, broken = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "3", unknown="error")
    await scene.apply(good)
    status = await scene.serving(good)
    assert status.stable is not None
    stable = status.stable.id
    async with scene.load(make_columns(500, seed=5)) as traffic:
        await scene.apply(broken)
        waiting = asyncio.create_task(scene.headgate("status", scene.name, "--wait", "--timeout", "60s"))
        status = await scene.until(lambda s: s.rejected, "the broken version is refused")
        rejected = status.rejected[0]
        assert (rejected.reason, rejected.version) == ("ErrorsWorse", broken.name)
        assert traffic.bad(rejected.id) > 0, "its own parity set was filtered, so only real requests told"
        await scene.until(lambda s: [(entry.id, entry.weight) for entry in s.traffic] == [(stable, 100)], "its weight is 0")
        refused_at = traffic.of(rejected.id)
        await scene.until(lambda s: not s.draining, "the broken version is gone")
        assert traffic.of(rejected.id) - refused_at <= 15, "answers in flight, and what Envoy sent before it read its new files"
    assert traffic.bad() == traffic.bad(rejected.id), traffic.answers
    waited = await waiting
    assert waited.exit_code == 1
    assert "CandidateRejected" in waited.stderr
    ready = {condition.type: condition for condition in status.conditions}
    assert ready["Ready"].status == "True"
    assert ready["Stalled"].reason == "CandidateRejected"
    assert "ErrorsWorse" in await scene.events()
    history = await scene.headgate("history", scene.name, "-o", "json")
    newest = json.loads(history.stdout)[0]
    assert (newest["revision"], newest["outcome"]) == (rejected.id, "Refused")


async def test_a_version_with_other_answers_than_where_it_was_trained_is_refused_before_its_first_request(
    scene: Any, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    good, changed = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "4", seed=2, tamper_base_score=True)
    await scene.apply(good)
    await scene.serving(good)
    async with scene.load(make_columns(500, seed=5), rate=20) as traffic:
        await scene.apply(changed)
        status = await scene.until(lambda s: s.rejected, "the changed version is refused")
        rejected = status.rejected[0]
        assert rejected.reason == "ParityMismatch"
        assert "probability differs in 20 of 20 rows" in rejected.message
        await scene.until(lambda s: not s.draining, "it is gone")
    assert traffic.of(rejected.id) == 0
    assert traffic.bad() == 0


async def test_a_person_aborts_a_candidate_and_gives_it_another_chance(scene: Any, tmp_path: Path, make_export: Any) -> None:
    first, second = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "2", seed=1)
    await scene.apply(first)
    await scene.serving(first)
    await scene.apply(second)
    status = await scene.until(lambda s: s.candidate and s.candidate.weight, "the candidate has weight")
    assert status.candidate is not None
    id_ = status.candidate.id
    shown = await scene.headgate("status", scene.name)
    assert id_ in shown.stdout
    assert "step 1 of 2" in shown.stdout
    aborted = await scene.headgate("abort", scene.name)
    assert (aborted.exit_code, aborted.stdout.split(";")[0]) == (0, f"{id_} is refused")
    status = await scene.status()
    assert status.candidate is None
    assert (status.rejected[0].id, status.rejected[0].reason) == (id_, "Aborted")
    again = await scene.headgate("abort", scene.name)
    assert again.exit_code == 1
    assert "has no revision on trial: there is nothing to abort" in again.stderr
    retried = await scene.headgate("retry", scene.name)
    assert retried.stdout.startswith(f"{id_} (")
    assert "starts over" in retried.stdout
    await scene.until(lambda s: s.candidate and s.candidate.id == id_, "it is on trial again")
