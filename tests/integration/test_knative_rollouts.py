"""The operator in Knative mode: one InferenceService, real servers, real requests, and every state that anybody could have seen of it."""

import json
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from headgate_devcluster.apiserver.faults import Effect, Fault, Moment
from tests.waiting import eventually, settled
from tests.witness import background

pytestmark = pytest.mark.slow

ISVC = ("serving.kserve.io/v1beta1", "inferenceservices", "ml", "flight-delay")
KNATIVE = {"serving": {"mode": "Knative", "requestTimeout": "2s"}}
REVISION = "headgate.dev/revision"


@dataclass
class Film:
    """Every version of the InferenceService that a watcher saw."""

    objects: list[dict[str, Any]] = field(default_factory=list)

    @property
    def percents(self) -> list[tuple[str, int | None]]:
        """Template and percentage, without repetitions."""
        said = [(obj["metadata"]["annotations"][REVISION], obj["spec"]["predictor"].get("canaryTrafficPercent")) for obj in self.objects]
        return [now for before, now in zip([None, *said], said, strict=False) if before != now]

    def raised_too_early(self) -> list[dict[str, Any]]:
        """States in which a percentage above 0 was about another revision than the one whose template the object had carried since."""
        found = []
        for before, now in zip(self.objects, self.objects[1:], strict=False):
            part = now.get("status", {}).get("components", {}).get("predictor", {})
            raised = now["spec"]["predictor"]["canaryTrafficPercent"] > before["spec"]["predictor"]["canaryTrafficPercent"]
            if raised and part.get("latestReadyRevision") != part.get("latestCreatedRevision"):
                found.append(now)
        return found


@asynccontextmanager
async def filmed(scene: Any) -> AsyncIterator[Film]:
    film = Film()

    async def follow() -> None:
        async for kind, obj in scene.cluster.api.watch(*ISVC[:3]):
            film.objects += [obj] if kind != "DELETED" else []

    async with background(follow()):
        yield film
    assert all(percent is not None for _, percent in film.percents)
    assert film.raised_too_early() == []


async def answered(scene: Any) -> dict[int, int]:
    """Answers of any kind by the number of the Knative revision, as Envoy counted them."""
    url = f"{scene.cluster.envoy_admin_url}/stats?filter=^cluster.ml/[^.]*.upstream_rq_completed$&format=json"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        stats = (await answer.json(content_type=None))["stats"]
    found = {re.search(r"predictor-(\d{5})", entry["name"]): entry["value"] for entry in stats}
    return {int(match[1]): value for match, value in found.items() if match is not None}


async def isvc_until(scene: Any, met: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the InferenceService once it exists and is as wanted."""

    async def found() -> dict[str, Any] | None:
        obj: dict[str, Any] | None = await scene.cluster.api.get(*ISVC)
        return obj if obj is not None and met(obj) else None

    return dict(await eventually(found, seconds=60))


def kill_at_the_next_percentage(scene: Any, moment: Moment) -> str:
    """Let the operator die of its next write of the InferenceService."""
    writes = {"verbs": frozenset({"patch"}), "resources": frozenset({"inferenceservices"})}
    return str(scene.cluster.faults.inject(Fault(effect=Effect.CRASH, moment=moment, limit=1, **writes)))


def serving_pids(scene: Any, *, stable_revision: str) -> dict[str, int]:
    return {name: pid for name, pid in scene.cluster.pids().items() if stable_revision in name}


async def gone(scene: Any) -> None:
    """Wait until there is no InferenceService."""

    async def absent() -> bool:
        return await scene.cluster.api.get(*ISVC) is None

    await eventually(absent)


async def test_a_version_is_promoted_in_place_although_the_operator_is_killed_in_a_step(
    scene: Any, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    first, second = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "2", seed=1)
    async with filmed(scene) as film:
        await scene.apply(first, **KNATIVE)
        status = await scene.serving(first)
        old = status.stable.id
        async with scene.load(make_columns(500, seed=5)) as traffic:
            await scene.apply(second, **KNATIVE)
            status = await scene.until(lambda s: s.candidate and s.candidate.step == 0 and s.candidate.step_requests > 5, "it has evidence")
            new = status.candidate.id
            await scene.cluster.kill_operator(signal.SIGKILL)
            await scene.cluster.start_operator()
            await scene.until(lambda s: s.candidate and s.candidate.step == 1 and s.candidate.step_started_at, "it is at its last step")
            dies = [kill_at_the_next_percentage(scene, moment) for moment in Moment]
            await scene.until(lambda s: s.stable and s.stable.id == new and s.previous, "promoted, under watch")
            status = await scene.serving(second)
            await scene.until(lambda s: not s.draining, "the old version is forgotten")
            assert not {active.id for active in scene.cluster.faults.active()} & set(dies), "it died before and after the promotion's write"
    assert traffic.bad() == 0, traffic.answers
    assert [entry.id for entry in status.history] == [new, old]
    assert [(entry.id, entry.weight) for entry in status.traffic] == [(new, 100)]
    weights = [percent for template, percent in film.percents if template == new]
    assert weights == [0, 20, 50, 90, 100]
    part = film.objects[-1]["status"]["components"]["predictor"]
    assert part["latestRolledoutRevision"] == part["latestCreatedRevision"] == "flight-delay-predictor-00002"
    assert await scene.cluster.api.get("gateway.networking.k8s.io/v1", "httproutes", "ml", "flight-delay") is None
    runtimes = await scene.cluster.api.list("serving.kserve.io/v1alpha1", "servingruntimes", "ml")
    assert [runtime["metadata"]["name"] for runtime in runtimes] == [status.stable.isvc]


async def test_a_bad_version_gets_nothing_more_and_neither_does_it_when_the_next_one_starts(
    scene: Any, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    good, broken, better = (
        make_export(tmp_path / "s", "1"),
        make_export(tmp_path / "s", "3", unknown="error"),
        make_export(tmp_path / "s", "4", seed=2),
    )
    async with filmed(scene) as film:
        await scene.apply(good, **KNATIVE)
        stable = (await scene.serving(good)).stable.id
        async with scene.load(make_columns(500, seed=5)) as traffic:
            await scene.apply(broken, **KNATIVE)
            await scene.until(lambda s: s.candidate and s.candidate.step_started_at, "it has traffic")
            dies = kill_at_the_next_percentage(scene, Moment.BEFORE)
            status = await scene.until(lambda s: s.rejected, "the broken version is refused")
            assert status.rejected[0].reason == "ErrorsWorse"
            await scene.until(lambda s: [(e.id, e.weight) for e in s.traffic] == [(stable, 100)] and not s.draining, "it has nothing")
            assert dies not in {active.id for active in scene.cluster.faults.active()}, "it died with the refusal on record"
            await settled(traffic.bad, quiet=1, seconds=60)  # what was in flight is answered
            bad = traffic.bad()
            assert bad > 0
            pids, new = serving_pids(scene, stable_revision="00001"), await scene.restore_from_backup()
            await isvc_until(
                scene, lambda obj: [one["uid"] for one in obj["metadata"].get("ownerReferences", ())] == [new["metadata"]["uid"]]
            )
            assert serving_pids(scene, stable_revision="00001") == pids
            await scene.apply(better, **KNATIVE)
            await scene.serving(better)
            assert traffic.bad() == bad
    refused = status.rejected[0].id
    percents = [percent for template, percent in film.percents if template == refused]
    assert percents in ([0, 20, 0], [0, 20, 50, 0])
    assert film.percents[-1][1] == 100


async def test_a_manifest_that_changes_its_mind_supersedes_cancels_and_returns_to_what_is_known_good(
    scene: Any, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    first, second, third = (make_export(tmp_path / "s", str(number), seed=number) for number in (1, 2, 3))
    async with filmed(scene) as film:
        await scene.apply(first, **KNATIVE)
        one = (await scene.serving(first)).stable.id
        async with scene.load(make_columns(500, seed=5)) as traffic:
            await scene.apply(second, **KNATIVE)
            status = await scene.until(lambda s: s.candidate and s.candidate.weight and len(s.traffic) == 2, "the second has traffic")
            two = status.candidate.id
            await scene.apply(third, **KNATIVE)
            status = await scene.until(lambda s: s.candidate and s.candidate.id != two and len(s.traffic) == 2, "the third has traffic")
            three = status.candidate.id
            await scene.apply(first, **KNATIVE)
            await scene.serving(first)
            await eventually(lambda: film.percents[-1] == (three, 0))  # the template stays, without traffic
            await scene.apply(second, **KNATIVE)
            await scene.serving(second)
            await scene.apply(first, **KNATIVE)
            status = await scene.until(lambda s: s.candidate and s.candidate.known_good, "the way back is a fast one")
            await scene.serving(first)
    assert traffic.bad() == 0, traffic.answers
    assert [template for template, percent in film.percents if percent == 100] == [one, two, one]
    assert {"Superseded", "Cancelled", "KnownGood"} <= await scene.events()
    counts = await answered(scene)
    assert counts[5] > 0, "known good is a revision of its own: the first one again"


async def test_a_first_version_that_is_refused_goes_at_once_for_knative_gives_it_everything(
    scene: Any, tmp_path: Path, make_export: Any
) -> None:
    wrong, other = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "2", seed=1)
    answers = json.loads((other / "headgate" / "golden.json").read_text())
    await scene.apply(wrong, **KNATIVE, parity={"mode": "Required", "golden": {"configMap": "others"}})
    golden = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "others", "namespace": "ml"}}
    await scene.cluster.api.apply(golden | {"data": {"golden.json": json.dumps(answers)}}, field_manager="person")
    status = await scene.until(lambda s: s.rejected, "it answers otherwise than the golden set")
    assert status.rejected[0].reason == "ParityMismatch"
    await gone(scene)
    await scene.apply(other, **KNATIVE)
    status = await scene.serving(other)
    assert len(status.history) == 1


async def test_what_others_do_to_the_inference_service_is_put_back_and_promotes_nobody(
    scene: Any, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    first, second = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "2", seed=1)
    await scene.apply(first, **KNATIVE)
    stable = (await scene.serving(first)).stable.id
    steps = [{"weight": 20, "minDuration": "10m"}]
    slow = {**KNATIVE, "rollout": {"steps": steps, "watch": {"duration": "3s", "holdback": 10}, "scaleDownDelay": "1s"}}
    async with scene.load(make_columns(500, seed=5)):
        await scene.apply(second, **slow)
        status = await scene.until(lambda s: len(s.traffic) == 2, "the candidate has traffic")
        shares = {(entry.id, entry.weight) for entry in status.traffic}
        uid = (await scene.cluster.api.get(*ISVC))["metadata"]["uid"]
        await scene.cluster.api.merge_patch(*ISVC, {"spec": {"predictor": {"canaryTrafficPercent": None}}})
        await isvc_until(scene, lambda obj: obj["spec"]["predictor"].get("canaryTrafficPercent") == 20)
        await scene.until(lambda s: {(e.id, e.weight) for e in s.traffic} == shares, "it went back to its step")
        await scene.cluster.api.delete(*ISVC)
        obj = await isvc_until(scene, lambda obj: obj["metadata"]["uid"] != uid)
        assert obj["metadata"]["annotations"][REVISION] == stable, "the first template gets everything, so it is the stable one"
        await isvc_until(scene, lambda obj: obj["spec"]["predictor"].get("canaryTrafficPercent") == 20)
        status = await scene.until(lambda s: {(e.id, e.weight) for e in s.traffic} == shares, "the candidate has its share again")
    assert status.stable.id == stable
    assert "ChildRestored" in await scene.events()
