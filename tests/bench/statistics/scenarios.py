"""The scenarios of the promises: in the first list the candidate is as good as stable, in the second it is not."""

from dataclasses import dataclass, replace

import numpy as np

from tests.bench.statistics.world import Bursts, Plan, steady, ticks

USUAL = 0.005


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A plan with a name and, where there is one, a promise."""

    name: str
    plan: Plan
    restarted_pod: bool = False
    hard_failure_is_right: bool = False
    """Without a pod restart, a candidate that fails everything for half a minute is rejected, and should be."""
    metrics: int = 2
    """Metrics that share α; with more than two, as many independent ones are simulated."""
    promised: bool = True
    """Whether at most 1 % false rollbacks are promised here; else it is a known limit, shown for honesty."""
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


def _cold(rate: float, seconds: float) -> Plan:
    """Fail everything at first, though the pods are ready and nothing restarts."""
    plan = steady(2, rate, candidate=USUAL, stable=USUAL)
    share = plan.candidate.copy()
    share[: ticks(seconds)] = 1
    return replace(plan, candidate=share)


def _kpi_from_the_start(rate: float) -> Plan:
    """The first minutes are those that the rule for candidates that never served looks at: as many short runs as possible."""
    plan = steady(0.1, rate, candidate=0.7, stable=0.7)
    return replace(plan, planted=(1, 0))


def _business(rate: float) -> Plan:
    plan = steady(2, rate, candidate=USUAL, stable=USUAL)
    share = 0.7 + 0.1 * np.sin(np.arange(len(plan.weight)) / ticks(600))
    return replace(plan, candidate=share, stable=share)


_QUIET = steady(2, 1, candidate=USUAL, stable=USUAL)
_BUSY = steady(2, 10, candidate=USUAL, stable=USUAL)
_HALF = steady(2, 10, candidate=USUAL, stable=USUAL, weight=0.5)

GOOD = [
    *(Scenario(name=f"steady, {rate:g}/s", plan=steady(2, rate, candidate=USUAL, stable=USUAL)) for rate in (0.1, 1, 10)),
    *(Scenario(name=f"shared incident 0.5 → 5%, {rate:g}/s", plan=_incident(rate)) for rate in (1, 10)),
    *(Scenario(name=f"base rate rises while weight ramps, {rate:g}/s", plan=_ramp(rate)) for rate in (1, 10)),
    *(
        Scenario(name=f"two bursts on each side, {rate:g}/s", plan=replace(steady(2, rate, candidate=USUAL, stable=USUAL), planted=(2, 2)))
        for rate in (0.1, 1, 10)
    ),
    Scenario(name="candidate blip of 8 s, 10/s", plan=_blip(10, 9)),
    Scenario(name="candidate blip of 8 s with pod restart, 10/s", plan=_blip(10, 9), restarted_pod=True),
    Scenario(name="candidate blip of 30 s, 10/s", plan=_blip(10, 30), hard_failure_is_right=True),
    Scenario(name="candidate blip of 30 s with pod restart, 10/s", plan=_blip(10, 30), restarted_pod=True),
    Scenario(name="bad shares of 60–80% on both sides, 1/s", plan=_business(1)),
    Scenario(name="70% bad on both sides and a burst at the start, 10/s", plan=_kpi_from_the_start(10)),
    Scenario(name="cold start: all fail for 6 s, 10/s", plan=_cold(10, 6)),
    Scenario(name="cold start: all fail for 60 s, 0.1/s", plan=_cold(0.1, 60)),
    Scenario(name="cold start: all fail for 30 s, 10/s", plan=_cold(10, 30), promised=False),
]

_USERS = Bursts(every=600)

LONG = [
    Scenario(name="7 days, 0.5/s, blocks of 60 s", plan=steady(168, 0.5, candidate=USUAL, stable=USUAL, tick=60)),
    Scenario(name="ten metrics at once, 1/s", plan=_QUIET, metrics=10),
    Scenario(name="no error on either side, 1/s", plan=replace(_QUIET, candidate=0 * _QUIET.candidate, stable=0 * _QUIET.stable)),
    Scenario(name="failed requests retried three times, 10/s", plan=replace(_BUSY, retries=3)),
    Scenario(name="users' bursts, each request routed by itself", plan=replace(_BUSY, bursts=replace(_USERS, sticky=False))),
    Scenario(name="users' bursts, each to one version", plan=replace(_BUSY, bursts=_USERS)),
    Scenario(name="the same at 50 % weight", plan=replace(_HALF, bursts=_USERS)),
    Scenario(
        name="users' bursts of 60 s, 20 to 40 requests, each to one version",
        plan=replace(_BUSY, bursts=Bursts(every=1800, seconds=60, requests=(20, 40))),
        promised=False,
    ),
]

BAD = [
    Scenario(name="all fail, 0.1/s", plan=steady(3, 0.1, candidate=1, stable=USUAL), requests=10),
    Scenario(name="all fail, 1/s", plan=steady(1, 1, candidate=1, stable=USUAL), requests=25),
    Scenario(name="all fail, 10/s", plan=steady(0.2, 10, candidate=1, stable=USUAL), seconds=10),
    Scenario(name="all fail, 100/s", plan=steady(0.1, 100, candidate=1, stable=USUAL), seconds=10),
    Scenario(name="0.5 → 10%, 1/s", plan=steady(2, 1, candidate=0.1, stable=USUAL), requests=90),
    Scenario(name="0.5 → 10%, 10/s", plan=steady(0.5, 10, candidate=0.1, stable=USUAL), requests=90),
    Scenario(name="0.5 → 2.5%, 1/s", plan=steady(4, 1, candidate=0.025, stable=USUAL), requests=700),
    Scenario(name="0.5 → 2.5%, 10/s", plan=steady(1, 10, candidate=0.025, stable=USUAL), requests=700),
    Scenario(name="0.5 → 10%, 1/s, one of ten metrics", plan=steady(2, 1, candidate=0.1, stable=USUAL), metrics=10),
    Scenario(name="0 → 10%, 1/s", plan=steady(2, 1, candidate=0.1, stable=0)),
    Scenario(name="0.5 → 10%, 1/s, retried three times", plan=replace(steady(2, 1, candidate=0.1, stable=USUAL), retries=3)),
]


def fresh_fault() -> Plan:
    """A fault at the start of the last step of a rollout 5/25/50, one minute each before."""
    plan = steady(1, 1, candidate=0.1, stable=USUAL, weight=0.5)
    return _after_steps(plan, good_hours=1 / 60)


def late_fault() -> Plan:
    """The same fault after twelve and a half good hours at the last step: between two of the hourly mixtures."""
    plan = steady(13.5, 1, candidate=0.1, stable=USUAL, weight=0.5)
    return _after_steps(plan, good_hours=12.5)


def steps(rate: float, *, candidate: float, stable: float) -> Plan:
    """Steps 5/25/50 of ten minutes each, two hours in all."""
    plan = steady(2, rate, candidate=candidate, stable=stable, weight=0.5)
    weight = plan.weight.copy()
    weight[: ticks(600)], weight[ticks(600) : ticks(1200)] = 0.05, 0.25
    return replace(plan, weight=weight)


def short_steps(rate: float, *, share: float) -> Plan:
    """Steps 5/25/50 of a minute, as in the plan of requests needed to promote."""
    plan = steady(1, rate, candidate=share, stable=share, weight=0.5)
    weight = plan.weight.copy()
    weight[: ticks(60)], weight[ticks(60) : ticks(120)] = 0.05, 0.25
    return replace(plan, weight=weight)


def _after_steps(plan: Plan, *, good_hours: float) -> Plan:
    minute = ticks(60)
    weight, candidate = plan.weight.copy(), plan.candidate.copy()
    weight[:minute], weight[minute : 2 * minute] = 0.05, 0.25
    candidate[: 2 * minute + ticks(3600 * good_hours)] = USUAL
    return replace(plan, weight=weight, candidate=candidate)
