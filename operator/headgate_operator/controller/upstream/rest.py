"""One way to ask a REST server that a manifest names: bounded in time, size, attempts and requests at once; no redirects.

Whatever goes wrong is one sentence. It must be the same sentence for the same fault, since it ends up in a status.
"""

import asyncio
import json
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from headgate_operator.controller.allowed import AllowList
from headgate_operator.metrics.body import bounded_body
from headgate_operator.metrics.credentials import authorization, same_server

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10, connect=3)
_ATTEMPTS: Final = 2
_AT_ONCE: Final = 4  # requests to one server: one that is slow must not be piled up on, nor hold up others
_LARGEST: Final = 8_000_000  # bytes of one answer
_BUSY: Final = frozenset({429, 502, 503, 504})  # worth another attempt
_SHOWN: Final = 200
_HEADERS: Final = {"User-Agent": "headgate", "Accept": "application/json", "Accept-Encoding": "identity"}


@dataclass(frozen=True)
class TokenFile:
    """A secret, and the one server that is sent it."""

    address: str
    file: Path


class RestError(Exception):
    """There is no usable answer; the message says why in one sentence."""


class NotFoundError(RestError):
    """The server says that there is no such thing."""


class Rest:
    """Asks any number of servers. One session for all; it obeys the proxy variables of the environment."""

    def __init__(self, *, allowed: AllowList, tokens: tuple[TokenFile, ...] = ()) -> None:
        self._allowed = allowed
        self._tokens = tokens
        self._session: aiohttp.ClientSession | None = None
        self._places: weakref.WeakValueDictionary[str, asyncio.Semaphore] = weakref.WeakValueDictionary()

    async def get(self, server: str, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        """Return the JSON object at a path; RestError if there is none."""
        return await self._ask(server, "GET", path, attempts=_ATTEMPTS, params=query)

    async def post(self, server: str, path: str, body: Mapping[str, Any], *, attempts: int = _ATTEMPTS) -> Mapping[str, Any]:
        """Send a JSON object and return the one that is answered; one attempt only for what must not happen twice."""
        return await self._ask(server, "POST", path, attempts=attempts, json=body)

    async def close(self) -> None:
        """Release connections."""
        if self._session is not None:
            await self._session.close()

    async def _ask(self, server: str, method: str, path: str, *, attempts: int, **content: Any) -> Mapping[str, Any]:
        if (refusal := self._allowed.refusal(server)) is not None:
            raise RestError(refusal)
        headers = {**_HEADERS, **self._secret(server)}
        place = self._places.setdefault(server, asyncio.Semaphore(_AT_ONCE))
        async with place:
            for attempt in range(1, attempts + 1):
                try:
                    status, body = await self._send(method, f"{server.rstrip('/')}{path}", headers=headers, **content)
                except aiohttp.ClientConnectionError as error:
                    if attempt < attempts:
                        continue
                    raise RestError(f"{server} cannot be reached: {_words(error)}") from error
                except TimeoutError as error:
                    raise RestError(f"{server} did not answer within {_TIMEOUT.total:g} s") from error
                except (aiohttp.ClientError, OSError, ValueError) as error:
                    raise RestError(f"{server} cannot be asked: {_words(error)}") from error
                if status not in _BUSY or attempt == attempts:
                    return _judged(server, status, body)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _send(self, method: str, url: str, **options: Any) -> tuple[int, bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=_TIMEOUT, trust_env=True, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )  # fmt: skip
        async with self._session.request(method, url, allow_redirects=False, **options) as response:
            return response.status, await bounded_body(response, _LARGEST)

    def _secret(self, server: str) -> Mapping[str, str]:
        file = next((token.file for token in self._tokens if same_server(token.address, server)), None)
        if file is None:
            return {}
        try:
            return authorization(file)
        except (OSError, ValueError):
            raise RestError(f"the file of --token-file for {server}, {file}, cannot be read") from None


def _judged(server: str, status: int, body: bytes) -> Mapping[str, Any]:
    if 200 <= status < 300:
        return _object(server, body)
    said = _said(body)
    words = f"{server} answered HTTP {status}{': ' if said else ''}{said}"
    if status == 404:
        raise NotFoundError(words)
    if 300 <= status < 400:
        words += ", and redirects are not followed"
    if status in (401, 403):
        words += "; the operator's credentials for it come from --token-file"
    raise RestError(words)


def _object(server: str, body: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RestError(f"{server} answered something that is not JSON") from error
    if not isinstance(answer, dict):
        raise RestError(f"{server} answered JSON that is no object")
    return answer


def _said(body: bytes) -> str:
    """Return the server's own words: MLflow and Kubeflow Pipelines both put them into `message`, or else the beginning of the body."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    words = answer.get("message") if isinstance(answer, dict) else None
    text = words if isinstance(words, str) else body[:2000].decode(errors="replace")
    return " ".join(text.split())[:_SHOWN]


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:_SHOWN] or type(error).__name__
