"""Reading an HTTP body of foreign origin: never more of it than was agreed on."""

import aiohttp


class TooLargeError(ValueError):
    """The body is larger than allowed."""


async def bounded_body(response: aiohttp.ClientResponse, largest: int) -> bytes:
    """Return the whole body; TooLargeError if it is larger than so many bytes.

    `content.read(n)` would not do: it returns what has arrived, not all of it.
    """
    body = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        body += chunk
        if len(body) > largest:
            raise TooLargeError(f"its answer is larger than {largest // 1_000_000} MB")
    return bytes(body)
