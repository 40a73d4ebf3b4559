"""A whole cluster to play in: one ModelDeployment, real Envoy, real model servers, a real operator process, real requests."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner, Result

from headgate_operator.api.names import API_VERSION, KIND, REVISION_HEADER
from headgate_operator.api.status import ModelDeploymentStatus, Phase
from headgate_operator.cli.main import main
from tests.waiting import eventually

NAME = "flight-delay"
HOST = f"{NAME}.ml.example.com"
NUMBERS = frozenset({"distance", "humid", "weekday"})
STEPS = [{"weight": 20, "minDuration": "8s", "minRequests": 20}, {"weight": 50, "minDuration": "2s", "minRequests": 20}]


@dataclass
class Traffic:
    """Requests through the gateway, and who answered them."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    answered: list[tuple[str, int]] = field(default_factory=list)
    """Ids (x-request-id) of requests that were answered well, with the number of the row they were about."""

    def of(self, revision: str) -> int:
        return sum(count for (answered, _), count in self.answers.items() if answered == revision)

    def bad(self, revision: str | None = None) -> int:
        return sum(count for (answered, code), count in self.answers.items() if code != 200 and revision in (None, answered))


@dataclass
class Scene:
    """One ModelDeployment in one cluster."""

    cluster: Any
    """The devcluster's `Cluster`, or what stands for a real one (tests/e2e/conftest.py)."""
    traffic: Traffic = field(default_factory=Traffic)
    name: str = NAME
    uri: Callable[[Path], str] = lambda export: f"file://{export}"
    """Where KServe finds an export."""
    patience: float = 1
    """How many times as long as on one machine anything may take."""

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
                "model": {"uri": self.uri(export), "format": {"name": "xgboost", "version": "3"}, "runtime": "headgate-xgboost"},
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

    async def until(self, met: Callable[[ModelDeploymentStatus], Any], what: str, seconds: float = 120) -> ModelDeploymentStatus:
        """Wait until the status is as wanted."""
        status, seconds = await self.status(), seconds * self.patience
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

    async def restore_from_backup(self) -> Any:
        """Delete the object, leave its children behind, and create it anew with the status it had; return it."""
        kind, api = (API_VERSION, "modeldeployments"), self.cluster.api
        old = await api.get(*kind, "ml", self.name)
        assert old is not None
        url = f"{self.cluster.api_url}/apis/{API_VERSION}/namespaces/ml/modeldeployments/{self.name}"
        async with aiohttp.ClientSession() as session, session.delete(url, params={"propagationPolicy": "Orphan"}) as answer:
            assert answer.status == 200
        meta = {key: old["metadata"][key] for key in ("name", "namespace")}
        new = await api.create({key: old[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": meta})
        await api.merge_patch(*kind, "ml", self.name, {"status": old["status"]}, subresource="status")
        return new

    async def events(self) -> set[str]:
        return {event["reason"] for event in await self.cluster.api.list("events.k8s.io/v1", "events", "ml")}

    async def headgate(self, *args: str) -> Result:
        """Run the command against this cluster, in a thread: it has an event loop of its own."""
        options = ["--kubeconfig", str(self.cluster.kubeconfig), "-n", "ml"]
        return await asyncio.to_thread(CliRunner().invoke, main, [*args, *options])

    @asynccontextmanager
    async def load(self, columns: Any, *, rate: float = 60) -> AsyncIterator[Traffic]:
        """Send rows through the gateway at a steady rate until the block ends."""
        url, sent = self.cluster.gateway_url, set[asyncio.Task[None]]()
        traffic = self.traffic = Traffic()
        rows = len(next(iter(columns.values())))

        async def send(session: aiohttp.ClientSession, number: int, body: Any) -> None:
            try:
                headers = {"Host": HOST, "x-request-id": f"request-{number}"}
                async with session.post(f"{url}/v2/models/{NAME}/infer", json=body, headers=headers) as answer:
                    await answer.read()
                    traffic.answers[answer.headers.get(REVISION_HEADER, ""), answer.status] += 1
                    if answer.status == 200:
                        traffic.answered.append((headers["x-request-id"], number % rows))
            except (aiohttp.ClientError, TimeoutError) as error:
                traffic.answers[type(error).__name__, 0] += 1

        async def replay(session: aiohttp.ClientSession) -> None:
            for number, body in enumerate(bodies(columns)):
                task = asyncio.create_task(send(session, number, body))
                sent.add(task)
                task.add_done_callback(sent.discard)
                await asyncio.sleep(1 / rate)

        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
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

    async def ready() -> bool:
        async with session.get(f"{url}/v2/health/ready", headers={"Host": HOST}) as answer:
            return answer.status == 200

    await eventually(ready)


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
