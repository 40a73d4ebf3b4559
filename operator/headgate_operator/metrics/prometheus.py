"""Asking a Prometheus server, or whatever speaks its query API. Bounded in time, size, attempts and requests at once."""

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import aiohttp

from headgate_operator.metrics.answers import Series, read_answer, said
from headgate_operator.metrics.body import TooLargeError, bounded_body
from headgate_operator.metrics.credentials import authorization, same_server
from headgate_operator.metrics.exposition import MalformedError
from headgate_operator.metrics.reading import UnreadableError
from headgate_operator.metrics.silence import Silence

_TIMEOUT: Final = 5.0  # seconds, for all queries of a reading together, waiting for their turn included
_ATTEMPTS: Final = 2
_AT_ONCE: Final = 4  # requests to one server
_LARGEST: Final = 8_000_000  # bytes of one answer
_BUSY: Final = frozenset({502, 503, 504})  # worth another attempt
_LEFT_ALONE: Final = 5.0  # seconds, after a server did not answer


@dataclass(frozen=True, kw_only=True)
class Access:
    """How the operator proves who it is, and whom it believes."""

    token_file: Path | None = None
    """Holds a bearer token, or `user:password` (a token has no colon). Read before every request, so that a rotated one is used."""
    trusted: str | None = None
    """Address of the one server that gets the token: a manifest could name its author's own server to be sent it."""
    ca_file: Path | None = None
    """Certificates to believe beside the system's own."""


class Prometheus:
    """Asks any number of servers. One session for all; they are asked directly, never through a proxy of ours."""

    def __init__(self, access: Access | None = None, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._access = access or Access()
        self._session: aiohttp.ClientSession | None = None
        self._silence = Silence(_LEFT_ALONE, monotonic=monotonic)

    async def query(self, address: str, queries: Sequence[str], at: datetime) -> list[list[Series] | MalformedError]:
        """Evaluate instant queries at one timestamp; an answer each, in order, or what is wrong with that one alone.

        UnreadableError if the server cannot be asked at all.
        """
        if (why := self._silence.why(address)) is not None:
            raise UnreadableError(why)
        try:
            async with asyncio.timeout(_TIMEOUT):
                answers = await asyncio.gather(*(self._ask(address, query, at) for query in queries), return_exceptions=True)
        except TimeoutError:
            raise self._remembered(address, f"the Prometheus server {address} did not answer within {_TIMEOUT:g} s") from None
        return [self._sound(address, answer) for answer in answers]

    async def close(self) -> None:
        """Release connections."""
        if self._session is not None:
            await self._session.close()

    def _sound(self, address: str, answer: list[Series] | MalformedError | BaseException) -> list[Series] | MalformedError:
        match answer:
            case UnreadableError():
                raise self._remembered(address, str(answer))
            case aiohttp.ClientError() | OSError():
                words = " ".join(str(answer).split()) or type(answer).__name__
                raise self._remembered(address, f"the Prometheus server {address} cannot be asked: {words}") from answer
            case list() | MalformedError():
                return answer
        raise answer

    def _remembered(self, address: str, why: str) -> UnreadableError:
        self._silence.keep(address, why)
        return UnreadableError(why)

    async def _ask(self, address: str, query: str, at: datetime) -> list[Series] | MalformedError:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                status, body = await self._post(address, query, at)
            except aiohttp.ClientConnectionError:
                if attempt == _ATTEMPTS:
                    raise
                continue
            except MalformedError as error:
                return error
            if status not in _BUSY or attempt == _ATTEMPTS:
                return _judged(address, status, body)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _post(self, address: str, query: str, at: datetime) -> tuple[int, bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, limit_per_host=_AT_ONCE, ssl=self._tls()))
        form = {"query": query, "time": f"{at.timestamp():.3f}", "timeout": f"{_TIMEOUT:g}s"}
        url, headers = f"{address.rstrip('/')}/api/v1/query", self._credentials(address)
        async with self._session.post(url, data=form, headers=headers, allow_redirects=False) as response:
            try:
                return response.status, await bounded_body(response, _LARGEST)
            except TooLargeError as error:
                words = f"the answer of {address} is larger than {_LARGEST // 1_000_000} MB; aggregate with sum by (…)"
                raise MalformedError(words) from error

    def _tls(self) -> ssl.SSLContext | bool:
        if self._access.ca_file is None:
            return True
        context = ssl.create_default_context()
        context.load_verify_locations(cafile=self._access.ca_file)
        return context

    def _credentials(self, address: str) -> Mapping[str, str]:
        access = self._access
        if access.token_file is None or access.trusted is None or not same_server(address, access.trusted):
            return {}
        try:
            return authorization(access.token_file)
        except (OSError, ValueError):
            raise UnreadableError(f"the file of --prometheus-token-file, {access.token_file}, cannot be read") from None


def aligned(now: datetime, scrape_interval: timedelta) -> datetime:
    """Return the latest instant of a grid of scrape intervals for which the samples should have arrived.

    From one instant to the next every target is scraped once. So two readings of the same scrapes have the same time, and the counters
    of both versions advance together, though no two targets are scraped at the same moment.
    """
    arrival = min(timedelta(seconds=2), scrape_interval / 4)
    return now - arrival - (now - arrival - _EPOCH) % scrape_interval


_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _judged(address: str, status: int, body: bytes) -> list[Series] | MalformedError:
    """A query that the server finds wrong is the query's fault; everything else concerns the server."""
    if status == 200:
        try:
            return read_answer(body)
        except MalformedError as error:
            return error
    words = said(body)
    if status in (400, 422) and words:
        return MalformedError(f"the query is refused: {words}")
    hint = {401: "; its credentials come from --prometheus-token-file", 403: "; its credentials come from --prometheus-token-file"}
    why = "a redirect is not followed" if 300 <= status < 400 else words
    raise UnreadableError(f"the Prometheus server {address} answered HTTP {status}{': ' if why else ''}{why}{hint.get(status, '')}")
