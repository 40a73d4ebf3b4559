"""Simulated traffic: what a gateway would have counted in every three seconds of a rollout.

Arrivals are Poisson, errors independent unless a scenario says otherwise. All shares are arrays over time, so that incidents, ramps and
blips are one line each.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TICK = 3.0
"""Seconds between two polls: a fifth of the default interval."""


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
    bursts: tuple[int, int] = (0, 0)
    """Bursts of 3 to 10 extra bad requests within 15 s, on the candidate and on stable."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """Counts of every tick."""

    weight: NDArray[np.float64]
    candidate_total: list[int]
    candidate_bad: list[int]
    stable_total: list[int]
    stable_bad: list[int]


def ticks(seconds: float) -> int:
    """Polls in so many seconds."""
    return round(seconds / TICK)


def steady(hours: float, rate: float, *, candidate: float, stable: float, weight: float = 0.1) -> Plan:
    """Nothing changes."""
    length = ticks(3600 * hours)
    return Plan(rate=rate, weight=np.full(length, weight), candidate=np.full(length, candidate), stable=np.full(length, stable))


def play(plan: Plan, seed: int) -> Run:
    """Draw one run."""
    random = np.random.default_rng(seed)
    candidate = random.poisson(plan.rate * TICK * plan.weight)
    stable = random.poisson(plan.rate * TICK * (1 - plan.weight))
    candidate_bad = random.binomial(candidate, plan.candidate)
    stable_bad = random.binomial(stable, plan.stable)
    for count, total, bad in ((plan.bursts[0], candidate, candidate_bad), (plan.bursts[1], stable, stable_bad)):
        for _ in range(count):
            begin = random.integers(0, len(total) - 5)
            at = begin + random.integers(0, 5, size=random.integers(3, 11))
            np.add.at(total, at, 1)
            np.add.at(bad, at, 1)
    return Run(
        weight=plan.weight,
        candidate_total=candidate.tolist(),
        candidate_bad=candidate_bad.tolist(),
        stable_total=stable.tolist(),
        stable_bad=stable_bad.tolist(),
    )
