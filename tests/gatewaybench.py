"""A real Envoy between a client and two servers, for tests of the gateway."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web
from yarl import URL

from headgate_devcluster.gateway.envoy import Envoy, start_envoy
from headgate_devcluster.gateway.table import Backend, Endpoint, HeaderChanges, Rule, Table, VirtualHost
from tests.served import everything, served

HOST = "m.example.com"
HEADER = "x-headgate-revision"
CLUSTER = "httproute/ml/m/rule/0/backend/{}"
MIRROR = "httproute/ml/m/rule/0-mirror-0"


@dataclass
class Bench:
    """An Envoy with the servers `a` and `b` in slots 0 and 1."""

    envoy: Envoy
    client: aiohttp.ClientSession
    servers: dict[str, Endpoint]
    seen: dict[str, list[web.Request]]
    """What each server was asked."""

    def table(self, a: int, b: int, *, gone: str = "") -> Table:
        stamps = {name: HeaderChanges(set=((HEADER, f"r-{name}"),)) for name in "ab"}
        backends = tuple(
            Backend(CLUSTER.format(slot), ("ml", name), weight, stamps[name], stamps[name])
            for slot, (name, weight) in enumerate((("a", a), ("b", b)))
            if weight
        )
        endpoints = {("ml", name): (address,) for name, address in self.servers.items() if name != gone}
        host = VirtualHost("ml/m", (HOST,), (Rule("/", backends, "5s"),))
        return Table((host,), services=(("ml", "a"), ("ml", "b")), endpoints=endpoints)

    async def weights(self, a: int, b: int, *, gone: str = "") -> None:
        await self.envoy.apply(self.table(a, b, gone=gone))

    async def ask(self, host: str = HOST, path: str = "/") -> tuple[int, str | None, str]:
        """Status, the stamp on the answer, and what the server said it saw."""
        async with self.client.get(self.envoy.addresses.public + path, headers={"Host": host}) as answer:
            return answer.status, answer.headers.get(HEADER), await answer.text()

    async def metric(self, name: str, cluster: str, *more: str) -> float | None:
        async with self.client.get(f"{self.envoy.addresses.admin}/stats/prometheus") as answer:
            for line in (await answer.text()).splitlines():
                if line.startswith(name + "{") and all(part in line for part in (f'envoy_cluster_name="{cluster}"', *more)):
                    return float(line.rsplit(" ", 1)[1])
        return None


def backend(name: str, seen: list[web.Request]) -> web.Application:
    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        if request.path == "/slow":
            await asyncio.sleep(1.1)
        status = {"/fail": 500, "/busy": 503}.get(request.path, 200)
        return web.Response(status=status, text=f"{name} {request.headers.get(HEADER)}")

    return everything(answer)


@asynccontextmanager
async def gateway_bench(folder: Path) -> AsyncIterator[Bench]:
    """Envoy and both servers, until the end of the block."""
    async with AsyncExitStack() as stack:
        servers, seen = {}, {"a": list[web.Request](), "b": list[web.Request]()}
        for name in "ab":
            url = URL(await stack.enter_async_context(served(backend(name, seen[name]))))
            servers[name] = (str(url.host), url.port or 0)
        running = await start_envoy(folder / "a folder")
        stack.push_async_callback(running.stop)
        client = await stack.enter_async_context(aiohttp.ClientSession())
        yield Bench(running, client, servers, seen)
