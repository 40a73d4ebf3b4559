"""The metric provider of most of a fleet is down: no rollout goes on, also none of those that could, and all of them do afterwards.

No pods run: statuses are written and requests counted as in the operator's bench.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from headgate_devcluster.access import write_kubeconfig
from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.apiserver import ApiServer
from headgate_devcluster.installed import define
from headgate_operator.api.names import API_VERSION, KIND, PLURAL
from headgate_operator.api.status import ModelDeploymentStatus
from tests.bench.operator import fleet
from tests.bench.operator.process import operator
from tests.bench.operator.proxy import Proxy
from tests.bench.operator.standin import StandIn
from tests.prometheus import PrometheusServer, needs_prometheus
from tests.served import everything, served
from tests.waiting import eventually

pytestmark = [needs_prometheus, pytest.mark.slow]

BY_PROMETHEUS, BY_PROXY = [f"model-{number}" for number in range(4)], ["model-4", "model-5"]
FLEET = [*BY_PROMETHEUS, *BY_PROXY]
LOOKS = timedelta(seconds=4)
"""Several times as long as the operator lets pass between two looks at a rollout."""


@dataclass
class World:
    """Six ModelDeployments, their gateway and their Prometheus."""

    api: ApiClient
    prometheus: PrometheusServer

    async def apply(self, version: int, *, step: str = "1s") -> None:
        """Apply a version to all of them, which stays in its one step for so long at least."""
        for name in FLEET:
            metadata = {"name": name, "namespace": fleet.NAMESPACE}
            manifest = {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": self._spec(name, version, step)}
            await self.api.apply(manifest, field_manager="person")

    def _spec(self, name: str, version: int, step: str) -> dict[str, Any]:
        prometheus = {"prometheus": {"address": self.prometheus.url, "scrapeInterval": "1s"}}
        return {
            "model": {"uri": f"s3://models/{name}/{version}", "format": {"name": "xgboost", "version": "3"}, "runtime": "headgate-xgboost"},
            "parity": {"mode": "Off"},
            "rollout": {
                "steps": [{"weight": 10, "minDuration": step, "minRequests": 10}],
                "watch": {"duration": "1s"},
                "scaleDownDelay": "0s",
            },
            "analysis": {
                "interval": "1s",
                "metrics": [{"name": "errors", "preset": "gateway-errors"}],
                "requirePromotionEvidence": False,
            }
            | ({"provider": prometheus} if name in BY_PROMETHEUS else {}),
        }

    async def statuses(self) -> list[ModelDeploymentStatus]:
        objects = await self.api.list(API_VERSION, PLURAL, fleet.NAMESPACE)
        return [ModelDeploymentStatus.model_validate(obj.get("status") or {}) for obj in objects]

    async def until_all(self, met: Any, seconds: float = 120) -> list[ModelDeploymentStatus]:
        async def all_met() -> list[ModelDeploymentStatus]:
            found = await self.statuses()
            return found if len(found) == len(FLEET) and all(map(met, found)) else []

        return list(await eventually(all_met, seconds))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clusters = [f"httproute/{fleet.NAMESPACE}/{name}/rule/0/backend/{slot}" for name in BY_PROMETHEUS for slot in (0, 1)]
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(ApiServer())
        api = await stack.enter_async_context(ApiClient(server.url))
        await define(api)
        await fleet.prepare(api)
        proxy = await stack.enter_async_context(Proxy())

        async def page(_: web.Request) -> web.Response:
            return web.Response(text=proxy.page(clusters))

        target = (await stack.enter_async_context(served(everything(page)))).removeprefix("http://")
        prometheus = await stack.enter_async_context(PrometheusServer(tmp_path / "prometheus", {f"{target}/stats": {}}))
        await prometheus.until("envoy_cluster_upstream_rq_xx")  # it looks for targets once in 5 s: a quick rollout would be over
        await stack.enter_async_context(StandIn(api, fleet.NAMESPACE).running())
        kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", server.url, namespace=fleet.NAMESPACE)
        flags = ("--allow-url", "http://127.0.0.1", "--breaker-window", "5s")
        await stack.enter_async_context(operator(tmp_path, kubeconfig, proxy.address, fleet.NAMESPACE, *flags))
        yield World(api, prometheus)


async def test_an_outage_of_most_providers_stops_the_whole_fleet_and_decides_about_nobody(world: World) -> None:
    await world.apply(1)
    first = [status.stable.id for status in await world.until_all(lambda s: s.phase == "Healthy") if status.stable]
    await world.apply(2, step="1h")
    await world.until_all(lambda s: s.candidate and s.candidate.step_requests > 10)
    await world.prometheus.stop()
    held = await world.until_all(lambda s: s.candidate and s.candidate.hold_reason == "BreakerOpen")
    await world.apply(2, step="1s")  # which was over long ago
    known = max(status.observed_generation for status in held)
    await world.until_all(lambda s: s.observed_generation > known)
    enough = datetime.now(UTC) + LOOKS

    async def past_the_end_of_the_step() -> bool:
        for status in await world.statuses():
            assert status.candidate is not None, "it was decided about"
            assert (status.candidate.weight, status.candidate.hold_reason) == (10, "BreakerOpen")
        return datetime.now(UTC) > enough

    await eventually(past_the_end_of_the_step)
    assert [status.stable.id for status in await world.statuses() if status.stable] == first
    await world.prometheus.start()
    ended = await world.until_all(lambda s: s.phase == "Healthy" and not s.candidate)
    assert [status.rejected for status in ended] == [[]] * len(FLEET)
    assert not set(first) & {status.stable.id for status in ended if status.stable}
