"""A proxy's admin endpoint that was never in any request path: it makes up each route's counters, as Envoy would print them."""

import re
import time
from collections.abc import Iterable

from aiohttp import web

STABLE_RATE, CANDIDATE_RATE = 90.0, 10.0
"""Requests a second to the two slots of every route."""
_CLUSTERS = re.compile(r"^\^cluster\\\.\((?P<names>.*)\)\\\.upstream_rq")


class Proxy:
    """`async with Proxy() as proxy`: serves /stats/prometheus on loopback. Requests to candidates fail once `fail` was called."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._failing_since: float | None = None
        self._runner: web.AppRunner | None = None
        self.address = ""

    def fail(self) -> float:
        """From now on every request to a candidate fails; return that moment of the monotonic clock."""
        self._failing_since = time.monotonic()
        return self._failing_since

    async def __aenter__(self) -> "Proxy":
        app = web.Application()
        app.add_routes([web.get("/stats/prometheus", self._stats)])
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.address = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _stats(self, request: web.Request) -> web.Response:
        asked = _CLUSTERS.match(request.query.get("filter", ""))
        return web.Response(text=self.page(re.sub(r"\\(.)", r"\1", name) for name in (asked["names"].split("|") if asked else ())))

    def page(self, clusters: Iterable[str]) -> str:
        """What it tells of these clusters."""
        return "".join(map(self._counters, clusters))

    def _counters(self, cluster: str) -> str:
        candidate, now = cluster.endswith("/backend/1"), time.monotonic()
        served = int((CANDIDATE_RATE if candidate else STABLE_RATE) * (now - self._began))
        failed = int(CANDIDATE_RATE * (now - self._failing_since)) if candidate and self._failing_since is not None else 0
        family = "envoy_cluster_upstream_rq"
        return (
            f'{family}_xx{{envoy_response_code_class="2",envoy_cluster_name="{cluster}"}} {served - failed}\n'
            f'{family}_xx{{envoy_response_code_class="5",envoy_cluster_name="{cluster}"}} {failed}\n'
            f'{family}_timeout{{envoy_cluster_name="{cluster}"}} 0\n'
        )
