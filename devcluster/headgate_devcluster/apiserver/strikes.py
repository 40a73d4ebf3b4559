"""Carrying out a request under the faults it meets."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from headgate_devcluster.apiserver.faults import Effect, Fault, Moment

Crash = Callable[[], None]


async def answered_under(
    faults: Sequence[Fault], request: web.Request, carry_out: Callable[[], Awaitable[web.StreamResponse]], crash: Crash
) -> web.StreamResponse:
    """Return the answer to a request, or what the faults make of it.

    Raises:
        Refusal: an injected error, or the server's own.
    """
    before = [fault for fault in faults if fault.moment is Moment.BEFORE]
    await asyncio.sleep(sum(fault.delay for fault in before if fault.effect is Effect.LATENCY))
    if lost := _struck(before, request, crash):
        return lost
    response = await carry_out()
    after = [fault for fault in faults if fault.moment is Moment.AFTER]
    await asyncio.sleep(sum(fault.delay for fault in after if fault.effect is Effect.LATENCY))
    return _struck(after, request, crash) or response


def _struck(faults: Sequence[Fault], request: web.Request, crash: Crash) -> web.StreamResponse | None:
    for fault in faults:
        if fault.effect is Effect.ERROR:
            raise fault.refusal()
        if fault.effect is Effect.CRASH:
            crash()
        if fault.effect in {Effect.CRASH, Effect.DROP}:
            return _lost(request)
    return None


def _lost(request: web.Request) -> web.Response:
    """Break the connection; the response returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
