"""The scenarios of the promises: in the first list the candidate is as good as stable, in the second it is not."""

from dataclasses import dataclass, replace

import numpy as np
from tests.bench.statistics.world import Plan, steady, ticks

USUAL = 0.005


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A plan with a name and, where there is one, a promise."""

    name: str
    plan: Plan
    restarted_pod: bool = False
    hard_failure_is_right: bool = False
    """Without a pod restart, a candidate that fails everything for half a minute is rejected, and should be."""
    requests: int | None = None
    """Promised median of candidate requests until rollback."""
    seconds: int | None = None
    """Promised median of seconds until rollback."""


def _incident(rate: float) -> Plan:
    plan = steady(2, rate, candidate=USUAL, stable=USUAL)
    share = plan.stable.copy()
    share[ticks(3000) : ticks(3600)] = 0.05
    return replace(plan, candidate=share, stable=share)


def _ramp(rate: float) -> Plan:
    plan = steady(2, rate, candidate=USUAL, stable=USUAL)
    length = len(plan.weight)
    share = np.linspace(0.002, 0.05, length)
    weight = np.repeat([0.05, 0.25, 0.5], length // 3)
    return replace(plan, candidate=share, stable=share, weight=weight)


def _blip(rate: float, seconds: float) -> Plan:
    plan = steady(2, rate, candidate=USUAL, stable=USUAL)
    share = plan.candidate.copy()
    share[ticks(3600) : ticks(3600 + seconds)] = 1
    return replace(plan, candidate=share)


def _business(rate: float) -> Plan:
    plan = steady(2, rate, candidate=USUAL, stable=USUAL)
    share = 0.7 + 0.1 * np.sin(np.arange(len(plan.weight)) / ticks(600))
    return replace(plan, candidate=share, stable=share)


GOOD = [
    *(Scenario(name=f"steady, {rate:g}/s", plan=steady(2, rate, candidate=USUAL, stable=USUAL)) for rate in (0.1, 1, 10)),
    *(Scenario(name=f"shared incident 0.5 → 5%, {rate:g}/s", plan=_incident(rate)) for rate in (1, 10)),
    *(Scenario(name=f"base rate rises while weight ramps, {rate:g}/s", plan=_ramp(rate)) for rate in (1, 10)),
    *(
        Scenario(name=f"two bursts on each side, {rate:g}/s", plan=replace(steady(2, rate, candidate=USUAL, stable=USUAL), bursts=(2, 2)))
        for rate in (0.1, 1, 10)
    ),
    Scenario(name="candidate blip of 8 s, 10/s", plan=_blip(10, 9)),
    Scenario(name="candidate blip of 8 s with pod restart, 10/s", plan=_blip(10, 9), restarted_pod=True),
    Scenario(name="candidate blip of 30 s, 10/s", plan=_blip(10, 30), hard_failure_is_right=True),
    Scenario(name="candidate blip of 30 s with pod restart, 10/s", plan=_blip(10, 30), restarted_pod=True),
    Scenario(name="bad shares of 60–80% on both sides, 1/s", plan=_business(1)),
]

BAD = [
    Scenario(name="all fail, 0.1/s", plan=steady(3, 0.1, candidate=1, stable=USUAL), requests=10),
    Scenario(name="all fail, 1/s", plan=steady(1, 1, candidate=1, stable=USUAL), requests=25),
    Scenario(name="all fail, 10/s", plan=steady(0.2, 10, candidate=1, stable=USUAL), seconds=10),
    Scenario(name="all fail, 100/s", plan=steady(0.1, 100, candidate=1, stable=USUAL), seconds=10),
    Scenario(name="0.5 → 10%, 1/s", plan=steady(3, 1, candidate=0.1, stable=USUAL), requests=90),
    Scenario(name="0.5 → 10%, 10/s", plan=steady(1, 10, candidate=0.1, stable=USUAL), requests=90),
    Scenario(name="0.5 → 2.5%, 1/s", plan=steady(16, 1, candidate=0.025, stable=USUAL), requests=700),
    Scenario(name="0.5 → 2.5%, 10/s", plan=steady(3, 10, candidate=0.025, stable=USUAL), requests=700),
]


def fresh_fault() -> Plan:
    """A fault at the start of the last step of a rollout 5/25/50, one minute each before."""
    plan = steady(4, 1, candidate=0.1, stable=USUAL, weight=0.5)
    return _after_steps(plan, good_hours=1 / 60)


def late_fault() -> Plan:
    """The same fault after twelve and a half good hours at the last step: between two of the hourly mixtures."""
    plan = steady(16, 1, candidate=0.1, stable=USUAL, weight=0.5)
    return _after_steps(plan, good_hours=12.5)


def _after_steps(plan: Plan, *, good_hours: float) -> Plan:
    minute = ticks(60)
    weight, candidate = plan.weight.copy(), plan.candidate.copy()
    weight[:minute], weight[minute : 2 * minute] = 0.05, 0.25
    candidate[: 2 * minute + ticks(3600 * good_hours)] = USUAL
    return replace(plan, weight=weight, candidate=candidate)
