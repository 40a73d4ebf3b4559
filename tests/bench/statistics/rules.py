"""Three ways to judge the same runs: Headgate's evidence, Flagger's rule, and a z-test that is looked at after every block.

Headgate's part is the operator's own rules on arrays of runs, so that thousands of runs are affordable; tests/unit/stats/test_bench.py
compares it with the operator's code run by run. demo.py drives the whole `analyse`.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Self

import numpy as np
from numpy.typing import NDArray

from headgate_operator.api.spec import Metric, MetricPreset
from headgate_operator.rollout.analysis.failing import (
    FIRST_FAILURES,
    FIRST_FAILURES_BOUND,
    LOG_ONLY_A_BURST,
    STABLE_SERVES_BELOW,
    STREAK_BLOCKS,
    STREAK_REQUESTS,
)
from headgate_operator.stats.capital import log_unspent, started_share
from headgate_operator.stats.first_failures import log_evidence_of_first_failures
from headgate_operator.stats.promotion import PARTS_OF_MAXIMUM
from headgate_operator.stats.silence import log_probability_of_silence
from tests.bench.statistics.blocks import Looked, Settled, looks
from tests.bench.statistics.factors import odds_factors, rollback_factors
from tests.bench.statistics.world import Runs

ERRORS = Metric(name="errors", preset=MetricPreset.GATEWAY_ERRORS)
TOLERATED = ERRORS.tolerated_odds_ratio
METRICS = 2
"""α = 1 % is shared by two metrics, of which one is simulated."""
_MOST = 1e300

NEVER = np.iinfo(np.int64).max
Times = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Ends:
    """When each run was ended, in ticks, NEVER if it was not, and why."""

    runs: Runs
    worse: Times
    failing: Times

    @property
    def first(self) -> Times:
        """The first of both."""
        return np.minimum(self.worse, self.failing)

    @property
    def seconds(self) -> NDArray[np.float64]:
        """Seconds until the end; infinite if there was none."""
        return np.where(self.first == NEVER, np.inf, self.first * self.runs.plan.tick)

    @property
    def requests(self) -> NDArray[np.float64]:
        """Candidate requests until the end, discarded ones included; infinite if there was none."""
        seen = np.cumsum(self.runs.candidate_total, axis=1)
        last = np.minimum(self.first, seen.shape[1]) - 1
        return np.where(self.first == NEVER, np.inf, seen[np.arange(len(seen)), last])


def bound(metrics: int = METRICS) -> float:
    """E-value at which one of so many metrics rolls back."""
    return metrics / 0.01


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Runs as they are seen poll by poll: drawn once and cut into blocks once, for all rules."""

    runs: Runs
    looks: list[Settled | Looked]

    @classmethod
    def of(cls, runs: Runs) -> Self:
        """Cut runs into blocks."""
        return cls(runs=runs, looks=list(looks(runs)))

    @cached_property
    def blocks(self) -> list[Settled]:
        """The closed blocks."""
        return [one for one in self.looks if isinstance(one, Settled)]

    @cached_property
    def counts(self) -> list[NDArray[np.int64]]:
        """Counts of all blocks, in their order: requests of the candidate and stable, bad ones of the candidate and stable."""
        nothing = [np.zeros(0, np.int64)]
        return [np.concatenate([getattr(one, name) for one in self.blocks] or nothing) for name in _COUNTS]


def headgate(seen: Seen, *, metrics: int = METRICS, restarted_pod: bool = False) -> Ends:
    """Roll back on evidence or hard failure. After a pod restart a hard failure only suspends, and the comparison goes on."""
    return Ends(runs=seen.runs, worse=_worse(seen, metrics), failing=_never(seen.runs) if restarted_pod else _all_failing(seen))


def _never(runs: Runs) -> Times:
    return np.full(runs.count, NEVER, dtype=np.int64)


def _first(times: Times, run: NDArray[np.int64], reached: NDArray[np.bool_], tick: int) -> None:
    chosen = run[reached]
    times[chosen] = np.minimum(times[chosen], tick)


def _worse(seen: Seen, metrics: int) -> Times:
    runs, factors = seen.runs, np.exp(rollback_factors(*seen.counts, tolerated=TOLERATED))
    wealth = np.full((runs.count, factors.shape[1]), math.exp(started_share(1)))
    started, times, at = np.ones(runs.count, dtype=np.int64), _never(runs), 0
    shares = np.exp([started_share(k) for k in range(1, 2000)])
    unspent = np.exp([log_unspent(k) for k in range(2000)])
    for one in seen.blocks:
        rows, at = slice(at, at + len(one.run)), at + len(one.run)
        if one.fresh.any():
            fresh = one.run[one.fresh]
            wealth[fresh] += shares[started[fresh]][:, None]
            started[fresh] += 1
        wealth[one.run] = np.minimum(wealth[one.run] * factors[rows], _MOST)
        _first(times, one.run, wealth[one.run].mean(axis=1) + unspent[started[one.run]] >= bound(metrics), one.ended)
    return times


_COUNTS = ("candidate_total", "stable_total", "candidate_bad", "stable_bad")


def _all_failing(seen: Seen) -> Times:
    runs = seen.runs
    times, streak, served = _never(runs), np.zeros((4, runs.count), dtype=np.int64), np.zeros(runs.count, bool)
    changes, weight = np.flatnonzero(np.diff(runs.plan.weight)) + 1, 0
    for one in seen.looks:
        present = int(np.searchsorted(changes, one.ended - 1, side="right"))
        if present != weight:
            weight, streak[:] = present, 0
        share = runs.plan.weight[one.ended - 1]
        if isinstance(one, Looked):
            longer = _longer(streak[:, one.run], *one.counts)
            convicted = _never_served(longer, one.outlasting, share)
        else:
            counts = one.candidate_total, one.candidate_bad, one.stable_total, one.stable_bad
            longer = streak[:, one.run] = _longer(streak[:, one.run], *counts)
            served[one.run] |= one.candidate_bad < one.candidate_total
            convicted = _long(longer) | (~served[one.run] & _never_served(longer, one.outlasting, share))
        _first(times, one.run, convicted, one.ended)
    return times


def _longer(streak: Times, requests: Times, bad: Times, stable: Times, stable_bad: Times) -> Times:
    """Extend streaks (requests, blocks, bad answers of stable, its requests) by a block each."""
    goes_on = (bad == requests) & ((requests > 0) | (streak[0] > 0))
    return np.where(goes_on, streak + np.stack([requests, requests > 0, stable_bad, stable]), 0)


def _long(streak: NDArray[np.int64]) -> NDArray[np.bool_]:
    requests, number, _, stable_total = streak
    return (requests >= STREAK_REQUESTS) & (number >= STREAK_BLOCKS) & (stable_total >= STREAK_REQUESTS) & _stable_serves(streak)


def _never_served(streak: NDArray[np.int64], outlasting: NDArray[np.bool_], share: float) -> NDArray[np.bool_]:
    requests, number, stable_bad, stable_total = streak
    gain, loss = (log_evidence_of_first_failures(*bad, share=share, tolerated=TOLERATED) for bad in ((2, 0), (0, 1)))
    enough = (requests >= FIRST_FAILURES) & ((requests - 1) * gain + stable_bad * loss >= FIRST_FAILURES_BOUND)
    alone = stable_total * log_probability_of_silence(share, 1) <= LOG_ONLY_A_BURST
    return enough & alone & ((number >= STREAK_BLOCKS) | outlasting) & _stable_serves(streak)


def _stable_serves(streak: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.asarray(streak[2] < STABLE_SERVES_BELOW * streak[3])


def promotion(seen: Seen, *, maximum: float = 0.02) -> Ends:
    """Promote when the evidence allows it, whatever the step."""
    runs, counts = seen.runs, seen.counts
    odds, share = odds_factors(*counts), _share_factors(counts[0], counts[2], maximum)
    log_odds, log_share = np.zeros((runs.count, odds.shape[1])), np.zeros((runs.count, share.shape[1]))
    times, at = _never(runs), 0
    for one in seen.blocks:
        rows, at = slice(at, at + len(one.run)), at + len(one.run)
        log_odds[one.run] += odds[rows]
        log_share[one.run] += share[rows]
        evidence = (np.exp(log_odds[one.run]).mean(axis=1) + np.exp(log_share[one.run]).mean(axis=1)) / 2
        _first(times, one.run, evidence >= 20, one.ended)
    return Ends(runs=runs, worse=_never(runs), failing=times)


def _share_factors(total: NDArray[np.int64], bad: NDArray[np.int64], maximum: float) -> NDArray[np.float64]:
    columns = []
    for part in PARTS_OF_MAXIMUM:
        lost = np.where(bad > 0, -np.inf, 0.0) if part == 0 else bad * math.log(part)
        columns.append(lost + (total - bad) * (math.log1p(-part * maximum) - math.log1p(-maximum)))
    return np.stack(columns, axis=1)


def flagger(runs: Runs) -> Ends:
    """Success rate below 99 % in five checks of 60 s; a check without data has failed."""
    each = runs.plan.ticks(60)
    checks = len(runs.plan.weight) // each
    total, bad = (
        one[:, : checks * each].reshape(runs.count, checks, each).sum(axis=2) for one in (runs.candidate_total, runs.candidate_bad)
    )
    failed = np.cumsum((total == 0) | (bad > 0.01 * total), axis=1) >= 5
    times = np.where(failed.any(axis=1), (np.argmax(failed, axis=1) + 1) * each, NEVER)
    return Ends(runs=runs, worse=times, failing=_never(runs))


def peeked_z(seen: Seen) -> Ends:
    """One-sided two-proportion z-test on everything so far, at 1 %, after every block."""
    runs, limit, times = seen.runs, NormalDist().inv_cdf(0.99), _never(seen.runs)
    so_far = np.zeros((4, runs.count))
    for one in seen.blocks:
        so_far[:, one.run] += np.stack([getattr(one, name) for name in _COUNTS])
        total_c, total_s, bad_c, bad_s = so_far[:, one.run]
        with np.errstate(divide="ignore", invalid="ignore"):
            pooled = (bad_c + bad_s) / (total_c + total_s)
            error = np.sqrt(pooled * (1 - pooled) * (1 / total_c + 1 / total_s))
            _first(times, one.run, (bad_c / total_c - bad_s / total_s) / error > limit, one.ended)
    return Ends(runs=runs, worse=times, failing=_never(runs))
