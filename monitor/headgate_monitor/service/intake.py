"""Reading a request's body: never more than is allowed, never for longer, never many large ones at the same time.

A body takes up memory before it is in the queue, so what is under way is bounded too. A refusal is an answer of one sentence.
"""

import asyncio
import logging
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

LARGEST_BODY: Final = 1_000_000
"""Bytes, after decompression."""

_SMALL: Final = 65_536
_LARGE_AT_ONCE: Final = 64

REASONS: Final = {400: "broken", 408: "slow", 413: "size", 503: "crowded"}
"""What to count a refusal by, by its status."""


class Intake:
    """Reads bodies for one event loop; each must come within so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._large = 0

    async def read(self, request: web.Request) -> bytes:
        """Return the body.

        Raises:
            HTTPRequestEntityTooLarge: it is larger than allowed; one that says so itself is not read at all.
            HTTPRequestTimeout: it did not come in time.
            HTTPServiceUnavailable: it may be large, and many of those are being read.
            HTTPBadRequest: it is not encoded as its headers say.
        """
        if request.content.is_eof() and request.content.exception() is None:
            return await request.read()  # all of a small one is here, as nearly always: a timer would cost more than reading it
        length = request.content_length
        if length is not None and length <= _SMALL and "Content-Encoding" not in request.headers:
            return await self._read(request)
        if length is not None and length > LARGEST_BODY:
            raise _last(
                web.HTTPRequestEntityTooLarge(LARGEST_BODY, length, text=f"bodies have at most {LARGEST_BODY} bytes, not {length}\n")
            )
        if self._large >= _LARGE_AT_ONCE:
            text = f"{self._large} bodies above {_SMALL} bytes are being read; send it again\n"
            raise web.HTTPServiceUnavailable(text=text, headers={"Retry-After": "5"})
        self._large += 1
        try:
            return await self._read(request)
        finally:
            self._large -= 1

    async def _read(self, request: web.Request) -> bytes:
        try:
            async with asyncio.timeout(self._seconds):
                return await request.read()
        except TimeoutError:
            raise _last(web.HTTPRequestTimeout(text=f"the body did not come within {self._seconds:g} s\n")) from None
        except web.RequestPayloadError as error:
            raise _last(web.HTTPBadRequest(text=f"the body cannot be read: {' '.join(str(error).split())[:200]}\n")) from None


def is_ours(record: logging.LogRecord) -> bool:
    """Whether an error that aiohttp logs is a bug, not a sender's broken HTTP: that is answered, and anybody could fill the log with it."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError | web.RequestPayloadError))


def _last(refusal: web.HTTPException) -> web.HTTPException:
    """What is left of the body is not waited for, so nothing can follow it on this connection."""
    refusal.force_close()
    return refusal
