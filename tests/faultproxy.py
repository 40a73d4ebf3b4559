"""A proxy before a real API server, which has no faults of its own: errors by verb and kind, latency, lost answers, watches that are cut.

async with FaultProxy(plane.access) as proxy:
    proxy.faults.add(Fault(effect=Effect.ERROR, code=409, verbs=frozenset({"update"}), probability=0.2))
    ...  # somebody whose kubeconfig says proxy.url
    proxy.cut_watches()
"""

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Any, Self

import aiohttp
from aiohttp import web

from headgate_devcluster.access import Access
from headgate_devcluster.apiserver.calls import Call
from headgate_devcluster.apiserver.errors import Refusal
from headgate_devcluster.apiserver.faults import Faults, Moment
from headgate_devcluster.apiserver.objects import to_json
from headgate_devcluster.apiserver.strikes import answered_under
from tests.served import everything, served

_OF_THE_CONNECTION = {"host", "connection", "content-length", "transfer-encoding", "content-encoding", "accept-encoding"}
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class FaultProxy:
    """Passes everything on to the API server, faults apart; whoever asks says himself who he is."""

    def __init__(self, server: Access) -> None:
        self._server, self._stack = server, AsyncExitStack()
        self._watches: set[asyncio.Transport] = set()
        self.faults = Faults(seed=5)
        self.struck = 0
        """Requests that met a fault."""
        self.lost = 0
        """Those that the server carried out, and whose answer said otherwise or never came."""
        self.url = ""

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=60)
        connector = aiohttp.TCPConnector(ssl=self._server.trust(), limit=0)
        self._session = await self._stack.enter_async_context(aiohttp.ClientSession(connector=connector, timeout=timeout))
        self.url = await self._stack.enter_async_context(served(everything(self._answer)))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def cut_watches(self) -> None:
        """Break every watch in the middle."""
        for transport in tuple(self._watches):
            transport.abort()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        call = call_of(request)
        if call is None:
            return await self._passed_on(request)
        faults = [fault for fault in self.faults.strike(call) if call.verb != "watch" or fault.moment is Moment.BEFORE]
        self.struck += bool(faults)
        self.lost += any(fault.moment is Moment.AFTER for fault in faults)
        try:
            return await answered_under(faults, request, lambda: self._passed_on(request), lambda: None)
        except Refusal as refusal:
            retry = (refusal.details or {}).get("retryAfterSeconds")
            headers = {"Retry-After": str(retry)} if retry is not None else {}
            return web.Response(body=to_json(refusal.status), status=refusal.code, content_type="application/json", headers=headers)

    async def _passed_on(self, request: web.Request) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OF_THE_CONNECTION}
        url, body = self._server.url + request.path_qs, await request.read() if request.body_exists else None
        async with self._session.request(request.method, url, data=body, headers=headers) as answer:
            told = {name: value for name, value in answer.headers.items() if name.lower() not in _OF_THE_CONNECTION}
            if request.query.get("watch") not in {"1", "true"}:
                return web.Response(status=answer.status, body=await answer.read(), headers=told)
            return await self._watched(request, web.StreamResponse(status=answer.status, headers=told), answer.content)

    async def _watched(self, request: web.Request, response: web.StreamResponse, events: Any) -> web.StreamResponse:
        transport = request.transport
        if transport is None:  # whoever asked is gone already
            return response
        self._watches.add(transport)
        try:
            with suppress(ConnectionError, aiohttp.ClientError):
                await response.prepare(request)
                async for chunk in events.iter_any():
                    await response.write(chunk)
        finally:
            self._watches.discard(transport)
        return response


def call_of(request: web.Request) -> Call | None:
    """What a request asks for; None if it is about no resource."""
    match request.path.strip("/").split("/"):
        case ["api", _, *rest] if rest:
            group = ""
        case ["apis", group, _, *rest] if rest:
            pass
        case _:
            return None
    namespace, rest = (rest[1], rest[2:]) if rest[0] == "namespaces" and len(rest) > 2 else ("", rest)
    resource, name, subresource = (*rest, "", "")[:3]
    reading = "watch" if request.query.get("watch") in {"1", "true"} else "get" if name else "list"
    return Call(
        verb=_VERBS.get(request.method, reading), group=group, resource=resource, subresource=subresource,
        namespace=namespace, name=name, client=request.headers.get("User-Agent", ""),
    )  # fmt: skip
