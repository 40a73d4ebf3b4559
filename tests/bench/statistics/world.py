"""Simulated traffic: what a gateway would have counted between two polls, in many runs at once.

Arrivals are Poisson, errors independent unless a scenario says otherwise. All shares are arrays over time, so that incidents, ramps and
blips are one line each.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TICK = 3.0
"""Seconds between two polls: a fifth of the default interval."""

Counts = NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Bursts:
    """A user whose requests all fail: 3 to 10 of them within `seconds`."""

    every: float
    """Mean seconds between two of them, over both versions."""
    seconds: float = 15
    sticky: bool = True
    """All requests of one burst go to one version; otherwise the gateway routes each by itself."""
    requests: tuple[int, int] = (3, 10)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Rates over time, one value a tick."""

    rate: float
    """Requests a second, both versions together."""
    weight: NDArray[np.float64]
    """The candidate's share of traffic."""
    candidate: NDArray[np.float64]
    """Bad share of the candidate."""
    stable: NDArray[np.float64]
    tick: float = TICK
    planted: tuple[int, int] = (0, 0)
    """Bursts of 3 to 10 bad requests within 15 s at random times, on the candidate and on stable."""
    bursts: Bursts | None = None
    retries: int = 0
    """How often a client retries a failed request; half of the retries fail again."""

    def ticks(self, seconds: float) -> int:
        """Polls in so many seconds."""
        return round(seconds / self.tick)


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Counts of every tick of many runs: arrays of shape (runs, ticks)."""

    plan: Plan
    candidate_total: Counts
    candidate_bad: Counts
    stable_total: Counts
    stable_bad: Counts

    @property
    def count(self) -> int:
        """How many runs there are."""
        return len(self.candidate_total)


def ticks(seconds: float) -> int:
    """Polls in so many seconds."""
    return round(seconds / TICK)


def steady(hours: float, rate: float, *, candidate: float, stable: float, weight: float = 0.1, tick: float = TICK) -> Plan:
    """Nothing changes."""
    length = round(3600 * hours / tick)
    shares = (np.full(length, share) for share in (weight, candidate, stable))
    return Plan(rate=rate, weight=next(shares), candidate=next(shares), stable=next(shares), tick=tick)


def play(plan: Plan, runs: int, seed: int) -> Runs:
    """Draw so many runs."""
    random, shape = np.random.default_rng(seed), (runs, len(plan.weight))
    totals = [_poisson(random, plan.rate * plan.tick * share, shape) for share in (plan.weight, 1 - plan.weight)]
    bads = [_binomial(random, total, share) for total, share in zip(totals, (plan.candidate, plan.stable), strict=True)]
    for _ in range(plan.retries):
        _retry(random, plan, totals, bads)
    for side, count in enumerate(plan.planted):
        for _ in range(count):
            _add_burst(random, np.arange(runs), totals[side], bads[side], plan, Bursts(every=0))
    if plan.bursts is not None:
        _add_bursts(random, plan, plan.bursts, totals, bads)
    return Runs(plan=plan, candidate_total=totals[0], candidate_bad=bads[0], stable_total=totals[1], stable_bad=bads[1])


def _poisson(random: np.random.Generator, mean: NDArray[np.float64], shape: tuple[int, int]) -> Counts:
    return random.poisson(mean, shape).astype(np.int32)


def _binomial(random: np.random.Generator, total: Counts, share: NDArray[np.float64]) -> Counts:
    """Binomial counts; where the share is a constant 0 or 1 nothing has to be drawn."""
    if not share.any():
        return np.zeros_like(total)
    return random.binomial(total, share).astype(np.int32)


def _retry(random: np.random.Generator, plan: Plan, totals: list[Counts], bads: list[Counts]) -> None:
    """Every failed request comes back at once; half of them fail again, whichever version gets them."""
    again = bads[0] + bads[1]
    to_candidate = random.binomial(again, plan.weight).astype(np.int32)
    for side, more in enumerate((to_candidate, again - to_candidate)):
        totals[side] += more
        bads[side] += random.binomial(more, 0.5).astype(np.int32)


def _add_bursts(random: np.random.Generator, plan: Plan, bursts: Bursts, totals: list[Counts], bads: list[Counts]) -> None:
    runs, length = totals[0].shape
    for run, count in enumerate(random.poisson(length * plan.tick / bursts.every, runs)):
        for _ in range(count):
            begin = random.integers(0, length)
            weight = plan.weight[begin]
            sides = [weight, 1 - weight] if not bursts.sticky else None
            chosen = int(random.random() >= weight)
            size = int(random.integers(bursts.requests[0], bursts.requests[1] + 1))
            at = np.minimum(begin + random.integers(0, max(1, plan.ticks(bursts.seconds)), size), length - 1)
            to = random.choice(2, size, p=sides) if sides else np.full(size, chosen)
            for side in (0, 1):
                np.add.at(totals[side][run], at[to == side], 1)
                np.add.at(bads[side][run], at[to == side], 1)


def _add_burst(random: np.random.Generator, runs: NDArray[np.int64], total: Counts, bad: Counts, plan: Plan, burst: Bursts) -> None:
    width = max(1, plan.ticks(burst.seconds))
    begin = random.integers(0, total.shape[1] - width, len(runs))
    size = random.integers(burst.requests[0], burst.requests[1] + 1, len(runs))
    for number in range(burst.requests[1]):
        chosen = runs[number < size]
        at = begin[chosen] + random.integers(0, width, len(chosen))
        np.add.at(total, (chosen, at), 1)
        np.add.at(bad, (chosen, at), 1)
