"""A gateway that counts: two slots at any number of proxies, from which readings are taken and analysed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from headgate_operator.api import spec
from headgate_operator.api.status import AnalysisStatus, MetricStatus
from headgate_operator.rollout.analysis import Analysis, analyse, begin
from headgate_operator.rollout.observed import Reading, Scrape, SlotCounters

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
STABLE, CANDIDATE = 0, 1
EDGES = (100, 250, 500, 1000)


class Gateway:
    """Counters that only grow, unless a test resets them."""

    def __init__(self, proxies: tuple[str, ...] = ("http://proxy-a",)) -> None:
        self.proxies: dict[str, dict[int, dict[str, float]]] = {proxy: {} for proxy in proxies}
        for proxy in proxies:
            self.restart(proxy)

    def restart(self, proxy: str) -> None:
        """All counters of a proxy begin at zero; dynamic series do not exist before the first answer."""
        self.proxies[proxy] = {slot: {"rq_timeout": 0} for slot in (STABLE, CANDIDATE)}

    def serve(
        self, slot: int, requests: int, *, bad: int = 0, slow: int = 0, timeouts: int = 0, proxy: str | None = None, code: int = 5
    ) -> None:
        if not requests:
            return
        counters = self.proxies[proxy or next(iter(self.proxies))][slot]
        for name, count in ((f"rq_{code}xx", bad), ("rq_5xx", timeouts), ("rq_2xx", requests - bad - timeouts)):
            if count:
                counters[name] = counters.get(name, 0) + count
        counters["rq_timeout"] += timeouts
        answered = requests - timeouts
        counters["latency_count"] = counters.get("latency_count", 0) + answered
        for edge in EDGES:
            fast = answered if edge >= 1000 else answered - slow
            counters[f"latency_le_{edge}"] = counters.get(f"latency_le_{edge}", 0) + fast

    def reading(self, at: datetime, *, flush: timedelta = timedelta(seconds=1)) -> Reading:
        scrapes = tuple(
            Scrape(proxy=proxy, at=at, slots=tuple(SlotCounters(slot=slot, counters=dict(counters)) for slot, counters in slots.items()))
            for proxy, slots in self.proxies.items()
        )
        return Reading(scrapes=scrapes, flush=flush)


class Session:
    """A comparison under way: a gateway, a clock, and the status that is carried from pass to pass through its stored form."""

    def __init__(self, gateway: Gateway, settings: spec.Analysis, *, weight: int = 10) -> None:
        self.gateway, self.settings, self.now = gateway, settings, START
        self.status = begin(candidate="r1234abcd", candidate_slot=CANDIDATE, stable_slot=STABLE, weight=weight)
        self.look()

    def look(self, reading: Reading | None = None) -> Analysis:
        found = analyse(self.settings, self.status, reading or self.gateway.reading(self.now), now=self.now)
        self.status = AnalysisStatus.model_validate_json(found.status.model_dump_json(by_alias=True))
        return found

    def after(self, seconds: float, *, candidate: tuple[int, int] = (0, 0), stable: tuple[int, int] = (0, 0)) -> Analysis:
        """Let time pass, serve (requests, bad) on both sides, look."""
        self.now += timedelta(seconds=seconds)
        self.gateway.serve(CANDIDATE, candidate[0], bad=candidate[1])
        self.gateway.serve(STABLE, stable[0], bad=stable[1])
        return self.look()

    def past_the_discarded_block(self) -> "Session":
        self.after(15, candidate=(20, 0), stable=(180, 0))
        return self

    def metric(self, name: str = "errors") -> MetricStatus:
        return next(metric for metric in self.status.metrics if metric.name == name)


@pytest.fixture(scope="session")
def gateway() -> Callable[..., Gateway]:
    return Gateway


@pytest.fixture(scope="session")
def session() -> Callable[..., Session]:
    def build(*, settings: spec.Analysis | None = None, proxies: tuple[str, ...] = ("http://proxy-a",), weight: int = 10) -> Session:
        return Session(Gateway(proxies), settings or spec.Analysis(), weight=weight)

    return build
