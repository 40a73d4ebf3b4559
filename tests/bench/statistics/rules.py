"""Three ways to judge the same runs: Headgate's evidence, Flagger's rule, and a z-test that is looked at after every block.

Headgate's part is the operator's own rules on arrays of runs, so that thousands of runs are affordable; tests/unit/stats/test_bench.py
compares it with the operator's code run by run. demo.py drives the whole `analyse`.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from headgate_operator.api.spec import Metric, MetricPreset
from headgate_operator.rollout.analysis.failing import STABLE_SERVES_BELOW, STREAK_BLOCKS, STREAK_REQUESTS, fewest_failures
from headgate_operator.stats.capital import log_unspent, started_share
from headgate_operator.stats.promotion import PARTS_OF_MAXIMUM
from tests.bench.statistics.blocks import Kept, Looked, blocks, looks
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


def headgate(runs: Runs, *, metrics: int = METRICS, restarted_pod: bool = False) -> Ends:
    """Roll back on evidence or hard failure. After a pod restart a hard failure only suspends, and the comparison goes on."""
    seen = list(looks(runs))
    kept = [one for one in seen if isinstance(one, Kept)]
    return Ends(runs=runs, worse=_worse(runs, kept, metrics), failing=_never(runs) if restarted_pod else _all_failing(runs, seen))


def _never(runs: Runs) -> Times:
    return np.full(runs.count, NEVER, dtype=np.int64)


def _first(times: Times, run: NDArray[np.int64], reached: NDArray[np.bool_], tick: int) -> None:
    chosen = run[reached]
    times[chosen] = np.minimum(times[chosen], tick)


def _worse(runs: Runs, kept: list[Kept], metrics: int) -> Times:
    factors = np.exp(rollback_factors(*_all_counts(kept), tolerated=TOLERATED))
    wealth = np.full((runs.count, factors.shape[1]), math.exp(started_share(1)))
    started, times, at = np.ones(runs.count, dtype=np.int64), _never(runs), 0
    shares = np.exp([started_share(k) for k in range(1, 2000)])
    unspent = np.exp([log_unspent(k) for k in range(2000)])
    for one in kept:
        rows, at = slice(at, at + len(one.run)), at + len(one.run)
        if one.fresh.any():
            fresh = one.run[one.fresh]
            wealth[fresh] += shares[started[fresh]][:, None]
            started[fresh] += 1
        wealth[one.run] = np.minimum(wealth[one.run] * factors[rows], _MOST)
        _first(times, one.run, wealth[one.run].mean(axis=1) + unspent[started[one.run]] >= bound(metrics), one.ended)
    return times


def _all_counts(kept: list[Kept]) -> list[NDArray[np.int64]]:
    """Counts of all blocks, in the order of `kept`."""
    nothing = [np.zeros(0, np.int64)]
    return [np.concatenate([getattr(one, name) for one in kept] or nothing) for name in _COUNTS]


_COUNTS = ("candidate_total", "stable_total", "candidate_bad", "stable_bad")


def _all_failing(runs: Runs, seen: list[Kept | Looked]) -> Times:
    times, streak, served = _never(runs), np.zeros((4, runs.count), dtype=np.int64), np.zeros(runs.count, bool)
    changes, weight = np.flatnonzero(np.diff(runs.plan.weight)) + 1, 0
    for one in seen:
        present = int(np.searchsorted(changes, one.ended - 1, side="right"))
        if present != weight:
            weight, streak[:] = present, 0
        share = runs.plan.weight[one.ended - 1]
        if isinstance(one, Looked):
            requests, bad, stable, stable_bad = one.counts
            longer = streak[:, one.run] + np.stack([requests, np.ones_like(requests), stable_bad, stable])
            convicted = (bad == requests) & _never_served(longer, one.outlasting, share)
        else:
            failed = one.candidate_bad == one.candidate_total
            added = np.stack([one.candidate_total, np.ones_like(one.run), one.stable_bad, one.stable_total])
            longer = streak[:, one.run] = np.where(failed, streak[:, one.run] + added, 0)
            served[one.run] |= ~failed
            convicted = _long(longer) | (~served[one.run] & _never_served(longer, one.outlasting, share))
        _first(times, one.run, convicted, one.ended)
    return times


def _long(streak: NDArray[np.int64]) -> NDArray[np.bool_]:
    requests, number, _, stable_total = streak
    return (requests >= STREAK_REQUESTS) & (number >= STREAK_BLOCKS) & (stable_total >= STREAK_REQUESTS) & _stable_serves(streak)


def _never_served(streak: NDArray[np.int64], outlasting: NDArray[np.bool_], share: float) -> NDArray[np.bool_]:
    requests, number, _, stable_total = streak
    enough = np.minimum(requests, stable_total * share / (1 - share)) >= fewest_failures(TOLERATED)
    return enough & ((number >= STREAK_BLOCKS) | outlasting) & _stable_serves(streak)


def _stable_serves(streak: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.asarray(streak[2] < STABLE_SERVES_BELOW * streak[3])


def promotion(runs: Runs, *, maximum: float = 0.02) -> Ends:
    """Promote when the evidence allows it, whatever the step."""
    kept = blocks(runs)
    counts = _all_counts(kept)
    odds, share = odds_factors(*counts), _share_factors(counts[0], counts[2], maximum)
    log_odds, log_share = np.zeros((runs.count, odds.shape[1])), np.zeros((runs.count, share.shape[1]))
    times, at = _never(runs), 0
    for one in kept:
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


def peeked_z(runs: Runs) -> Ends:
    """One-sided two-proportion z-test on everything so far, at 1 %, after every block."""
    limit, times = NormalDist().inv_cdf(0.99), _never(runs)
    so_far = np.zeros((4, runs.count))
    for one in blocks(runs):
        so_far[:, one.run] += np.stack([getattr(one, name) for name in _COUNTS])
        total_c, total_s, bad_c, bad_s = so_far[:, one.run]
        with np.errstate(divide="ignore", invalid="ignore"):
            pooled = (bad_c + bad_s) / (total_c + total_s)
            error = np.sqrt(pooled * (1 - pooled) * (1 / total_c + 1 / total_s))
            _first(times, one.run, (bad_c / total_c - bad_s / total_s) / error > limit, one.ended)
    return Ends(runs=runs, worse=times, failing=_never(runs))
