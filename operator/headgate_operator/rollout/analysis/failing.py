"""Hard failures: every recent answer of the candidate is bad while stable serves well. Found by counting, long before evidence is.

Two rules. The first convicts at any time, on at least 20 candidate requests in a row, over at least two blocks: more than a burst of
correlated errors or a blip of some seconds can be. The second asks for fewer, of a candidate that has *never* given a good answer since
its first traffic, and looks at the open block too, for nobody should have to wait for blocks to close when nothing works at all.

Why few are enough for the second: as long as stable fails less than 20 %, a version within the tolerated odds ratio fails each request
with probability p < 20 % · ψ0 / (80 % + 20 % · ψ0), and the fewest n with p^n < 10⁻³ are asked for, 5 at ψ0 = 1.25. This can happen only
once in a rollout: the first good answer ends it for good. Against one client whose failures come in a burst, stable's traffic must
promise as many requests to the candidate as are asked for: then a good version had all its other requests fail to arrive, e⁻⁵, at the
very time of the burst.
"""

import math
from functools import lru_cache
from typing import Final

from headgate_operator.api.spec import Metric, MetricPreset
from headgate_operator.api.status import FailStreak, MetricStatus
from headgate_operator.rollout.analysis.blocks import Closing
from headgate_operator.stats.block import Block

STREAK_REQUESTS: Final = 20
STREAK_BLOCKS: Final = 2
STABLE_SERVES_BELOW: Final = 0.2
"""Bad share of stable from which on a failing candidate says more about the world than about itself."""

_IMPROBABLE: Final = 1e-3
"""Largest chance that a tolerable version fails its first requests, all of them."""


def longer_streak(streak: FailStreak, block: Block) -> FailStreak:
    """Extend the streak by a block whose candidate requests all failed; any good answer ends it, as their order in a block is unknown."""
    if block.candidate_bad < block.candidate_total:
        return FailStreak()
    return FailStreak(
        requests=streak.requests + block.candidate_total,
        blocks=streak.blocks + 1,
        stable_bad=streak.stable_bad + block.stable_bad,
        stable_total=streak.stable_total + block.stable_total,
    )


def failing(metric: Metric, state: MetricStatus) -> bool:
    """Whether the newest block, or more of them, was all failures of the candidate while stable served well."""
    streak = state.fail_streak
    return metric.preset is MetricPreset.GATEWAY_ERRORS and streak.requests > 0 and _stable_serves(streak)


def all_failing(metric: Metric, state: MetricStatus, closing: Closing, weight: int) -> FailStreak | None:
    """Return the streak that convicts the candidate, if it is long enough; `weight` is the candidate's, in percent."""
    if metric.preset is not MetricPreset.GATEWAY_ERRORS:
        return None
    return state.fail_streak if is_conviction(state.fail_streak) else _never_served(metric, state, closing, weight)


def is_conviction(streak: FailStreak) -> bool:
    """Whether a streak convicts by its length alone, whatever the candidate did before."""
    long = streak.requests >= STREAK_REQUESTS and streak.blocks >= STREAK_BLOCKS
    return long and streak.stable_total >= STREAK_REQUESTS and _stable_serves(streak)


def _never_served(metric: Metric, state: MetricStatus, closing: Closing, weight: int) -> FailStreak | None:
    if state.discard_next or state.bad.candidate < state.total.candidate:
        return None
    streak = state.fail_streak
    if closing.open is not None and closing.open.candidate_total:
        streak = longer_streak(streak, closing.open)
    fewest = fewest_failures(metric.tolerated_odds_ratio)
    promised = streak.stable_total * weight / (100 - weight) if weight < 100 else 0
    enough = min(streak.requests, promised) >= fewest and (streak.blocks >= STREAK_BLOCKS or closing.outlasts_a_poll)
    return streak if enough and _stable_serves(streak) else None


@lru_cache(maxsize=64)
def fewest_failures(tolerated: float) -> int:
    """Return how many first requests a version within this odds ratio of stable fails with a probability below one in a thousand."""
    odds = tolerated * STABLE_SERVES_BELOW / (1 - STABLE_SERVES_BELOW)
    return min(math.ceil(math.log(_IMPROBABLE) / math.log(odds / (1 + odds))), STREAK_REQUESTS)


def _stable_serves(streak: FailStreak) -> bool:
    return streak.stable_bad < STABLE_SERVES_BELOW * streak.stable_total
