"""A real Envoy is asked, and servers that only claim to be one."""

import asyncio
import importlib.util
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from headgate_operator.metrics.envoy import GatewayReading, read_gateway, stats_filter
from tests.served import everything, served
from tests.waiting import eventually

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLUSTERS = {slot: f"httproute/ml/flight-delay/rule/0/backend/{slot}" for slot in (0, 1)}
_HTTP = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"


def address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def cluster(name: str, port: int) -> dict[str, Any]:
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}]
    return {"name": name, "type": "STATIC", "load_assignment": {"cluster_name": name, "endpoints": endpoints}}


def bootstrap(backend: int, names: list[str]) -> dict[str, Any]:
    """An Envoy whose path /<n> leads to the n-th cluster, with a timeout of 1 s."""
    routes = [{"match": {"prefix": f"/{n}"}, "route": {"cluster": name, "timeout": "1s"}} for n, name in enumerate(names)]
    manager = {
        "@type": _HTTP,
        "stat_prefix": "front",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": _ROUTER}}],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {
        "admin": {"address": address(0)},
        "stats_flush_interval": "0.2s",
        "static_resources": {
            "clusters": [cluster(name, backend) for name in names],
            "listeners": [{"name": "front", "address": address(0), "filter_chains": [chain]}],
        },
    }


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


class Proxy:
    """A running Envoy: where its front and its admin page are."""

    def __init__(self, front: str, admin: str) -> None:
        self.front = front
        self.admin = admin


@pytest.fixture
async def envoy(tmp_path: Path, session: aiohttp.ClientSession) -> AsyncIterator[Proxy]:
    async def answer(request: web.Request) -> web.Response:
        if request.path.endswith("/hang"):
            await asyncio.Event().wait()
        return web.Response(status=int(request.query.get("status", "200")))

    spec = importlib.util.find_spec("envoy")
    assert spec is not None
    assert spec.origin is not None
    binary = Path(spec.origin).parent / "_bin" / "envoy"
    config, admin_file = tmp_path / "envoy.json", tmp_path / "admin"
    arguments = ["-c", str(config), "--admin-address-path", str(admin_file), "--concurrency", "1", "--use-dynamic-base-id", "-l", "off"]
    async with served(everything(answer)) as backend:
        clusters = [*CLUSTERS.values(), "httproute/ml/flight-delay-2/rule/0/backend/0"]
        config.write_text(json.dumps(bootstrap(URL(backend).port or 0, clusters)))
        child = await asyncio.create_subprocess_exec(binary, *arguments)
        try:
            yield await eventually(lambda: _started(session, admin_file))
        finally:
            child.terminate()
            await child.wait()


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


async def _started(session: aiohttp.ClientSession, admin_file: Path) -> Proxy | None:
    where = _text(admin_file)
    if not where:
        return None
    admin = f"http://{where}"
    try:
        async with session.get(f"{admin}/listeners?format=json") as response:
            listeners = (await response.json(content_type=None)).get("listener_statuses", [])
    except aiohttp.ClientError:
        return None
    ports = [listener["local_address"]["socket_address"]["port_value"] for listener in listeners]
    return Proxy(f"http://127.0.0.1:{ports[0]}", admin) if ports else None


async def read(session: aiohttp.ClientSession, *addresses: str) -> GatewayReading:
    return await read_gateway(session, addresses=addresses, clusters=CLUSTERS, now=lambda: NOW)


async def send(session: aiohttp.ClientSession, url: str) -> None:
    async with session.get(url) as response:
        await response.read()


async def test_a_real_envoy_tells_the_versions_of_one_route_apart(envoy, session):
    for path in ("0/a", "0/b", "0/c?status=404", "0/d?status=500", "0/hang", "1/a", "2/of-another-route"):
        await send(session, f"{envoy.front}/{path}")

    async def flushed() -> GatewayReading | None:
        reading = await read(session, envoy.admin)
        slots = reading.proxies[0].slots if reading.proxies else ()
        return reading if len(slots) == 2 and all(slot.counters.get("latency_count") for slot in slots) else None

    (proxy,) = (await eventually(flushed)).proxies
    assert (proxy.proxy, proxy.at) == (envoy.admin, NOW)
    first, second = proxy.slots
    assert {name: value for name, value in first.counters.items() if name.startswith("rq_")} == {
        "rq_2xx": 2,
        "rq_4xx": 1,
        "rq_5xx": 2,
        "rq_timeout": 1,
    }
    assert first.counters["latency_count"] == 4
    assert first.counters["latency_le_1000"] == 4
    assert (second.counters["rq_2xx"], second.counters["rq_timeout"]) == (1, 0)


async def test_a_version_without_weight_is_not_in_the_reading(envoy, session):
    reading = await read_gateway(session, addresses=[envoy.admin], clusters={0: CLUSTERS[0], 1: "removed"}, now=lambda: NOW)
    assert [slot.slot for slot in reading.proxies[0].slots] == [0]


async def test_the_filter_keeps_the_answer_small(envoy, session):
    await send(session, f"{envoy.front}/0/a")
    url = f"{envoy.admin}/stats/prometheus"
    async with session.get(url) as everything, session.get(url, params={"filter": stats_filter(CLUSTERS)}) as filtered:
        assert len(await filtered.read()) * 5 < len(await everything.read())
        assert "flight-delay-2" not in await filtered.text()


async def test_one_proxy_that_cannot_be_reached_voids_the_reading(envoy, session):
    reading = await read(session, envoy.admin, "http://127.0.0.1:1")
    assert reading.proxies == ()
    assert reading.error is not None
    assert reading.error.startswith("the proxy http://127.0.0.1:1 cannot be read: Cannot connect")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("<html>", 200, "sent an answer that makes no sense: the answer is not a proxy's Prometheus text"),
        ("", 404, "HTTP 404"),
        ('envoy_cluster_upstream_rq_timeout{envoy_cluster_name="a"} NaN', 200, "finite and at least 0"),
        ("# " + "x" * 17_000_000, 200, "larger than 16 MB"),
    ],
)
async def test_a_malformed_answer_is_one_sentence(session, body, status, words):
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body, status=status)

    async with served(everything(answer)) as url:
        reading = await read(session, url)
    assert words in (reading.error or "")
    assert "\n" not in (reading.error or "")


async def test_a_proxy_that_hangs_is_given_up(session, monkeypatch):
    async def answer(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    monkeypatch.setattr("headgate_operator.metrics.envoy._TIMEOUT", 0.05)
    async with served(everything(answer)) as url:
        reading = await read(session, url)
    assert "did not answer within 0.05 s" in (reading.error or "")


@pytest.mark.parametrize("address", ["http://", "http://127.0.0.1:99999"])
async def test_an_address_that_is_none_is_one_sentence(session, address):
    assert "cannot be read" in ((await read(session, address)).error or "")
