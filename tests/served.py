"""An HTTP server on loopback, for a test that needs somebody to answer: a hook, a registry, a monitor, a model."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    """Yield its address. Who is no longer waited for is not answered any more, so that ending takes no time."""
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def routes(*known: web.AbstractRouteDef) -> web.Application:
    """An application with these routes."""
    app = web.Application(client_max_size=10**7)
    app.add_routes(known)
    return app


def everything(answer: Handler) -> web.Application:
    """An application with one answer for every method and path."""
    return routes(web.route("*", "/{path:.*}", answer))
