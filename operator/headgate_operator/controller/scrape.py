"""Where each metric's counters come from: the manifest's provider or the operator's, proxies or Prometheus; asked only if it may be."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

import aiohttp

from headgate_operator.api.spec import Analysis, EnvoyProvider, Metric, PrometheusProvider
from headgate_operator.controller.allowed import AllowList
from headgate_operator.controller.queries import Queries, ask, questions, scrapes
from headgate_operator.controller.slots import Values, slot_clusters, slot_values
from headgate_operator.metrics.envoy import read_gateway
from headgate_operator.metrics.prometheus import Access, Prometheus, aligned
from headgate_operator.rollout.observed import Reading, Route, Subject

_NO_PROVIDER: Final = (
    "no metric provider: start the operator with --envoy-address or --prometheus, or name one in spec.analysis.provider"
)  # fmt: skip
_NO_PROMETHEUS: Final = (
    "no Prometheus to send its queries to: start the operator with --prometheus, or name one in spec.analysis.provider.prometheus"
)
_MOST_KEPT: Final = 1024


@dataclass(frozen=True, kw_only=True)
class Providers:
    """What the operator was started with, for objects that name no provider of their own."""

    envoy: EnvoyProvider | None = None
    """The freshest numbers: of both, the presets read this one."""
    prometheus: PrometheusProvider | None = None
    access: Access = field(default_factory=Access)


@dataclass(frozen=True)
class _Kept:
    """A reading that is as good until the next scrapes are there: an object is looked at more often than its targets are scraped."""

    at: datetime
    provider: PrometheusProvider
    queries: Queries
    reading: Reading


class Counters:
    """Reads the counters of one route. Providers are asked directly, never through a proxy of ours."""

    def __init__(
        self,
        providers: Providers | None = None,
        allowed: AllowList | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._providers = providers or Providers()
        self._allowed = allowed or AllowList()
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._prometheus = Prometheus(self._providers.access)
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def read(self, analysis: Analysis, subject: Subject, route: Route) -> Reading:
        """Return the counters of both slots for all metrics; whatever goes wrong is in the readings' `error`."""
        own, slots = analysis.provider, slot_values(subject, route)
        envoy, prometheus = (own.envoy, own.prometheus) if own else (self._providers.envoy, self._providers.prometheus)
        if own is not None and (refusal := self._refusal(envoy, prometheus)) is not None:
            return Reading(error=refusal)
        presets = any(metric.of_the_gateway for metric in analysis.metrics)
        by_proxies, by_queries = await asyncio.gather(
            self._ask_proxies(envoy, slots) if envoy is not None and presets else _nothing(),
            self._ask_prometheus(prometheus, analysis.metrics, subject, slots, presets=envoy is None) if prometheus else _nothing(),
        )
        together = _together(analysis.metrics, by_proxies, by_queries, from_proxies=envoy is not None)
        return replace(together, source=_digest(envoy, prometheus))

    async def close(self) -> None:
        """Release connections."""
        await self._prometheus.close()
        if self._session is not None:
            await self._session.close()

    def _refusal(self, envoy: EnvoyProvider | None, prometheus: PrometheusProvider | None) -> str | None:
        """Say which address of a manifest must not be asked."""
        addresses = [("envoy.addresses", address) for address in (envoy.addresses if envoy else ())]
        addresses += [("prometheus.address", prometheus.address)] if prometheus else []
        refusals = ((where, self._allowed.refusal(address)) for where, address in addresses)
        return next((f"spec.analysis.provider.{where}: {refusal}" for where, refusal in refusals if refusal is not None), None)

    async def _ask_proxies(self, provider: EnvoyProvider, slots: dict[int, Values]) -> Reading:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            clusters = slot_clusters(slots, provider.cluster, mirror=provider.mirror_cluster)
        except ValueError as error:
            return Reading(error=f"spec.analysis.provider.envoy: {error}", flush=provider.flush)
        answer = await read_gateway(self._session, addresses=provider.addresses, clusters=clusters, now=self._clock)
        return Reading(scrapes=scrapes(answer.proxies), error=answer.error, flush=provider.flush)

    async def _ask_prometheus(
        self, provider: PrometheusProvider, metrics: list[Metric], subject: Subject, slots: dict[int, Values], *, presets: bool
    ) -> Reading:
        try:
            queries = questions(provider, metrics, slots, presets=presets)
        except ValueError as error:
            return Reading(error=f"spec.analysis.metrics: {error}")
        now = self._clock()
        at, kept = aligned(now, provider.scrape_interval), self._kept.get(subject.uid)
        if kept is not None and (kept.at, kept.provider, kept.queries) == (at, provider, queries):
            return kept.reading
        reading = await ask(self._prometheus, provider, metrics, queries, now)
        if all(one.scrapes for one in (reading, *reading.own.values())):
            self._keep(subject.uid, _Kept(at, provider, queries, reading))
        return reading

    def _keep(self, uid: str, kept: _Kept) -> None:
        self._kept[uid] = kept
        self._kept.move_to_end(uid)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)


def _digest(envoy: EnvoyProvider | None, prometheus: PrometheusProvider | None) -> str:
    """Name providers shortly."""
    written = "\0".join(provider.model_dump_json() if provider is not None else "" for provider in (envoy, prometheus))
    return hashlib.sha256(written.encode()).hexdigest()[:12]


async def _nothing() -> None:
    return None


def _together(metrics: list[Metric], by_proxies: Reading | None, by_queries: Reading | None, *, from_proxies: bool) -> Reading:
    """Put both providers' readings into one: the proxies', if there are any, is the common one."""
    queried = [metric.name for metric in metrics if not metric.of_the_gateway]
    if by_queries is None:
        own = {name: Reading(error=_NO_PROMETHEUS) for name in queried}
    else:
        own = {name: by_queries.of(name) for name in queried} | dict(by_queries.own)
    common = by_proxies if from_proxies else by_queries
    return replace(common or Reading(error=_NO_PROVIDER), own=own)
