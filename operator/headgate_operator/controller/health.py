"""Our own small HTTP server: alive, ready, metrics. It is up before the lease is taken, so a waiting operator is probed like a leading one.

It shares the event loop with the workers: a blocked loop fails the liveness probe, which is the point of the probe.
"""

import os

from aiohttp import web
from aiohttp.typedefs import Handler

from headgate_operator.controller.settings import Address, SettingsError
from headgate_operator.controller.telemetry import Telemetry


class Health:
    """Serves /healthz, /readyz and /metrics."""

    def __init__(self, telemetry: Telemetry) -> None:
        self.ready = False
        """Set once the API server has answered; leadership does not matter, or a rolling update would wait for ever."""
        self._telemetry = telemetry
        self._runner: web.AppRunner | None = None

    async def start(self, address: Address) -> int:
        """Listen, and return the port; SettingsError if the address cannot be used."""
        app = web.Application()
        routes: dict[str, Handler] = {"/healthz": self._healthz, "/readyz": self._readyz, "/metrics": self._metrics}
        app.add_routes([web.get(path, answer) for path, answer in routes.items()])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, address.host, address.port).start()
        except OSError as error:
            await self.stop()
            raise SettingsError(
                f"--health-address {address.host}:{address.port}: cannot listen there ({os.strerror(error.errno or 0)}); choose a free port"
            ) from None
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close the server."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _request: web.Request) -> web.Response:
        if self.ready:
            return web.Response(text="ok\n")
        return web.Response(status=503, text="waiting for the API server\n")

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._telemetry.render(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})
