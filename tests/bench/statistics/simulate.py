"""Many runs of one plan judged by every rule, in chunks that fit into memory, on all cores."""

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tests.bench.statistics import rules
from tests.bench.statistics.rules import Ends, Seen
from tests.bench.statistics.world import Plan, play

_CELLS = 5_000_000
"""Runs times ticks in one chunk."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One value a run: when each rule ended it in seconds, infinite if it did not, and how many candidate requests that took."""

    worse: Numbers
    failing: Numbers
    requests: Numbers
    flagger: Numbers
    peeked_z: Numbers
    promoted: Numbers
    """Seconds until the promotion evidence was there and nothing had rolled back."""
    promotion_requests: Numbers

    @property
    def seconds(self) -> Numbers:
        """When Headgate rolled back."""
        return np.minimum(self.worse, self.failing)


def simulate(pool: ProcessPoolExecutor, plan: Plan, runs: int, **how: bool | int) -> Judged:
    """Draw and judge so many runs; `how` goes to `_judge`. The same call gives the same result on any machine."""
    each = max(1, min(_CELLS // len(plan.weight), -(-runs // 2)))
    sizes = [min(each, runs - begin) for begin in range(0, runs, each)]
    parts = list(pool.map(partial(_judge, plan, **how), sizes, range(len(sizes))))
    return Judged(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in Judged.__dataclass_fields__})


def _judge(
    plan: Plan, runs: int, seed: int, *, metrics: int = 2, restarted_pod: bool = False, compare: bool = True, promote: bool = False
) -> Judged:
    seen = Seen.of(play(plan, runs, seed))
    ends = rules.headgate(seen, metrics=metrics, restarted_pod=restarted_pod)
    nothing = np.full(runs, np.inf)
    promoted = rules.promotion(seen) if promote else None
    return Judged(
        worse=_seconds(ends, ends.worse),
        failing=_seconds(ends, ends.failing),
        requests=ends.requests,
        flagger=rules.flagger(seen.runs).seconds if compare else nothing,
        peeked_z=rules.peeked_z(seen).seconds if compare else nothing,
        promoted=np.where(promoted.seconds < ends.seconds, promoted.seconds, np.inf) if promoted else nothing,
        promotion_requests=promoted.requests if promoted else nothing,
    )


def _seconds(ends: Ends, times: NDArray[np.int64]) -> Numbers:
    return np.where(times == rules.NEVER, np.inf, times * ends.runs.plan.tick)


def ended(values: Iterable[float]) -> float:
    """Share of runs that were ended, in percent."""
    return 100 * float(np.isfinite(np.asarray(values)).mean())


def within(values: Numbers, limit: float) -> float:
    """Share of runs that were ended by then, in percent."""
    return 100 * float((values <= limit).mean())


def middle(values: Numbers, quantile: float = 0.5) -> float:
    """A quantile over all runs; those that were not ended count as infinite."""
    return float(np.quantile(values, quantile, method="higher"))
