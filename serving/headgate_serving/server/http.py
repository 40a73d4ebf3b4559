"""Bounded bodies in, JSON out: the little HTTP that predictions need, straight on ASGI."""

from collections.abc import Sequence
from typing import Any

import orjson
from starlette.types import Message, Receive, Send

Headers = Sequence[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json")


class BodyTooLargeError(ValueError):
    """A body beyond the bound."""


async def read_body(receive: Receive, largest: int) -> bytes | None:
    """The whole body; None when the client went away meanwhile.

    Raises:
        BodyTooLargeError: it is larger than `largest` bytes. The rest of it is still on its way.
    """
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > largest:
            raise BodyTooLargeError(f"the request body is larger than {largest / 2**20:g} MiB; send fewer rows a request")
        chunks.append(chunk)
        more = message.get("more_body", False)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives a body which was read already, then whatever comes after it."""
    read = False

    async def again() -> Message:
        nonlocal read
        if read:
            return await receive()
        read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def send_json(send: Send, status: int, answer: dict[str, Any], headers: Headers = ()) -> None:
    """One whole answer."""
    await send_bytes(send, status, orjson.dumps(answer), (JSON, *headers))


async def send_bytes(send: Send, status: int, body: bytes, headers: Headers) -> None:
    """One whole answer with its own content type."""
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body})
