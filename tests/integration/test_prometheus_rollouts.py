"""Whole rollouts judged by a real Prometheus that scrapes the real Envoy: promotion, rollback, and an outage in the middle."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from math import sqrt
from pathlib import Path
from typing import Any

import pytest

from headgate_devcluster.errors import free_port
from headgate_operator.api.spec import Analysis, EnvoyProvider, Metric, MetricPreset, PrometheusProvider, Provider
from headgate_operator.api.status import ModelDeploymentStatus, Verdict
from headgate_operator.controller.allowed import parse_allow_list
from headgate_operator.controller.scrape import Counters
from headgate_operator.rollout.analysis import analyse, begin
from headgate_operator.rollout.observed import Backend, Route, Subject
from tests.prometheus import PrometheusServer, needs_prometheus

pytestmark = needs_prometheus
ERRORS = {"name": "errors", "preset": "gateway-errors", "maximum": "5%"}
CLUSTER = 'envoy_cluster_name="httproute/{{namespace}}/{{name}}/rule/0/backend/{{slot}}"'
OWN = {
    "name": "own-errors",
    "prometheus": {
        "bad": f'sum by (instance) (envoy_cluster_upstream_rq_xx{{{CLUSTER},envoy_response_code_class!="2"}}) '
        f"or 0 * sum by (instance) (envoy_cluster_upstream_rq_xx{{{CLUSTER}}})",
        "total": f"sum by (instance) (envoy_cluster_upstream_rq_xx{{{CLUSTER}}})",
    },
}
LONG = {"steps": [{"weight": 20, "minDuration": "1h", "minRequests": 20}]}
SHORT = {
    "steps": [{"weight": 20, "minDuration": "3s", "minRequests": 20}, {"weight": 50, "minDuration": "2s", "minRequests": 20}],
    "watch": {"duration": "3s", "holdback": 10},
    "scaleDownDelay": "1s",
}


@pytest.fixture
async def prometheus(scene: Any, tmp_path: Path) -> AsyncIterator[PrometheusServer]:
    admin = scene.cluster.envoy_admin_url.removeprefix("http://")
    async with PrometheusServer(tmp_path / "prometheus", {f"{admin}/stats/prometheus": {}}) as server:
        await server.until("up == 1")
        yield server


def by(server: PrometheusServer, *metrics: dict[str, Any]) -> dict[str, Any]:
    provider = {"prometheus": {"address": server.url, "scrapeInterval": "1s"}}
    return {"interval": "1s", "metrics": list(metrics), "provider": provider}


async def test_a_good_version_is_promoted_through_an_outage_and_a_loss_of_all_samples(
    scene: Any, prometheus: PrometheusServer, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    first, second = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "2", seed=1)
    analysis = by(prometheus, ERRORS, OWN)
    await scene.apply(first, analysis=analysis, rollout=SHORT)
    await scene.serving(first)
    async with scene.load(make_columns(500, seed=5)) as traffic:
        await scene.apply(second, analysis=analysis, rollout=LONG)
        status = await scene.until(lambda s: s.candidate and s.candidate.step_requests > 5, "the candidate is analysed")
        new = status.candidate.id
        await prometheus.stop()
        status = await scene.until(lambda s: s.candidate.hold_reason == "ProviderError", "it holds")
        available = next(c for c in status.conditions if c.type == "AnalysisAvailable")
        assert (available.status, available.reason) == ("False", "ProviderError")
        assert "the Prometheus server" in available.message
        held = {entry.id: entry.weight for entry in status.traffic}
        await scene.apply(second, analysis=analysis, rollout=SHORT)
        over = traffic.of(new) + 40  # more than its step needs
        status = await scene.until(lambda _: traffic.of(new) >= over, "its step would be over")
        assert {entry.id: entry.weight for entry in status.traffic} == held
        await prometheus.start(forgetful=True)
        status = await scene.until(lambda s: s.stable and s.stable.id == new and s.previous, "promoted, under watch")
        for metric in status.analysis.metrics:
            assert metric.total.candidate >= 40
            assert (metric.bad.candidate, metric.bad.stable) == (0, 0)
        await scene.serving(second)
    assert traffic.bad() == 0, traffic.answers


async def test_a_version_that_fails_is_rolled_back_by_its_own_query(
    scene: Any, prometheus: PrometheusServer, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    good, broken = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "3", unknown="error")
    analysis = by(prometheus, OWN)
    await scene.apply(good, analysis=analysis)
    stable = (await scene.serving(good)).stable.id
    async with scene.load(make_columns(500, seed=5)) as traffic:
        await scene.apply(broken, analysis=analysis)
        status = await scene.until(lambda s: s.rejected, "the broken version is refused")
        assert (status.rejected[0].reason, status.rejected[0].version) == ("MetricWorse", broken.name)
        assert "were bad (own-errors)" in status.rejected[0].message
        await scene.until(lambda s: [(entry.id, entry.weight) for entry in s.traffic] == [(stable, 100)], "its weight is 0")
    assert traffic.bad(stable) == 0
    assert "MetricWorse" in await scene.events()


class Onlooker:
    """Judges what one provider tells, as the operator would, and moves nothing."""

    def __init__(self, provider: Provider, status: ModelDeploymentStatus) -> None:
        errors = Metric(name="errors", preset=MetricPreset.GATEWAY_ERRORS, maximum=0.05)
        self.settings = Analysis(provider=provider, interval=timedelta(seconds=1), metrics=[errors])
        self.counters = Counters(allowed=parse_allow_list(["http://127.0.0.1"]))
        candidate, stable = status.candidate, status.stable
        assert candidate is not None
        assert stable is not None
        assert (candidate.slot, stable.slot) != (None, None)
        versions = sorted((candidate, stable), key=lambda version: version.slot or 0)
        first, second = (Backend(isvc=version.isvc, revision=version.id, weight=0) for version in versions)
        self.route = Route(ours=True, accepted=True, slots=(first, second))
        self.status = begin(candidate=candidate.id, candidate_slot=candidate.slot, stable_slot=stable.slot, weight=20)  # type: ignore[arg-type]
        self.verdict = Verdict.UNDECIDED

    async def look(self) -> None:
        subject = Subject(name="flight-delay", namespace="ml", uid="u", generation=1)
        reading = await self.counters.read(self.settings, subject, self.route)
        assert reading.error is None
        if self.verdict is Verdict.UNDECIDED:
            found = analyse(self.settings, self.status, reading, now=datetime.now(UTC))
            self.status = found.status
            verdict = found.outcomes[0].verdict
            self.verdict = verdict if verdict in (Verdict.WORSE, Verdict.NOT_WORSE) else Verdict.UNDECIDED


async def test_the_same_rollout_has_the_same_verdicts_by_direct_scrape_and_by_prometheus(
    scene: Any, prometheus: PrometheusServer, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    """The operator itself can read no counters and holds; beside it two onlookers judge what they read of the same requests."""
    good = make_export(tmp_path / "s", "1")
    await scene.apply(good)
    await scene.serving(good)
    nobody = {"envoy": {"addresses": [f"http://127.0.0.1:{free_port()}"]}}
    second = timedelta(seconds=1)
    providers = (
        Provider(envoy=EnvoyProvider(addresses=[scene.cluster.envoy_admin_url], flush=second)),
        Provider(prometheus=PrometheusProvider(address=prometheus.url, scrape_interval=second)),
    )
    versions = (
        (make_export(tmp_path / "s", "2", seed=1), Verdict.NOT_WORSE),
        (make_export(tmp_path / "s", "3", unknown="error"), Verdict.WORSE),
    )
    for export, expected in versions:
        async with scene.load(make_columns(500, seed=5)):
            await scene.apply(export, analysis=by(prometheus, ERRORS) | {"provider": nobody})
            status = await scene.until(
                lambda s, name=export.name: s.candidate and s.candidate.version == name and s.candidate.step_started_at, "it has weight"
            )
            onlookers = [Onlooker(provider, status) for provider in providers]
            async with asyncio.timeout(120):
                while any(onlooker.verdict is Verdict.UNDECIDED for onlooker in onlookers):
                    await asyncio.gather(*(onlooker.look() for onlooker in onlookers))
                    await asyncio.sleep(0.2)  # a poll
            for onlooker in onlookers:
                await onlooker.counters.close()
        assert [onlooker.verdict for onlooker in onlookers] == [expected, expected]
        direct, scraped = (onlooker.status.metrics[0] for onlooker in onlookers)
        asked = [metric.total.candidate for metric in (direct, scraped)]
        shares = [metric.bad.candidate / total for metric, total in zip((direct, scraped), asked, strict=True)]
        common = (direct.bad.candidate + scraped.bad.candidate) / sum(asked)
        by_chance = sqrt(common * (1 - common) * sum(1 / total for total in asked))  # they decide at different moments
        assert abs(shares[0] - shares[1]) <= 4 * by_chance, (direct, scraped)
