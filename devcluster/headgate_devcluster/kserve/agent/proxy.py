"""The part in the request path: passes requests on and tells the sink."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from headgate_devcluster.kserve.agent.events import REQUEST, RESPONSE, Origin, event
from headgate_devcluster.kserve.agent.sink import Sink

MODES: Final = ("all", "request", "response")
LARGEST_BODY: Final = 64 * 1024 * 1024

# They speak of one connection, not of the message.
_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection", "content-length"})
_PROBE: Final = "kube-probe"
_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=5)


@dataclass(frozen=True)
class Proxy:
    """Between the Service and one model server."""

    target: str
    """The server's address."""
    mode: str
    origin: Origin
    sink: Sink
    session: aiohttp.ClientSession

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request with what the server answers."""
        if request.headers.get("User-Agent", "").startswith(_PROBE):
            return await self._pass_on(request, b"")
        came, id_ = datetime.now(UTC), request.headers.get("Ce-Id") or str(uuid.uuid4())
        body = await request.read()
        headers = list(request.headers.items())
        if self.mode in ("all", "request"):
            self.sink.put(event(REQUEST, id_, self.origin, headers, body, came))
        answer = await self._pass_on(request, body)
        if answer.status == web.HTTPOk.status_code and self.mode in ("all", "response") and isinstance(answer.body, bytes):
            self.sink.put(event(RESPONSE, id_, self.origin, headers, answer.body, datetime.now(UTC)))
        return answer

    async def _pass_on(self, request: web.Request, body: bytes) -> web.Response:
        kept = _kept(request.headers.items())
        try:
            async with self.session.request(
                request.method, self.target + request.raw_path, data=body, headers=kept, allow_redirects=False, timeout=_TIMEOUT
            ) as answer:
                return web.Response(status=answer.status, body=await answer.read(), headers=_kept(answer.headers.items()))
        except aiohttp.ClientError:
            return web.Response(status=web.HTTPBadGateway.status_code)


def application(proxy: Proxy) -> web.Application:
    """The agent's web application."""
    app = web.Application(client_max_size=LARGEST_BODY)
    app.router.add_route("*", "/{path:.*}", proxy.answer)
    return app


def _kept(headers: Iterable[tuple[str, str]]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers if name.lower() not in _HOP)
