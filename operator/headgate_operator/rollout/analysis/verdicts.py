"""What one metric's evidence and its counts say."""

import math

from headgate_operator.api.spec import Analysis as AnalysisSettings
from headgate_operator.api.spec import Metric
from headgate_operator.api.status import MetricStatus, SideCounts, Verdict
from headgate_operator.rollout.analysis import wealth, wording
from headgate_operator.rollout.analysis.blocks import Closing
from headgate_operator.rollout.analysis.failing import longer_streak
from headgate_operator.stats.block import Block
from headgate_operator.stats.outlook import requests_until_promotion, requests_until_rollback


def rollback_bound(settings: AnalysisSettings) -> float:
    """Natural log of 1/α of one metric; all metrics may roll back, so they share the rate."""
    return math.log(len(settings.metrics) / settings.false_rollback_rate)


def promotion_bound(settings: AnalysisSettings) -> float:
    """Natural log of 1/β."""
    return -math.log1p(-settings.promotion_confidence)


def fresh(settings: AnalysisSettings, metric: Metric, definition: str) -> MetricStatus:
    """Begin a metric's evidence."""
    state = MetricStatus(name=metric.name, definition=definition, bound=rollback_bound(settings), promotion_bound=promotion_bound(settings))
    return state.model_copy(update={"message": message(metric, state, state.verdict)})


def verdict(settings: AnalysisSettings, state: MetricStatus) -> Verdict:
    """Judge the evidence. In one block Worse beats promotion; without a block evidence is 0 and all bounds are above it.

    A missed objective keeps a version from being promoted, and convicts nobody: when both versions are ill, the world is ill.
    """
    if state.evidence >= rollback_bound(settings):
        return Verdict.WORSE
    if state.objective_evidence >= rollback_bound(settings):
        return Verdict.OBJECTIVE_MISSED
    if state.promotion_evidence >= promotion_bound(settings):
        return Verdict.NOT_WORSE
    return Verdict.UNDECIDED


def judged(settings: AnalysisSettings, metric: Metric, state: MetricStatus, block: Block, closing: Closing) -> MetricStatus:
    """Add a block to the evidence, and derive from it what people and `decide` read: evidence, bounds, verdict, outlook, message."""
    assert closing.began is not None
    mixture = wealth.count_block(metric, state.mixture, block, faults=closing.faults, began=closing.began)
    rollback, promotion = wealth.rollback_evidence(metric, mixture), wealth.promotion_evidence(metric, state).after(block)
    bound, promotable_at = rollback_bound(settings), promotion_bound(settings)
    so_far = _counted(state) + block
    state = state.model_copy(
        update={
            "last_block_end": closing.ended,
            "mixture": mixture,
            "promotion": [*promotion.log_odds, *promotion.log_share],
            "fail_streak": longer_streak(state.fail_streak, block),
            "faults": state.faults + closing.faults,
            "bad": SideCounts(candidate=so_far.candidate_bad, stable=so_far.stable_bad),
            "total": SideCounts(candidate=so_far.candidate_total, stable=so_far.stable_total),
            "evidence": rollback.log_evidence,
            "bound": bound,
            "objective_evidence": wealth.objective_evidence(mixture),
            "promotion_evidence": promotion.log_evidence,
            "promotion_bound": promotable_at,
            "requests_needed": _soonest(
                requests_until_promotion(promotion, promotable_at, so_far=so_far),
                requests_until_rollback(rollback, bound, so_far=so_far, block_size=block.candidate_total),
            ),
        }
    )
    found = verdict(settings, state)
    return state.model_copy(update={"verdict": found, "message": message(metric, state, found)})


def message(metric: Metric, state: MetricStatus, found: Verdict) -> str:
    """Put a verdict about counted requests into words."""
    if found is Verdict.WORSE:
        return wording.worse_or_open(metric, state)
    if found is Verdict.OBJECTIVE_MISSED:
        return wording.objective_missed(metric, state)
    if found is Verdict.NOT_WORSE:
        return wording.not_worse(metric, state)
    return wording.undecided(metric, state)


def _counted(state: MetricStatus) -> Block:
    return Block(
        candidate_bad=state.bad.candidate,
        candidate_total=state.total.candidate,
        stable_bad=state.bad.stable,
        stable_total=state.total.stable,
    )


def _soonest(*decisions: int | None) -> int | None:
    return min((requests for requests in decisions if requests is not None), default=None)
