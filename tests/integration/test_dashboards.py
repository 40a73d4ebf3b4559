"""Every query of the dashboards and every rule, asked of a real Prometheus that scrapes a real rollout as the manifests say."""

import asyncio
import math
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from tests.dashboards import queries
from tests.labelling import label
from tests.prometheus import PrometheusServer, needs_prometheus
from tests.scene import HOST, NAME, Scene
from tests.scraping import NOT_SCRAPED, monitors, observed
from tests.waiting import eventually
from tests.witness import background

pytestmark = needs_prometheus

NOT_HERE: Final = {
    # Needs Kubeflow Pipelines or a model registry.
    "pipelines: Last run of each model: A", "pipelines: Followed aliases: A", "pipelines: Not written yet: A",
    "pipelines: Runs that ended well: A", "pipelines: Runs that failed: A", "pipelines: Runs asked for: A", "pipelines: Runs asked for: B",
    # Nothing of the kind happens in this rollout.
    "pipelines: Reasons to retrain: A", "operator: Requests that failed: A", "rollouts: On hold: A", "rollouts: Weight: B",
    "serving: Turned away (429): A",
    # The operator writes no audit log.
    "operator: Audit log: A",
    # The model server runs without --range_guard and --cache_ttl.
    "serving: Outside of the training range, by feature: A", "serving: From the cache: A",
    # References of small models have no predictions, and skill takes the labels of 12 hours.
    "drift: Distance of predictions from the evaluation's: A", "drift: Skill of the version that serves: A",
}  # fmt: skip
OF_BOTH: Final = ("rollouts: Requests: A", "rollouts: Failed: A", "rollouts: Latency: B", "serving: Requests: A", "serving: Latency: C")


@pytest.fixture
def with_monitor() -> bool:
    return True


class Watcher:
    """Asks each query again and again until it was answered; those of OF_BOTH until they were about both versions."""

    def __init__(self, server: PrometheusServer) -> None:
        self.server = server
        self.silent = {asked.place: asked.expr for asked in queries(namespace=".+", model=".+", __rate_interval="10s", __range="5m")}
        self.versions: dict[str, set[str]] = defaultdict(set)

    async def look(self) -> None:
        while True:
            for place, expr in list(self.silent.items()):
                found = (await self.server.ask("query", query=expr))["result"]
                numbers = [one["metric"] for one in found if not math.isnan(float(one["value"][1]))]
                self.versions[place] |= {metric.get("version", metric.get("model_version", ""))[:1] for metric in numbers}
                if numbers and (place not in OF_BOTH or self.versions[place] >= {"1", "2"}):
                    del self.silent[place]
            await asyncio.sleep(0.5)

    async def answered(self) -> None:
        try:
            await eventually(lambda: self.silent.keys() <= NOT_HERE)
        except TimeoutError:
            silent = sorted(self.silent.keys() - NOT_HERE)
            pytest.fail(f"without an answer, or about one version only: {silent}")


async def mistakes(scene: Scene) -> None:
    """What goes wrong with clients: a request that is none, and an event that is none."""
    requests = [
        (f"{scene.cluster.gateway_url}/v2/models/{NAME}/infer", {"Host": HOST}),
        (f"{scene.cluster.monitor_url}/v1/events/{NAME}/r1", {}),
    ]
    async with aiohttp.ClientSession() as session:
        for url, headers in requests:
            await (await session.post(url, data=b"{", headers=headers)).read()


@pytest.mark.slow
async def test_every_query_is_answered_while_a_bad_version_comes_and_goes(
    scene: Scene, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    good, broken = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "2", unknown="error")
    spec = {
        "drift": {"window": {"rows": 150, "duration": "20s", "minimumRows": 60}, "targetFalseAlarmInterval": "6h"},
        "groundTruth": {"horizon": "2m", "onWorse": "Alert"},
        "owner": {"team": "delays", "contact": "#delays"},
    }
    columns = dict(make_columns(500, seed=5))
    # One in 17 of the broken one's answers is an error, so that it lasts for some seconds, long enough for labels to be compared.
    columns["dest"] = [dest if row % 5 == 0 else "ATL" for row, dest in enumerate(columns["dest"])]
    late = [(humid or 60) > 60 for humid in columns["humid"]]
    await scene.apply(good, **spec)
    await scene.serving(good)
    async with observed(scene.cluster, tmp_path / "prometheus") as server, scene.load(columns, rate=80) as traffic:
        watcher = Watcher(server)
        async with background(watcher.look(), label(scene, traffic, late)):
            await mistakes(scene)
            await scene.apply(broken, **spec)
            await scene.until(lambda s: s.rejected, "the broken version is refused")
            await watcher.answered()
        await everything_is_scraped_and_evaluated(server)


async def everything_is_scraped_and_evaluated(server: PrometheusServer) -> None:
    await server.until('ALERTS{alertname="HeadgateVersionRefused",alertstate="firing"}')
    up = [one["metric"] for one in (await server.ask("query", query="up"))["result"]]
    assert {metric["job"].rpartition("/")[2] for metric in up} == set(monitors()) - NOT_SCRAPED
    assert {metric["name"] for metric in up if "isvc" in metric} == {NAME}
    told = (await server.ask("rules"))["groups"]
    assert {
        (rule["name"], rule["health"], rule.get("lastError")) for group in told for rule in group["rules"] if rule["health"] != "ok"
    } == set()
    firing = {alert["labels"]["alertname"]: alert for alert in (await server.ask("alerts"))["alerts"] if alert["state"] == "firing"}
    assert list(firing) == ["HeadgateVersionRefused"]
    assert firing["HeadgateVersionRefused"]["labels"].items() >= {"namespace": "ml", "name": NAME, "team": "delays"}.items()
    assert firing["HeadgateVersionRefused"]["annotations"]["contact"] == "#delays"
