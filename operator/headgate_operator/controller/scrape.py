"""From the metric provider's answer to the snapshot's: the two packages do not know each other."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import aiohttp

from headgate_operator.api.spec import EnvoyProvider
from headgate_operator.metrics.clusters import cluster_name
from headgate_operator.metrics.envoy import GatewayReading, read_gateway
from headgate_operator.rollout.observed import Backend, Reading, Route, Scrape, SlotCounters, Subject

_NO_PROVIDER: Final = (
    "no metric provider: start the operator with --envoy-address, or name the proxies in spec.analysis.provider.envoy.addresses"
)


class Counters:
    """Reads the gateway's counters of one route. One session for all proxies; they are asked directly, never through a proxy of ours."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def read(self, provider: EnvoyProvider | None, subject: Subject, route: Route) -> Reading:
        """Return the counters of both slots; whatever goes wrong is in the reading's `error`."""
        if provider is None:
            return Reading(error=_NO_PROVIDER)
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            clusters = {
                slot: cluster_name(provider.cluster, _values(subject, slot, backend)) for slot, backend in enumerate(route.slots or ())
            }
        except ValueError as error:
            return Reading(error=f"spec.analysis.provider.envoy.cluster: {error}", flush=provider.flush)
        answer = await read_gateway(self._session, addresses=provider.addresses, clusters=clusters, now=self._clock)
        return Reading(scrapes=_scrapes(answer), error=answer.error, flush=provider.flush)

    async def close(self) -> None:
        """Release connections."""
        if self._session is not None:
            await self._session.close()


def _values(subject: Subject, slot: int, backend: Backend) -> dict[str, str]:
    return {
        "namespace": subject.namespace,
        "name": subject.name,
        "revision": backend.revision,
        "isvc": backend.isvc,
        "slot": str(slot),
    }


def _scrapes(answer: GatewayReading) -> tuple[Scrape, ...]:
    return tuple(
        Scrape(
            proxy=proxy.proxy,
            at=proxy.at,
            slots=tuple(SlotCounters(slot=reading.slot, counters=reading.counters) for reading in proxy.slots),
        )
        for proxy in answer.proxies
    )
