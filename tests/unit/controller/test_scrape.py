"""Which provider each metric is read from, and that none is asked that may not be, nor oftener than it has news."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from headgate_operator.api.spec import Analysis, EnvoyProvider, Metric, MetricPreset, PrometheusProvider, PrometheusQueries, Provider
from headgate_operator.controller.allowed import parse_allow_list
from headgate_operator.controller.scrape import Counters, Providers
from headgate_operator.rollout.observed import Backend, Reading, Route, Subject
from tests.served import routes, served

SUBJECT = Subject(name="flight-delay", namespace="ml", uid="u", generation=1)
ROUTE = Route(
    ours=True, accepted=True, slots=(Backend(isvc="a", revision="r1", weight=90), Backend(isvc="b", revision="r2", weight=10))
)  # fmt: skip
ERRORS = Metric(name="errors", preset=MetricPreset.GATEWAY_ERRORS)
OWN = Metric(name="own", prometheus=PrometheusQueries(bad="bad{v='{{isvc}}/{{slot}}'}", total="total{v='{{revision}}'}"))
_CLUSTER = "httproute/ml/flight-delay/rule/0/backend"
ENVOY_TEXT = "".join(
    f'envoy_cluster_upstream_rq_xx{{envoy_response_code_class="2",envoy_cluster_name="{_CLUSTER}/{slot}"}} 7\n' for slot in (0, 1)
)


class Both:
    """One server that answers as a proxy and as a Prometheus, and counts what it is asked."""

    def __init__(self) -> None:
        self.scraped = 0
        self.queries: list[str] = []
        self.url = ""
        self.now = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)

    async def proxy(self, _request: web.Request) -> web.Response:
        self.scraped += 1
        return web.Response(text=ENVOY_TEXT)

    async def query(self, request: web.Request) -> web.Response:
        form = await request.post()
        query, at = str(form["query"]), float(str(form["time"]))
        self.queries.append(query)
        if "__name__" in query:
            labels = {"__name__": "envoy_cluster_upstream_rq_xx", "envoy_response_code_class": "2", "instance": "e"}
            return web.json_response(_success("matrix", {"metric": labels, "values": [[at - 3, "9"]]}))
        return web.json_response(_success("vector", {"metric": {}, "value": [at, "2" if query.startswith("bad") else "5"]}))

    def counters(self, **default: Any) -> Counters:
        allowed = parse_allow_list(["http://127.0.0.1", "http://localhost"])
        return Counters(Providers(**default), allowed, clock=lambda: self.now)

    @property
    def envoy(self) -> EnvoyProvider:
        return EnvoyProvider(addresses=[self.url])

    @property
    def prometheus(self) -> PrometheusProvider:
        return PrometheusProvider(address=self.url)


def _success(kind: str, *results: Any) -> Any:
    return {"status": "success", "data": {"resultType": kind, "result": results}}


@pytest.fixture
async def both() -> AsyncIterator[Both]:
    made = Both()
    async with served(routes(web.get("/stats/prometheus", made.proxy), web.post("/api/v1/query", made.query))) as made.url:
        yield made


async def read(counters: Counters, *metrics: Metric, provider: Provider | None = None) -> Reading:
    try:
        return await counters.read(Analysis(metrics=[*metrics], provider=provider), SUBJECT, ROUTE)
    finally:
        await counters.close()


async def test_of_the_operators_two_providers_presets_read_the_proxies_and_queries_go_to_prometheus(both: Both) -> None:
    reading = await read(both.counters(envoy=both.envoy, prometheus=both.prometheus), ERRORS, OWN)
    assert [slot.counters for scrape in reading.of("errors").scrapes for slot in scrape.slots] == [{"rq_2xx": 7}] * 2
    assert [slot.counters for scrape in reading.of("own").scrapes for slot in scrape.slots] == [{"bad": 2, "total": 5}] * 2
    assert sorted(both.queries) == ["bad{v='a/0'}", "bad{v='b/1'}", "total{v='r1'}", "total{v='r2'}"]
    assert both.scraped == 1


async def test_without_proxies_the_presets_are_asked_of_prometheus_too(both: Both) -> None:
    reading = await read(both.counters(prometheus=both.prometheus), ERRORS, OWN)
    (scrape,) = reading.of("errors").scrapes
    assert [slot.counters for slot in scrape.slots] == [{"rq_2xx": 9}] * 2
    assert (scrape.at, reading.renewal) == (datetime(2026, 3, 1, 11, 59, 57, tzinfo=UTC), timedelta(seconds=15))
    assert len(both.queries) == 6
    assert both.scraped == 0


async def test_a_metric_with_queries_and_nobody_to_ask_says_so_while_the_others_are_read(both: Both) -> None:
    reading = await read(both.counters(envoy=both.envoy), ERRORS, OWN)
    assert reading.of("errors").scrapes
    assert reading.of("own").error == (
        "no Prometheus to send its queries to: start the operator with --prometheus, or name one in spec.analysis.provider.prometheus"
    )


async def test_without_any_provider_every_metric_says_so() -> None:
    reading = await read(Counters(), ERRORS, OWN)
    assert "no metric provider" in (reading.of("errors").error or "")
    assert "no Prometheus" in (reading.of("own").error or "")


@pytest.mark.parametrize("kind", ["envoy", "prometheus"])
async def test_an_address_of_a_manifest_that_is_not_allowed_is_not_asked(both: Both, kind: str) -> None:
    provider = Provider.model_validate({"envoy": both.envoy} if kind == "envoy" else {"prometheus": both.prometheus})
    reading = await read(Counters(clock=lambda: both.now), ERRORS, OWN, provider=provider)
    assert f"spec.analysis.provider.{kind}.address" in (reading.error or "")
    assert "is not among the URLs that the operator may ask (cluster)" in (reading.error or "")
    assert (both.scraped, both.queries) == (0, [])


async def test_the_operators_own_addresses_need_no_leave(both: Both) -> None:
    reading = await read(Counters(Providers(envoy=both.envoy, prometheus=both.prometheus), clock=lambda: both.now), ERRORS, OWN)
    assert reading.error is None
    assert reading.of("own").error is None


async def test_a_reading_names_its_providers(both: Both) -> None:
    named = both.envoy, EnvoyProvider(addresses=[both.url], cluster="{{isvc}}"), None
    own = [await read(both.counters(envoy=both.envoy), ERRORS, provider=envoy and Provider(envoy=envoy)) for envoy in named]
    of_prometheus = await read(both.counters(prometheus=both.prometheus), ERRORS)
    assert own[0].source == own[2].source, "where it is written does not matter"
    assert len({reading.source for reading in (own[0], own[1], of_prometheus)} - {""}) == 3


async def test_what_one_prometheus_said_is_never_taken_for_an_answer_of_another(both: Both) -> None:
    counters, other = both.counters(), both.prometheus.model_copy(update={"address": both.url.replace("127.0.0.1", "localhost")})
    for provider in (both.prometheus, other):
        await counters.read(Analysis(metrics=[ERRORS, OWN], provider=Provider(prometheus=provider)), SUBJECT, ROUTE)
    await counters.close()
    assert len(both.queries) == 12


async def test_prometheus_is_not_asked_again_before_it_has_news(both: Both) -> None:
    counters, settings = both.counters(prometheus=both.prometheus), Analysis(metrics=[ERRORS, OWN])
    first = await counters.read(settings, SUBJECT, ROUTE)
    asked = len(both.queries)
    both.now += timedelta(seconds=3)
    assert (await counters.read(settings, SUBJECT, ROUTE)).of("own") == first.of("own")
    assert len(both.queries) == asked
    both.now += timedelta(seconds=12)
    await counters.read(settings, SUBJECT, ROUTE)
    assert len(both.queries) == 2 * asked
    swapped = Route(ours=True, accepted=True, slots=(ROUTE.slots[1], ROUTE.slots[0]) if ROUTE.slots else None)
    await counters.read(settings, SUBJECT, swapped)
    assert len(both.queries) > 2 * asked
    await counters.close()
