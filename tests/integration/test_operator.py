"""The operator as a process, in a whole devcluster: real API calls, real Envoy, real model servers, real requests."""

import asyncio
import json
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner, Result

from headgate_devcluster.cluster import Cluster
from headgate_operator.api.names import API_VERSION, KIND, REVISION_HEADER
from headgate_operator.api.status import ModelDeploymentStatus, Phase
from headgate_operator.cli.main import main

NAME = "flight-delay"
HOST = f"{NAME}.ml.example.com"
NUMBERS = frozenset({"distance", "humid", "weekday"})
STEPS = [{"weight": 20, "minDuration": "8s", "minRequests": 20}, {"weight": 50, "minDuration": "2s", "minRequests": 20}]


@dataclass
class Traffic:
    """Requests through the gateway, and who answered them."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)

    def of(self, revision: str) -> int:
        return sum(count for (answered, _), count in self.answers.items() if answered == revision)

    def bad(self, revision: str | None = None) -> int:
        return sum(count for (answered, code), count in self.answers.items() if code != 200 and revision in (None, answered))


@dataclass
class Scene:
    """One ModelDeployment in one cluster."""

    cluster: Cluster
    traffic: Traffic

    async def apply(self, export: Path, **spec: Any) -> None:
        """Apply a version's golden set and manifest, as the pipeline and a person would."""
        golden = f"{NAME}-{export.name.partition('-')[0]}-golden"
        data = {"golden.json": (export / "headgate" / "golden.json").read_text()}
        meta = {"namespace": "ml"}
        await self.cluster.api.apply(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta | {"name": golden}, "data": data}, field_manager="person"
        )
        manifest = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": meta | {"name": NAME},
            "spec": {
                "model": {"uri": f"file://{export}", "format": {"name": "xgboost", "version": "3"}, "runtime": "headgate-xgboost"},
                "serving": {"requestTimeout": "2s"},
                "rollout": {"steps": STEPS, "watch": {"duration": "3s", "holdback": 10}, "scaleDownDelay": "1s"},
                "analysis": {"interval": "1s", "metrics": [{"name": "errors", "preset": "gateway-errors", "maximum": "5%"}]},
                "parity": {"mode": "Required", "golden": {"configMap": golden}},
            }
            | spec,
        }
        await self.cluster.api.apply(manifest, field_manager="person")

    async def status(self) -> ModelDeploymentStatus:
        obj = await self.cluster.api.get(API_VERSION, "modeldeployments", "ml", NAME)
        return ModelDeploymentStatus.model_validate((obj or {}).get("status") or {})

    async def until(self, met: Callable[[ModelDeploymentStatus], Any], what: str, seconds: float = 60) -> ModelDeploymentStatus:
        """Wait until the status is as wanted."""
        status = await self.status()
        try:
            async with asyncio.timeout(seconds):
                while not met(status):
                    await asyncio.sleep(0.1)
                    status = await self.status()
        except TimeoutError:
            log = (self.cluster.folder / "logs" / "operator.log").read_text()[-3000:]
            brief = status.model_dump(mode="json", exclude={"history": True, "candidate": {"rendered", "inputs"}})
            pytest.fail(f"not within {seconds:g} s: {what}\n{json.dumps(brief, indent=1)}\n{dict(self.traffic.answers)}\n{log}")
        return status

    async def serving(self, export: Path) -> ModelDeploymentStatus:
        """Wait until this version is stable and nothing moves any more."""
        version = export.name
        return await self.until(
            lambda status: status.stable is not None and status.stable.version == version and status.phase is Phase.HEALTHY,
            f"version {version} serves alone",
        )

    async def events(self) -> set[str]:
        return {event["reason"] for event in await self.cluster.api.list("events.k8s.io/v1", "events", "ml")}

    async def headgate(self, *args: str) -> Result:
        """Run the command against this cluster, in a thread: it has an event loop of its own."""
        options = ["--kubeconfig", str(self.cluster.kubeconfig), "-n", "ml"]
        return await asyncio.to_thread(CliRunner().invoke, main, [*args, *options])


@asynccontextmanager
async def load(url: str, columns: Any, *, rate: float = 60) -> AsyncIterator[Traffic]:
    """Send rows through the gateway at a steady rate until the block ends."""
    traffic, sent = Traffic(), set[asyncio.Task[None]]()

    async def send(session: aiohttp.ClientSession, body: Any) -> None:
        try:
            async with session.post(f"{url}/v2/models/{NAME}/infer", json=body, headers={"Host": HOST}) as answer:
                await answer.read()
                traffic.answers[answer.headers.get(REVISION_HEADER, ""), answer.status] += 1
        except (aiohttp.ClientError, TimeoutError) as error:
            traffic.answers[type(error).__name__, 0] += 1

    async def replay(session: aiohttp.ClientSession) -> None:
        for body in bodies(columns):
            task = asyncio.create_task(send(session, body))
            sent.add(task)
            task.add_done_callback(sent.discard)
            await asyncio.sleep(1 / rate)

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        await first_answer(session, url)
        replaying = asyncio.create_task(replay(session))
        try:
            yield traffic
        finally:
            replaying.cancel()
            with suppress(asyncio.CancelledError):
                await replaying
            await asyncio.gather(*sent)


async def first_answer(session: aiohttp.ClientSession, url: str) -> None:
    """Wait until Envoy has read the route: a gateway accepts it a moment earlier."""
    async with asyncio.timeout(10):
        while True:
            async with session.get(f"{url}/v2/health/ready", headers={"Host": HOST}) as answer:
                if answer.status == 200:
                    return
            await asyncio.sleep(0.05)


def bodies(columns: Any) -> Iterator[Any]:
    """One V2 request a row, over and over."""
    names = list(columns)
    rows = list(zip(*columns.values(), strict=True))
    while True:
        for row in rows:
            yield {
                "inputs": [
                    {"name": name, "shape": [1], "datatype": "FP64" if name in NUMBERS else "BYTES", "data": [value]}
                    for name, value in zip(names, row, strict=True)
                ]
            }


@pytest.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setenv("HEADGATE_LEADER_ELECTION", "false")  # a killed leader's lease lasts 15 s; test_operator_process.py waits for it
    async with Cluster(tmp_path / "cluster") as cluster:
        yield Scene(cluster, Traffic())


async def test_a_new_version_is_promoted_in_steps_although_the_operator_is_killed_in_the_middle(
    scene: Scene, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    first, second = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "2", seed=1)
    await scene.apply(first)
    status = await scene.serving(first)
    assert status.stable is not None
    old = status.stable.id
    async with load(scene.cluster.gateway_url, make_columns(500, seed=5)) as traffic:
        scene.traffic = traffic
        await scene.apply(second)
        await scene.until(lambda s: s.candidate and s.candidate.step == 0 and s.candidate.step_requests > 5, "the first step has evidence")
        await scene.cluster.kill_operator(signal.SIGKILL)
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
    assert (await scene.headgate("status", NAME, "--wait", "--revision", new, "--timeout", "5s")).exit_code == 0


async def test_a_version_that_fails_on_unknown_categories_is_rolled_back_and_its_return_refused(
    scene: Scene, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    good, broken = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "3", unknown="error")
    await scene.apply(good)
    status = await scene.serving(good)
    assert status.stable is not None
    stable = status.stable.id
    async with load(scene.cluster.gateway_url, make_columns(500, seed=5)) as traffic:
        scene.traffic = traffic
        await scene.apply(broken)
        waiting = asyncio.create_task(scene.headgate("status", NAME, "--wait", "--timeout", "60s"))
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
    history = await scene.headgate("history", NAME, "-o", "json")
    newest = json.loads(history.stdout)[0]
    assert (newest["revision"], newest["outcome"]) == (rejected.id, "Refused")


async def test_a_version_with_other_answers_than_where_it_was_trained_is_refused_before_its_first_request(
    scene: Scene, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    good, changed = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "4", seed=2, tamper_base_score=True)
    await scene.apply(good)
    await scene.serving(good)
    async with load(scene.cluster.gateway_url, make_columns(500, seed=5), rate=20) as traffic:
        await scene.apply(changed)
        status = await scene.until(lambda s: s.rejected, "the changed version is refused")
        rejected = status.rejected[0]
        assert rejected.reason == "ParityMismatch"
        assert "probability differs in 20 of 20 rows" in rejected.message
        await scene.until(lambda s: not s.draining, "it is gone")
    assert traffic.of(rejected.id) == 0
    assert traffic.bad() == 0


async def test_a_person_aborts_a_candidate_and_gives_it_another_chance(scene: Scene, tmp_path: Path, make_export: Any) -> None:
    first, second = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "2", seed=1)
    await scene.apply(first)
    await scene.serving(first)
    await scene.apply(second)
    status = await scene.until(lambda s: s.candidate and s.candidate.weight, "the candidate has weight")
    assert status.candidate is not None
    id_ = status.candidate.id
    shown = await scene.headgate("status", NAME)
    assert id_ in shown.stdout
    assert "step 1 of 2" in shown.stdout
    aborted = await scene.headgate("abort", NAME)
    assert (aborted.exit_code, aborted.stdout.split(";")[0]) == (0, f"{id_} is refused")
    status = await scene.status()
    assert status.candidate is None
    assert (status.rejected[0].id, status.rejected[0].reason) == (id_, "Aborted")
    again = await scene.headgate("abort", NAME)
    assert again.exit_code == 1
    assert "has no revision on trial: there is nothing to abort" in again.stderr
    retried = await scene.headgate("retry", NAME)
    assert retried.stdout.startswith(f"{id_} (")
    assert "starts over" in retried.stdout
    await scene.until(lambda s: s.candidate and s.candidate.id == id_, "it is on trial again")
