"""Hard failures: every recent answer of the candidate is bad while stable serves well. Found by counting, long before evidence is.

Two rules. Both want stable to fail less than 20 % meanwhile, and forget at a change of weight what was before it.

The first convicts at any time, on at least 20 candidate requests in a row, over at least two blocks: more than a burst of correlated errors
or a blip of some seconds can be. That an equally good version has all 20 while stable has less than 20 % of at least as many is no chance.

The second asks for fewer, of a candidate that has *never* given a good answer since its first traffic, and looks at the open block too, for
nobody should have to wait for blocks to close when nothing works at all. It convicts only if all of this holds:

- the e-process of stats/first_failures.py is at 1/α with α = 0.1 %. So a version within the tolerated odds ratio is convicted with a
  probability of at most 0.1 % each time its traffic begins, before it has ever answered well: at any base rate, however it moves, at any
  number of looks. Besides the start of the rollout that is after a suspension or an outage of stable. This is on top of falseRollbackRate;
- it has a weight: a mirror's copies are not routed by a coin, and nobody waits for their answers;
- five failures over two polls: one request and its retries, or what fails within a moment, is not enough;
- the candidate cannot have had its own share of requests: one client whose failures all come to one version, in a burst, is not routed
  request by request, and the proof is not about it. So without that client's the candidate must have got none, although stable got so many
  that this has a probability of at most 1 %. That bounds false convictions even if such a burst is certain to come at the very beginning.

What no count can tell from a version that never works is one that fails everything for its first ten seconds or so although its pods are
ready. A pod that restarted or is unready suspends the candidate instead of refusing it (evidence.py).
"""

import math
from typing import Final

from headgate_operator.api.spec import Metric, MetricPreset
from headgate_operator.api.status import FailStreak, MetricStatus
from headgate_operator.rollout.analysis.blocks import Closing
from headgate_operator.stats.block import Block
from headgate_operator.stats.first_failures import log_evidence_of_first_failures
from headgate_operator.stats.silence import log_probability_of_silence

STREAK_REQUESTS: Final = 20
STREAK_BLOCKS: Final = 2
STABLE_SERVES_BELOW: Final = 0.2
"""Bad share of stable from which on a failing candidate says more about the world than about itself."""

FIRST_FAILURES: Final = 5
FIRST_FAILURES_BOUND: Final = math.log(1000)
LOG_ONLY_A_BURST: Final = math.log(0.01)
"""Natural log of the largest chance that the candidate got nothing but one client's burst."""


def longer_streak(streak: FailStreak, block: Block) -> FailStreak:
    """Extend the streak by a block whose candidate requests all failed; any good answer ends it, as their order in a block is unknown.

    Blocks without a candidate request begin none, but in one that goes on they tell what stable did meanwhile: to leave those out, in which
    only stable failed, would let chance look like guilt.
    """
    if block.candidate_bad < block.candidate_total:
        return FailStreak()
    if not block.candidate_total and not streak.requests:
        return streak
    return FailStreak(
        requests=streak.requests + block.candidate_total,
        blocks=streak.blocks + (block.candidate_total > 0),
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
    if is_conviction(state.fail_streak):
        return state.fail_streak
    if state.discard_next or state.bad.candidate < state.total.candidate:
        return None
    streak = longer_streak(state.fail_streak, closing.open) if closing.open is not None else state.fail_streak
    return streak if has_never_served(metric, streak, weight, outlasts_a_poll=closing.outlasts_a_poll) else None


def is_conviction(streak: FailStreak) -> bool:
    """Whether a streak convicts by its length alone, whatever the candidate did before."""
    long = streak.requests >= STREAK_REQUESTS and streak.blocks >= STREAK_BLOCKS
    return long and streak.stable_total >= STREAK_REQUESTS and _stable_serves(streak)


def has_never_served(metric: Metric, streak: FailStreak, weight: int, *, outlasts_a_poll: bool) -> bool:
    """Whether a streak convicts a candidate that has nothing else to its name; `outlasts_a_poll` is that of its last block."""
    if not weight or streak.requests < FIRST_FAILURES or not (streak.blocks >= STREAK_BLOCKS or outlasts_a_poll):
        return False
    share, tolerated = weight / 100, metric.tolerated_odds_ratio
    evidence = log_evidence_of_first_failures(streak.requests, streak.stable_bad, share=share, tolerated=tolerated)
    if evidence < FIRST_FAILURES_BOUND:  # always so at 100 %, where nothing runs beside it
        return False
    return _stable_serves(streak) and log_probability_of_silence(share, streak.stable_total) <= LOG_ONLY_A_BURST


def _stable_serves(streak: FailStreak) -> bool:
    return streak.stable_bad < STABLE_SERVES_BELOW * streak.stable_total
