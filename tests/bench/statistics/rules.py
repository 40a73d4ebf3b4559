"""Three ways to judge the same run: Headgate's evidence, Flagger's rule, and a z-test that is looked at after every block.

Headgate's part is the operator's own code (stats, the streak and the block bounds of rollout/analysis); only the bookkeeping of proxies
is left out, so that thousands of runs are affordable. demo.py drives the whole `analyse`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from statistics import NormalDist

from tests.bench.statistics.world import TICK, Run

from headgate_operator.api.spec import Metric, MetricPreset
from headgate_operator.api.status import FailStreak, MetricStatus
from headgate_operator.rollout.analysis.blocks import ENOUGH_TO_CLOSE_EARLY, Length
from headgate_operator.rollout.analysis.verdicts import is_all_failing, longer_streak
from headgate_operator.stats.block import Block
from headgate_operator.stats.promotion import PromotionEvidence
from headgate_operator.stats.rollback import RollbackEvidence

ERRORS = Metric(name="errors", preset=MetricPreset.GATEWAY_ERRORS)
LENGTH = Length.of(timedelta(seconds=15))
ROLLBACK = math.log(2 / 0.01)
"""α = 1 % shared by two metrics, of which one is simulated."""
PROMOTION = -math.log(0.05)
HOUR = round(3600 / TICK)


@dataclass(frozen=True)
class Verdict:
    """When and why a run ended."""

    what: str
    """Worse, AllFailing, Promoted or Open."""
    seconds: float
    requests: int
    """Candidate requests until then, discarded ones included."""


@dataclass(frozen=True)
class Kept:
    """A closed block and when it ended."""

    block: Block
    ended: int
    fresh: bool
    """The first one after a change of weight, or an hour: a mixture starts."""


def blocks(run: Run) -> Iterator[Kept]:
    """Close blocks as the operator does; the first after a change of weight is discarded, and so are those without candidate requests."""
    begun, discard, fresh, mixture_since = 0, True, False, 0
    counts = [0, 0, 0, 0]
    for tick in range(len(run.weight)):
        if tick and run.weight[tick] != run.weight[tick - 1]:
            begun, discard, fresh, counts, mixture_since = tick, True, True, [0, 0, 0, 0], tick
        for index, series in enumerate((run.candidate_total, run.candidate_bad, run.stable_total, run.stable_bad)):
            counts[index] += series[tick]
        age = timedelta(seconds=TICK) * (tick + 1 - begun)
        if age < LENGTH.full and (age < LENGTH.shortest or counts[0] < ENOUGH_TO_CLOSE_EARLY):
            continue
        if not discard and counts[0]:
            if begun - mixture_since >= HOUR:
                fresh, mixture_since = True, begun
            block = Block(candidate_total=counts[0], candidate_bad=counts[1], stable_total=counts[2], stable_bad=counts[3])
            yield Kept(block, tick + 1, fresh)
            fresh = False
        begun, discard, counts = tick + 1, False, [0, 0, 0, 0]


def headgate(run: Run, *, restarted_pod: bool = False) -> Verdict:
    """Roll back on evidence or hard failure. After a pod restart a hard failure only suspends, and the comparison goes on."""
    evidence, state = RollbackEvidence.fresh(ERRORS.tolerated_odds_ratio), MetricStatus(name="errors")
    for kept in blocks(run):
        evidence = evidence.restarted() if kept.fresh else evidence
        if kept.block.bad:
            evidence = evidence.after(kept.block)
        state = state.model_copy(update={"fail_streak": longer_streak(state.fail_streak, kept.block)})
        if is_all_failing(ERRORS, state):
            if not restarted_pod:
                return _verdict("AllFailing", kept.ended, run)
            state = state.model_copy(update={"fail_streak": FailStreak()})
        if evidence.log_evidence >= ROLLBACK:
            return _verdict("Worse", kept.ended, run)
    return _verdict("Open", len(run.weight), run)


def promotion(run: Run, *, maximum: float = 0.02) -> Verdict:
    """Promote when the evidence allows it, whatever the step."""
    evidence = PromotionEvidence(maximum=maximum)
    for kept in blocks(run):
        evidence = evidence.after(kept.block)
        if evidence.log_evidence >= PROMOTION:
            return _verdict("Promoted", kept.ended, run)
    return _verdict("Open", len(run.weight), run)


def flagger(run: Run) -> Verdict:
    """Success rate below 99 % in five checks of 60 s; a check without data has failed."""
    failed, each = 0, round(60 / TICK)
    for end in range(each, len(run.weight) + 1, each):
        total, bad = sum(run.candidate_total[end - each : end]), sum(run.candidate_bad[end - each : end])
        failed += not total or bad / total > 0.01
        if failed >= 5:
            return _verdict("Worse", end, run)
    return _verdict("Open", len(run.weight), run)


def peeked_z(run: Run) -> Verdict:
    """One-sided two-proportion z-test on everything so far, at 1 %, after every block."""
    limit = NormalDist().inv_cdf(0.99)
    total_c = bad_c = total_s = bad_s = 0
    for kept in blocks(run):
        block = kept.block
        total_c, bad_c = total_c + block.candidate_total, bad_c + block.candidate_bad
        total_s, bad_s = total_s + block.stable_total, bad_s + block.stable_bad
        pooled = (bad_c + bad_s) / (total_c + total_s)
        if not total_s or pooled in (0, 1):
            continue
        error = math.sqrt(pooled * (1 - pooled) * (1 / total_c + 1 / total_s))
        if (bad_c / total_c - bad_s / total_s) / error > limit:
            return _verdict("Worse", kept.ended, run)
    return _verdict("Open", len(run.weight), run)


def _verdict(what: str, ended: int, run: Run) -> Verdict:
    return Verdict(what, ended * TICK, sum(run.candidate_total[:ended]))
