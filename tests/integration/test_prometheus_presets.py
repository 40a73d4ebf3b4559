"""Every preset, asked of a real Prometheus that scrapes what the real sources publish."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
import pytest_asyncio
from aiohttp import web

from headgate_operator.api.spec import Analysis, Metric, MetricPreset, PrometheusProvider, PrometheusQueries, Provider, SeriesPreset
from headgate_operator.controller.allowed import parse_allow_list
from headgate_operator.controller.scrape import Counters
from headgate_operator.rollout.observed import Backend, Reading, Route, Subject
from tests import expositions
from tests.expositions import CANDIDATE, STABLE
from tests.prometheus import PrometheusServer, needs_prometheus
from tests.served import routes, served
from tests.waiting import eventually

pytestmark = needs_prometheus
SUBJECT = Subject(name="flight-delay", namespace="ml", uid="u", generation=1)
ROUTE = Route(
    ours=True,
    accepted=True,
    slots=(Backend(isvc=STABLE, revision="r1", weight=90), Backend(isvc=CANDIDATE, revision="r2", weight=10)),
)
ERRORS = Metric(name="errors", preset=MetricPreset.GATEWAY_ERRORS)
SECOND = timedelta(seconds=1)


def pod(isvc: str) -> dict[str, str]:
    return {"namespace": "ml", "pod": f"{isvc}-predictor-6d5f9b7c4-x2x{isvc[-1]}z"}


PAGES: Mapping[str, tuple[str, dict[str, str]]] = {
    "envoy": (expositions.envoy(), {"pod": "envoy-a"}),
    "istio": (expositions.istio(), {"pod": "istio-ingressgateway-a"}),
    **{f"knative-old-{isvc}": (expositions.knative_until_1_18(isvc), {}) for isvc in expositions.ANSWERS},
    **{f"knative-new-{isvc}": (expositions.knative_from_1_19(isvc), {}) for isvc in expositions.ANSWERS},
    **{f"kserve-{isvc}": (expositions.kserve(isvc), pod(isvc)) for isvc in expositions.ANSWERS},
    **{f"mlserver-{isvc}": (expositions.mlserver(isvc), pod(isvc)) for isvc in expositions.ANSWERS},
    **{f"headgate-{isvc}": (expositions.headgate(isvc), pod(isvc)) for isvc in expositions.ANSWERS},
    **{f"headgate-twice-{isvc}": (expositions.headgate(isvc), pod(isvc)) for isvc in expositions.ANSWERS},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def prometheus(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PrometheusServer]:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text=PAGES[request.match_info["name"]][0])

    async with served(routes(web.get("/{name}", page))) as url:
        targets = {f"{url.removeprefix('http://')}/{name}": labels for name, (_, labels) in PAGES.items()}
        async with PrometheusServer(tmp_path_factory.mktemp("prometheus") / "server", targets) as server:
            # One scrape each is not enough: what is read is a moment ago, when the last of them may not have been scraped yet.
            await server.until(f"count(sum_over_time(up[1m]) >= 3) == {len(targets)}")
            yield server


async def read_until(server: PrometheusServer, series: SeriesPreset, metric: Metric, met: Callable[[Reading], bool]) -> Reading:
    """On a busy machine Prometheus may miss a scrape of one target, whose counters then have disappeared for a moment, or be late."""

    async def found() -> Reading | None:
        reading = await read(server, series, metric)
        return reading if met(reading) else None

    return cast("Reading", await eventually(found))


async def read(server: PrometheusServer, series: SeriesPreset, *metrics: Metric) -> Reading:
    """Ask until the first scrapes are there."""
    provider = Provider(prometheus=PrometheusProvider(address=server.url, series=series, scrape_interval=SECOND))
    counters = Counters(allowed=parse_allow_list(["http://127.0.0.1"]))
    try:
        async with asyncio.timeout(60):
            while True:
                reading = await counters.read(Analysis(provider=provider, metrics=[*metrics]), SUBJECT, ROUTE)
                if reading.error or any(one.scrapes or one.error for one in reading.own.values()) or totals(reading).keys() == {0, 1}:
                    return reading
                await asyncio.sleep(0.1)
    finally:
        await counters.close()


def totals(reading: Reading) -> dict[int, dict[str, float]]:
    """All sources added up."""
    found: dict[int, dict[str, float]] = {}
    for scrape in reading.scrapes:
        for slot in scrape.slots:
            for name, value in slot.counters.items():
                counters = found.setdefault(slot.slot, {})
                counters[name] = counters.get(name, 0) + value
    return found


CLASSES = {0: {"rq_2xx": 900, "rq_5xx": 9}, 1: {"rq_2xx": 100, "rq_5xx": 5}}
COUNTED = {0: {"bad": 9, "total": 909}, 1: {"bad": 5, "total": 105}}
HISTOGRAM = {0: {"latency_count": 909}, 1: {"latency_count": 105}}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("series", "expected", "edges"),
    [
        (SeriesPreset.ENVOY_GATEWAY, {0: CLASSES[0] | {"latency_count": 909}, 1: CLASSES[1] | {"latency_count": 103, "rq_timeout": 2}}, 19),
        (SeriesPreset.ISTIO, {0: CLASSES[0] | {"latency_count": 912}, 1: CLASSES[1] | {"latency_count": 108}}, 19),
        (SeriesPreset.KNATIVE, {slot: {name: 2 * n for name, n in (CLASSES[slot] | HISTOGRAM[slot]).items()} for slot in (0, 1)}, 29),
        (SeriesPreset.KSERVE, HISTOGRAM, 14),
        (SeriesPreset.MLSERVER, {slot: CLASSES[slot] | HISTOGRAM[slot] for slot in (0, 1)}, 14),
    ],
)
async def test_a_preset_reads_what_its_source_publishes(
    prometheus: PrometheusServer, series: SeriesPreset, expected: dict[int, dict[str, float]], edges: int
) -> None:
    latency = Metric(name="latency", preset=MetricPreset.GATEWAY_LATENCY, slower_than=timedelta(milliseconds=250))

    def whole(reading: Reading) -> bool:
        found = totals(reading)
        return {slot: {name: found.get(slot, {}).get(name) for name in counters} for slot, counters in expected.items()} == expected

    reading = await read_until(prometheus, series, latency, whole)
    assert reading.error is None
    assert reading.renewal == SECOND
    for slot, counters in expected.items():
        found = totals(reading)[slot]
        assert len([name for name in found if name.startswith("latency_le_")]) == edges
        assert found["latency_le_250"] > 0
        assert set(found) <= {*counters, "rq_timeout"} | {name for name in found if name.startswith("latency_le_")}
    for scrape in reading.scrapes:
        assert abs(datetime.now(UTC) - scrape.at) < timedelta(seconds=10)


@pytest.mark.asyncio(loop_scope="module")
async def test_servers_that_count_no_failures_say_so_instead_of_looking_faultless(prometheus: PrometheusServer) -> None:
    reading = await read(prometheus, SeriesPreset.KSERVE, ERRORS)
    assert "KServe's own servers count no failures" in (reading.of("errors").error or "")


@pytest.mark.asyncio(loop_scope="module")
async def test_queries_of_ones_own_are_asked_for_both_versions(prometheus: PrometheusServer) -> None:
    selector = "rest_server_requests_total{pod=~'{{isvc}}-predictor-.*',path=~'.*/infer'%s}"
    queries = PrometheusQueries(
        bad="sum by (pod) (" + selector % ",status_code=~'5..'" + ")", total="sum by (pod) (" + selector % "" + ")"
    )  # fmt: skip
    metric = Metric(name="own", prometheus=queries)
    reading = await read_until(prometheus, SeriesPreset.ENVOY_GATEWAY, metric, lambda reading: totals(reading.of("own")) == COUNTED)
    own = reading.of("own")
    assert own.error is None
    assert {scrape.proxy for scrape in own.scrapes} == {f"{{pod={pod(isvc)['pod']}}}" for isvc in (STABLE, CANDIDATE)}


@pytest.mark.asyncio(loop_scope="module")
async def test_fallbacks_are_counted_by_pod_and_once_though_two_jobs_scrape_it(prometheus: PrometheusServer) -> None:
    metric = Metric(name="fallbacks", preset=MetricPreset.FALLBACKS)
    reading = await read_until(prometheus, SeriesPreset.ENVOY_GATEWAY, metric, lambda found: totals(found.of("fallbacks")) == COUNTED)
    assert reading.of("fallbacks").error is None


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("bad", "total", "sentence"),
    [
        ("sum(x{a='{{isvc}}'}", "y{a='{{isvc}}'}", "the query is refused: "),
        ("sum(nothing{a='{{isvc}}'})", "sum(rest_server_requests_total{pod=~'{{isvc}}.*'})", "or 0 * <total>"),
        ("scalar(sum(rest_server_requests_total{pod=~'{{isvc}}.*'}))", "vector({{slot}})", "the answer is a scalar"),
        ("vector({{slot}} + 2)", "vector({{slot}} + 1)", "a part above the whole"),
        ("vector({{slot}} + 0.5)", "vector({{slot}} + 1)", "without rate() or increase()"),
        ("vector({{slot}} - 1)", "vector({{slot}} + 1)", "a counter must be finite and at least 0"),
        ("vector(0 / {{slot}})", "vector({{slot}})", "a counter must be finite and at least 0"),
    ],
)
async def test_a_query_that_counts_nothing_is_an_error_of_its_metric(
    prometheus: PrometheusServer, bad: str, total: str, sentence: str
) -> None:
    reading = await read(prometheus, SeriesPreset.ENVOY_GATEWAY, Metric(name="own", prometheus=PrometheusQueries(bad=bad, total=total)))
    assert sentence in (reading.of("own").error or "")
