"""One request to the API server, with a timeout, and bounded second tries for reads.

It stands on the kubernetes client's asynchronous half for authentication, connection pool and TLS. Traps of that client (37):
`patch_namespaced_custom_object` returns None when an apply creates (201), and the first typed call such as CoreV1Api blocks the event loop
for 0.6 s. So everything goes through generic paths.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.config.config_exception import ConfigException

from headgate_operator.kube.errors import error_from
from headgate_operator.kube.protocol import ApiError, UnavailableError

JSON: Final = "application/json"
_READ_ATTEMPTS: Final = 3
_LONGEST_WAIT: Final = 5.0  # seconds between two attempts, whatever Retry-After says
_GRACE: Final = 10.0
"""Seconds after which a stream that the server should have ended by itself is taken for dead."""
_LONGEST_LINE: Final = 16 * 2**20
"""Bytes; an object in etcd has at most a tenth of that."""


@dataclass(frozen=True)
class Purpose:
    """What a request is for, in messages and metrics: `LIST inferenceservices ml`."""

    verb: str
    resource: str
    """Plural, with its subresource; empty when the server is asked what it knows."""
    where: str

    def __str__(self) -> str:
        return " ".join(filter(None, (self.verb, self.resource, self.where)))


Heard = Callable[[Purpose, int, float], None]
"""Is told of every request: its purpose, the HTTP status (0: no answer), and the seconds it took."""


def unheard(_what: Purpose, _status: int, _seconds: float) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Answer:
    """What the server said, whatever its status."""

    status: int
    body: bytes
    retry_after: float | None = None
    """Seconds that the server asks to wait."""
    date: str = ""
    """The header of that name: what time it is for the server."""

    @property
    def come_again(self) -> bool:
        """Whether the server has no time or is ill, rather than refusing."""
        return self.status == 429 or self.status >= 500


class Transport:
    """Requests by path."""

    def __init__(self, api: ApiClient, *, request_timeout: float, heard: Heard = unheard) -> None:
        """Take over a configured client, closed by `close`; `request_timeout` is the longest time one request may take, in seconds."""
        self._heard = heard
        self._api = api
        self._request_timeout = request_timeout
        self._limit = aiohttp.ClientTimeout(total=request_timeout)

    async def read(self, path: str, what: Purpose, query: Mapping[str, str] | None = None) -> Answer:
        """GET, tried three times while the server has no time or cannot be reached. `what` names the request in messages and metrics."""
        for attempt in range(1, _READ_ATTEMPTS):
            try:
                answer = await self.call("GET", path, what, query=query)
            except UnavailableError:
                await asyncio.sleep(_wait(attempt, None))
                continue
            if not answer.come_again:
                return answer
            await asyncio.sleep(_wait(attempt, answer.retry_after))
        return await self.call("GET", path, what, query=query)

    async def call(
        self,
        method: str,
        path: str,
        what: Purpose,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        content_type: str = JSON,
    ) -> Answer:
        """Send one request; UnavailableError if there was no answer in time."""
        began, status = time.perf_counter(), 0
        try:
            answer = await self._call(method, path, what, body=body, query=query, content_type=content_type)
            status = answer.status
        finally:
            self._heard(what, status, time.perf_counter() - began)
        return answer

    async def lines(self, path: str, what: Purpose, query: Mapping[str, str], *, seconds: float) -> AsyncGenerator[bytes]:
        """Yield the lines of an answer that the server ends after `seconds`; ApiError if it refuses or breaks off."""
        limit = aiohttp.ClientTimeout(total=seconds + _GRACE, sock_connect=self._request_timeout)
        began, status = time.perf_counter(), 0
        with self._told(what, seconds + _GRACE):
            try:
                response = await self._send("GET", path, body=None, query=query, content_type=JSON, limit=limit)
                status = response.status
            finally:
                self._heard(what, status, time.perf_counter() - began)  # until it begins: how long it goes on says nothing
            try:
                if response.status != 200:
                    raise error_from(response.status, await response.read(), str(what))
                rest = b""
                async for chunk in response.content.iter_any():
                    *whole, rest = (rest + chunk).split(b"\n")
                    for line in filter(None, whole):
                        yield line
                    if len(rest) > _LONGEST_LINE:
                        raise UnavailableError(f"{what}: a line of more than {_LONGEST_LINE} bytes; is this address an API server?")
            finally:
                response.close()  # not released: nobody reads what is still to come

    async def _call(
        self, method: str, path: str, what: Purpose, *, body: Mapping[str, Any] | None, query: Mapping[str, str] | None, content_type: str
    ) -> Answer:
        with self._told(what, self._request_timeout):
            response = await self._send(method, path, body=body, query=query, content_type=content_type, limit=self._limit)
            return Answer(response.status, await response.read(), _retry_after(response.headers), response.headers.get("Date", ""))

    async def _send(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None,
        query: Mapping[str, str] | None,
        content_type: str,
        limit: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        """Send a request past `param_serialize` and `call_api`, which would walk through headers and body looking for models."""
        headers = {**self._api.default_headers, "Accept": JSON, "Content-Type": content_type}
        target = f"{path}?{urlencode(query)}" if query else path
        await self._api.update_params_for_auth(headers, [], ["BearerToken"], target, method, body)
        answer = await self._api.rest_client.request(  # type: ignore[no-untyped-call]
            method, self._api.configuration.host + target, headers=headers, body=body, _request_timeout=limit
        )
        response: aiohttp.ClientResponse = answer.response
        return response

    @contextmanager
    def _told(self, what: Purpose, seconds: float) -> Iterator[None]:
        """Make one of our errors, with its sentence, of everything that can go wrong on the way."""
        try:
            yield
        except TimeoutError as error:
            raise UnavailableError(f"{what}: no answer from the API server within {seconds:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise UnavailableError(f"{what}: the API server cannot be reached: {str(error) or type(error).__name__}") from error
        except ConfigException as error:  # a token file that is empty for a moment, a login plug-in that failed
            raise UnavailableError(f"{what}: no credentials for the API server: {error}") from error
        except ApiException as error:
            raise ApiError(f"{what}: {error.reason}", error.status or 0) from error

    async def close(self) -> None:
        """Release connections."""
        await self._api.close()  # type: ignore[no-untyped-call]


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else None


def _wait(attempt: int, retry_after: float | None) -> float:
    """Return the seconds until the next attempt: what the server asked for, else 0.2, 0.4 … with jitter, so that a fleet spreads out."""
    wanted = retry_after if retry_after is not None else 0.2 * 2 ** (attempt - 1)
    return min(wanted, _LONGEST_WAIT) * random.uniform(0.75, 1.25)  # noqa: S311 (no secret)
