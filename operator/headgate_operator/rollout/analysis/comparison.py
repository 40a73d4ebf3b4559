"""A comparison begins with a candidate's first traffic and goes on, evidence and all, through every change of weight."""

from datetime import datetime

from headgate_operator.api.status import AnalysisStatus, FailStreak, MetricStatus, SideCounts
from headgate_operator.rollout.analysis import wealth


def begin(*, candidate: str, candidate_slot: int, stable_slot: int, weight: int, mirror: int = 0) -> AnalysisStatus:
    """Start a comparison without any evidence, for the revision `candidate` at its first weight, or mirror, in percent.

    Give the reading of the same pass to `analyse` at once: it becomes the baseline, and waiting for the next poll would waste one.
    """
    return AnalysisStatus(candidate=candidate, candidate_slot=candidate_slot, stable_slot=stable_slot, weight=weight, mirror=mirror)


def reweigh(status: AnalysisStatus, *, weight: int, now: datetime, mirror: int = 0, candidate_slot: int | None = None) -> AnalysisStatus:
    """Go on at another weight or mirror: evidence stays, open blocks and baselines go, the next block is discarded, a mixture starts.

    `candidate_slot` is where its requests are counted from now on, if that changes: a mirrored version's copies are counted elsewhere.

    Call it for every change of the weight in effect, also for the way back from weight 0, and then `analyse` as after `begin`.
    """
    metrics = [_reweigh_metric(metric, now) for metric in status.metrics]
    return status.model_copy(
        update={
            "candidate_slot": status.candidate_slot if candidate_slot is None else candidate_slot,
            "weight": weight,
            "mirror": mirror,
            "silent_requests": 0,
            "split": SideCounts(),
            "samples": [],
            "metrics": metrics,
        }
    )


def _reweigh_metric(metric: MetricStatus, now: datetime) -> MetricStatus:
    mixture = metric.mixture and wealth.restart_mixture(metric.mixture, at=now)
    return metric.model_copy(update={"discard_next": True, "fail_streak": FailStreak(), "mixture": mixture})
