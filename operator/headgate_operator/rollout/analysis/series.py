"""Which of a slot's counters a metric reads, and what counts as bad. Traps of Envoy's counters live here.

Envoy creates `rq_2xx` and its like, and the histogram, with the first answer of their kind: in a slot that is there at all, an absent
series is zero. It publishes histograms only at its stats flush. `upstream_rq_completed` is not read: redefining a cluster erased the
classes and kept it, and their difference looked like total failure. Timed out requests are not in the histogram.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, lru_cache
from typing import Final, Protocol

_CLASSES: Final = ("rq_1xx", "rq_2xx", "rq_3xx", "rq_4xx", "rq_5xx")
_GOOD_CLASSES: Final = ("rq_2xx", "rq_3xx")
_EDGE: Final = re.compile(r"latency_le_([0-9]+(?:\.[0-9]+)?)")
_COUNT: Final = "latency_count"
_TIMEOUT: Final = "rq_timeout"

Counters = Mapping[str, float]


class Meter(Protocol):
    """How one kind of metric reads counters."""

    def pick(self, counters: Counters) -> dict[str, float]:
        """Select the series the metric needs of one slot."""

    def gap(self, counters: Counters) -> str | None:
        """Say which series is missing although it should be there; None if all is well."""

    def tally(self, growth: Counters) -> tuple[int, int]:
        """Count (bad, total) from how much each picked series grew."""

    def faults(self, growth: Counters) -> int:
        """Count the bad ones that an absolute objective is about."""


@dataclass(frozen=True)
class ErrorMeter:
    """Every answer that is not 2xx or 3xx is bad: a candidate that answers 404 or 422 to everyone is broken."""

    def pick(self, counters: Counters) -> dict[str, float]:
        """Select the response classes."""
        return {name: counters[name] for name in _CLASSES if name in counters}

    def gap(self, counters: Counters) -> str | None:
        """Answers that are only in the histogram mean that classes are filtered out of the proxy's stats."""
        if counters.get(_COUNT) and not self.pick(counters):
            return "the proxy counts answers but publishes no upstream_rq_xx by class"
        return None

    def tally(self, growth: Counters) -> tuple[int, int]:
        """Count answers: bad ones and all."""
        total = sum(growth.values())
        good = sum(growth.get(name, 0) for name in _GOOD_CLASSES)
        return round(total - good), round(total)

    def faults(self, growth: Counters) -> int:
        """Count server errors: beside no other version, a client's own mistakes must not count against this one."""
        return round(growth.get("rq_5xx", 0))


@dataclass(frozen=True)
class LatencyMeter:
    """Answers slower than the bound are bad, and so is every request that timed out."""

    slower_than: timedelta

    def pick(self, counters: Counters) -> dict[str, float]:
        """Select the histogram's count, the bucket at the bound, and the timeouts."""
        wanted = (_COUNT, self._bucket(counters), _TIMEOUT)
        return {name: counters[name] for name in wanted if name is not None and name in counters}

    def gap(self, counters: Counters) -> str | None:
        """Find a histogram that is filtered out, or has no bucket edge at the bound."""
        if _COUNT not in counters:
            answered = any(counters.get(name) for name in _CLASSES)
            return "the proxy counts answers but publishes no upstream_rq_time histogram" if answered else None
        if self._bucket(counters) is None:
            edges = ", ".join(f"{edge:g}" for edge in sorted(_edges(counters))) or "none"
            return f"slowerThan {self._milliseconds:g}ms is not a bucket edge of the proxy's histogram; its edges in ms: {edges}"
        return None

    def tally(self, growth: Counters) -> tuple[int, int]:
        """Count requests: slow or timed out ones, and all."""
        bucket = self._bucket(growth)
        count, timeouts = growth.get(_COUNT, 0), growth.get(_TIMEOUT, 0)
        fast = growth[bucket] if bucket else 0
        return round(count - fast + timeouts), round(count + timeouts)

    def faults(self, growth: Counters) -> int:
        """Count slow requests: an objective counts no others."""
        return self.tally(growth)[0]

    def _bucket(self, counters: Counters) -> str | None:
        usual = f"latency_le_{self._milliseconds:g}"
        return usual if usual in counters else _edges(counters).get(self._milliseconds)

    @cached_property
    def _milliseconds(self) -> float:
        return self.slower_than / timedelta(milliseconds=1)


def _edges(names: Iterable[str]) -> dict[float, str]:
    edges = ((_edge(name), name) for name in names)
    return {edge: name for edge, name in edges if edge is not None}


@lru_cache(maxsize=1024)
def _edge(name: str) -> float | None:
    """Milliseconds of a bucket's upper edge; None if the series is no bucket."""
    match = _EDGE.fullmatch(name)
    return float(match[1]) if match else None
