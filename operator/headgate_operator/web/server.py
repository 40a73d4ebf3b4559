"""The web view's port: off unless asked for, bounded in connections and time, with headers that let a browser do as little as possible."""

import asyncio
import os
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from headgate_operator.web.access import Access, AccessSettings
from headgate_operator.web.app import Knows, Pages
from headgate_operator.web.board import Board

MOST_CONNECTIONS: Final = 128
_IDLE_SECONDS: Final = 30.0
_ANSWER_SECONDS: Final = 15.0

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class PortError(Exception):
    """The address cannot be listened on; the message says why."""


@dataclass(frozen=True, kw_only=True)
class WebSettings:
    """Where it listens, and who may look."""

    host: str
    port: int
    access: AccessSettings


class WebServer:
    """Serves the pages."""

    def __init__(self, settings: WebSettings, board: Board, knows: Knows) -> None:
        self._settings = settings
        app = Pages(board, Access(settings.access), knows).app()
        app.middlewares.insert(0, _in_time)
        app.on_response_prepare.append(_add_headers)
        self._runner = web.AppRunner(app, access_log=None, keepalive_timeout=_IDLE_SECONDS, shutdown_timeout=1)
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen, and return the port; PortError if the address cannot be used."""
        await self._runner.setup()
        host, port = self._settings.host, self._settings.port
        try:
            self._server = await asyncio.get_running_loop().create_server(self._connection, host, port)
        except OSError as error:
            await self.stop()
            raise PortError(f"{host}:{port}: cannot listen there ({os.strerror(error.errno or 0)})") from None
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._runner.cleanup()

    def _connection(self) -> asyncio.BaseProtocol:
        server = self._runner.server
        assert server is not None
        return server() if len(server.connections) < MOST_CONNECTIONS else _Refused()


class _Refused(asyncio.Protocol):
    """A connection too many: the workers share the loop, and a thousand open pages must not slow a rollback."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        transport.close()


@web.middleware
async def _in_time(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await handler(request)
    except TimeoutError:
        raise web.HTTPServiceUnavailable(text="This took too long; try again.\n", headers={"Retry-After": "10"}) from None


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.popall("Server", None)
