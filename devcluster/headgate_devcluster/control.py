"""The control endpoint of a running cluster: what `headgate dev status` and `headgate dev inject` talk to.

It is a server of its own on loopback, so that no path of the Kubernetes API means anything else here than in a real cluster. A page in a
browser on the same machine must not be able to use it, hence the checks of Host and Content-Type.
"""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import Any, Final, Protocol

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from headgate_devcluster.errors import ClusterError
from headgate_devcluster.faults import DISTURBANCES, Active, ClusterFaults
from headgate_devcluster.parts import Part

_HOST: Final = "127.0.0.1"
_ADAPTERS: Final = {kind.__name__: TypeAdapter[Any](kind) for kind in DISTURBANCES}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Controlled(Protocol):
    """What the endpoint needs of a cluster."""

    faults: ClusterFaults

    async def parts(self) -> list[Part]:
        """Every part with its state."""


async def start_control(cluster: Controlled, stack: AsyncExitStack) -> str:
    """Serve the endpoint until the stack closes; return its URL."""
    app = web.Application(middlewares=[_guarded])
    endpoint = _Endpoint(cluster)
    app.add_routes(
        [
            web.get("/parts", endpoint.parts),
            web.get("/faults", endpoint.active),
            web.post("/faults/{kind}", endpoint.inject),
            web.delete("/faults", endpoint.clear),
            web.delete("/faults/{id}", endpoint.remove),
        ]
    )
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, _HOST, 0).start()
    return f"http://{_HOST}:{runner.addresses[0][1]}"


@web.middleware
async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.host.partition(":")[0] not in {_HOST, "localhost"}:
        return _refused(403, f"the control endpoint answers to {_HOST} only")
    if request.method == "POST" and request.content_type != "application/json":
        return _refused(415, "the body must be JSON with the Content-Type application/json")
    try:
        return await handler(request)
    except ClusterError as error:
        return _refused(409, str(error))


class _Endpoint:
    def __init__(self, cluster: Controlled) -> None:
        self._cluster = cluster

    async def parts(self, _: web.Request) -> web.Response:
        return web.json_response([asdict(part) for part in await self._cluster.parts()])

    async def active(self, _: web.Request) -> web.Response:
        listed = [_told(item) for item in self._cluster.faults.active()]
        return web.json_response(listed)

    async def inject(self, request: web.Request) -> web.Response:
        adapter = _ADAPTERS.get(request.match_info["kind"])
        if adapter is None:
            return _refused(404, f"there is no disturbance {request.match_info['kind']}; there are {', '.join(_ADAPTERS)}")
        try:
            what = adapter.validate_json(await request.read())
        except ValidationError as error:
            first = error.errors()[0]
            return _refused(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
        return web.json_response({"id": self._cluster.faults.inject(what)}, status=201)

    async def clear(self, _: web.Request) -> web.Response:
        self._cluster.faults.clear()
        return web.json_response({})

    async def remove(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        if not self._cluster.faults.remove(name):
            return _refused(404, f"nothing with the id {name} is in force; it may be over already")
        return web.json_response({})


def _told(item: Active) -> dict[str, Any]:
    kind = type(item.what).__name__
    what = _ADAPTERS[kind].dump_python(item.what, mode="json")
    return {"id": item.id, "kind": kind, "what": what, "secondsLeft": item.seconds_left, "seen": item.seen, "struck": item.struck}


def _refused(code: int, sentence: str) -> web.Response:
    return web.json_response({"error": sentence}, status=code)
