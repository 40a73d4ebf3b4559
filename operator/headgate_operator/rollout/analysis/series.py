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
_EDGE: Final = re.compile(r"latency_le_([0-9]+(?:\.[0-9]+)?)")
_COUNT: Final = "latency_count"
_TIMEOUT: Final = "rq_timeout"

Counters = Mapping[str, float]


class Meter(Protocol):
    """How one kind of metric reads counters. Equal meters read the same."""

    def pick(self, counters: Counters) -> dict[str, float]:
        """Select the series the metric needs of one slot."""

    def gap(self, counters: Counters) -> str | None:
        """Say which series is missing although it should be there; None if all is well."""

    def tally(self, counters: Counters) -> tuple[float, float, float]:
        """Count bad answers, all answers, and the bad ones that an absolute objective is about, ever since the counters began."""


@dataclass(frozen=True)
class ErrorMeter:
    """Every answer that is not 2xx or 3xx is bad: a candidate that answers 404 or 422 to everyone is broken."""

    def pick(self, counters: Counters) -> dict[str, float]:
        """Select the response classes."""
        return {name: counters[name] for name in _CLASSES if name in counters}

    def gap(self, counters: Counters) -> str | None:
        """Answers that are only in the histogram mean that classes are filtered out of the proxy's stats."""
        if "rq_2xx" in counters or not counters.get(_COUNT) or self.pick(counters):
            return None
        return "the proxy counts answers but publishes no upstream_rq_xx by class"

    def tally(self, counters: Counters) -> tuple[float, float, float]:
        """Count answers. For the objective only server errors: a client's own mistakes must not count against a version by itself."""
        good = counters.get("rq_2xx", 0) + counters.get("rq_3xx", 0)
        faults = counters.get("rq_5xx", 0)
        bad = counters.get("rq_1xx", 0) + counters.get("rq_4xx", 0) + faults
        return bad, good + bad, faults


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

    def tally(self, counters: Counters) -> tuple[float, float, float]:
        """Count requests; an objective counts the same slow ones."""
        bucket = self._bucket(counters)
        count, timeouts = counters.get(_COUNT, 0), counters.get(_TIMEOUT, 0)
        slow = count - (counters[bucket] if bucket else 0) + timeouts
        return slow, count + timeouts, slow

    def _bucket(self, counters: Counters) -> str | None:
        return self._usual_bucket if self._usual_bucket in counters else _edges(counters).get(self._milliseconds)

    @cached_property
    def _usual_bucket(self) -> str:
        return f"latency_le_{self._milliseconds:g}"

    @cached_property
    def _milliseconds(self) -> float:
        return self.slower_than / timedelta(milliseconds=1)


@dataclass(frozen=True)
class QueryMeter:
    """Whatever the queries of one metric count; each of its sources has `bad` and `total`."""

    metric: str

    def pick(self, counters: Counters) -> dict[str, float]:
        """Select both counts."""
        return {name: counters[name] for name in ("bad", "total") if name in counters}

    def gap(self, _counters: Counters) -> str | None:
        """Find nothing: that both counts are there is known since they were paired."""
        return None

    def tally(self, counters: Counters) -> tuple[float, float, float]:
        """Count as the queries do; an objective is about the same."""
        bad = counters.get("bad", 0)
        return bad, counters.get("total", 0), bad


def _edges(names: Iterable[str]) -> dict[float, str]:
    edges = ((_edge(name), name) for name in names)
    return {edge: name for edge, name in edges if edge is not None}


@lru_cache(maxsize=1024)
def _edge(name: str) -> float | None:
    """Milliseconds of a bucket's upper edge; None if the series is no bucket."""
    match = _EDGE.fullmatch(name)
    return float(match[1]) if match else None
