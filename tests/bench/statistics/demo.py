"""The demo's rollouts, through the whole of `analyse`: 75 requests a second, steps 10/25/50 of 15 s, counters of one proxy."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from headgate_operator.api import spec
from headgate_operator.api.status import AnalysisStatus
from headgate_operator.rollout.analysis import analyse, begin, reweigh
from headgate_operator.rollout.observed import Reading, Scrape, SlotCounters

START = datetime(2026, 1, 1, tzinfo=UTC)
WEIGHTS = (10, 25, 50)
STEP, POLL, LATE, LIMIT = 15.0, 3.0, 0.05, 600.0
SETTINGS = spec.Analysis()


@dataclass(frozen=True)
class End:
    """How a simulated rollout ended."""

    what: str
    seconds: float
    requests: int
    bad: int


class _Proxy:
    """One proxy's counters of both slots."""

    def __init__(self) -> None:
        self.counters = [{"rq_2xx": 0.0, "rq_5xx": 0.0, "rq_timeout": 0.0, "latency_count": 0.0, "latency_le_250": 0.0} for _ in range(2)]

    def serve(self, slot: int, *, bad: bool, slow: bool) -> None:
        counters = self.counters[slot]
        counters["rq_5xx" if bad else "rq_2xx"] += 1
        counters["latency_count"] += 1
        counters["latency_le_250"] += not slow

    def reading(self, at: datetime) -> Reading:
        slots = tuple(SlotCounters(slot=slot, counters=dict(counters)) for slot, counters in enumerate(self.counters))
        return Reading(scrapes=(Scrape(proxy="http://proxy", at=at, slots=slots),), flush=timedelta(seconds=1))


def roll_out(seed: int, *, rate: float, failing: float = 0.0, slow: float = 0.0, min_requests: int = 0) -> End:
    """Simulate one rollout; `failing` is the candidate's own, `slow` the share of slow answers of both."""
    dice, proxy, step, since, seen, bad_seen = random.Random(seed), _Proxy(), 0, 0.0, 0, 0
    seconds, step_requests = 0.0, 0
    status = begin(candidate="r1", candidate_slot=1, stable_slot=0, weight=WEIGHTS[0])
    status = _baseline(status, proxy, START)
    while seconds < LIMIT:
        for _ in range(round(rate * POLL)):
            slot = int(dice.random() < WEIGHTS[step] / 100)
            bad = bool(slot) and dice.random() < failing
            proxy.serve(slot, bad=bad, slow=dice.random() < slow)
            seen, bad_seen = seen + slot, bad_seen + bad
        seconds += POLL + LATE
        now = START + timedelta(seconds=seconds)
        result = analyse(SETTINGS, status, proxy.reading(now), now=now)
        status, step_requests = result.status, step_requests + result.kept_requests
        if result.worse or result.all_failing:
            return End("RolledBack", seconds, seen, bad_seen)
        if seconds - since < STEP or step_requests < min_requests:
            continue
        if step == len(WEIGHTS) - 1:
            if result.promotable:
                return End("Promoted", seconds, seen, bad_seen)
            continue
        step, since, step_requests = step + 1, seconds, 0
        status = _baseline(reweigh(status, weight=WEIGHTS[step], now=now), proxy, now)
    return End("Open", seconds, seen, bad_seen)


def _baseline(status: AnalysisStatus, proxy: _Proxy, now: datetime) -> AnalysisStatus:
    return analyse(SETTINGS, status, proxy.reading(now), now=now).status
