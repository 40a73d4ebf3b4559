"""Counters straight from the Envoy proxies of a gateway: one request to each, only for the series of one route."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import aiohttp

from headgate_operator.metrics.body import TooLargeError, bounded_body
from headgate_operator.metrics.exposition import MalformedError, read_counters
from headgate_operator.metrics.reading import ProxyReading, SlotReading, UnreadableError

_TIMEOUT: Final = 5.0  # seconds, for one request
_ATTEMPTS: Final = 2  # a kept connection may have been closed on the other side
_LARGEST: Final = 16_000_000  # bytes; a proxy that ignores the filter sends everything it has


@dataclass(frozen=True, kw_only=True)
class GatewayReading:
    """All proxies, or none: a partial sum would look like a drop in traffic."""

    proxies: tuple[ProxyReading, ...] = ()
    error: str | None = None
    """Which proxy could not be read, and why, in one sentence."""


async def read_gateway(
    session: aiohttp.ClientSession, *, addresses: Sequence[str], clusters: Mapping[int, str], now: Callable[[], datetime]
) -> GatewayReading:
    """Read the counters of a route's slots from every proxy at the same instant.

    Args:
        session: Where connections are kept.
        addresses: Admin addresses of all proxies, such as http://10.0.0.7:19001.
        clusters: The name of each slot's Envoy cluster (clusters.cluster_name).
        now: The clock.
    """
    at = now()
    answers = await asyncio.gather(*(_counters(session, address, clusters) for address in addresses), return_exceptions=True)
    proxies = []
    for address, answer in zip(addresses, answers, strict=True):
        if isinstance(answer, UnreadableError):
            return GatewayReading(error=str(answer))
        if isinstance(answer, BaseException):
            raise answer
        slots = tuple(SlotReading(slot=slot, counters=answer[name]) for slot, name in sorted(clusters.items()) if name in answer)
        proxies.append(ProxyReading(proxy=address, at=at, slots=slots))
    return GatewayReading(proxies=tuple(proxies))


async def _counters(session: aiohttp.ClientSession, address: str, clusters: Mapping[int, str]) -> dict[str, dict[str, float]]:
    url = f"{address.rstrip('/')}/stats/prometheus"
    try:
        text = await _text(session, url, {"filter": stats_filter(clusters)})
        return read_counters(text)
    except MalformedError as error:
        raise UnreadableError(f"the proxy {address} sent an answer that makes no sense: {error}") from error
    except TimeoutError as error:
        raise UnreadableError(f"the proxy {address} did not answer within {_TIMEOUT:g} s") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise UnreadableError(f"the proxy {address} cannot be read: {' '.join(str(error).split()) or type(error).__name__}") from error


def stats_filter(clusters: Mapping[int, str]) -> str:
    """Return Envoy's filter for the series that count; it is matched against names as `cluster.<name>.upstream_rq_2xx`.

    Not `usedonly`: it hides counters that are still zero.
    """
    names = "|".join(sorted({re.escape(name) for name in clusters.values()}))
    return rf"^cluster\.({names})\.upstream_rq_([1-5]xx|time|timeout)$"


async def _text(session: aiohttp.ClientSession, url: str, query: Mapping[str, str]) -> str:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return await _get(session, url, query)
        except aiohttp.ClientConnectionError:
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


async def _get(session: aiohttp.ClientSession, url: str, query: Mapping[str, str]) -> str:
    async with session.get(url, params=query, timeout=aiohttp.ClientTimeout(total=_TIMEOUT), allow_redirects=False) as response:
        if response.status != 200:
            raise MalformedError(f"HTTP {response.status} from {url}")
        try:
            return (await bounded_body(response, _LARGEST)).decode()
        except TooLargeError as error:
            raise MalformedError(f"{error} ({url})") from error
