"""The evidence of one metric between status and statistics, and what a restart or another block does to it."""

from datetime import datetime, timedelta
from typing import Final

from headgate_operator.api.spec import Metric
from headgate_operator.api.status import MetricStatus, Mixture
from headgate_operator.stats.block import Block
from headgate_operator.stats.promotion import ODDS_RATIOS, PromotionEvidence
from headgate_operator.stats.rollback import RollbackEvidence

RESTART_AFTER: Final = timedelta(hours=1)
"""In a long canary a fresh mixture starts this often, besides at every change of weight."""


def rollback_evidence(metric: Metric, mixture: Mixture | None) -> RollbackEvidence:
    """Read the stored rollback evidence, or begin it."""
    tolerated = metric.tolerated_odds_ratio
    if mixture is None:
        return RollbackEvidence.fresh(tolerated)
    return RollbackEvidence(tolerated=tolerated, started=mixture.started, log_wealth=tuple(mixture.log_wealth))


def promotion_evidence(metric: Metric, stored: MetricStatus) -> PromotionEvidence:
    """Read the stored promotion evidence, or begin it."""
    if not stored.promotion:
        return PromotionEvidence(maximum=metric.maximum)
    border = len(ODDS_RATIOS)
    return PromotionEvidence(maximum=metric.maximum, log_odds=tuple(stored.promotion[:border]), log_share=tuple(stored.promotion[border:]))


def restart_mixture(mixture: Mixture, *, at: datetime) -> Mixture:
    """Start one more mixture, unless the newest has not counted a block yet and is as good as new."""
    if mixture.untouched:
        return mixture.model_copy(update={"since": _whole_seconds(at)})
    evidence = _stored(mixture).restarted()
    return Mixture(since=_whole_seconds(at), started=evidence.started, untouched=True, log_wealth=list(evidence.log_wealth))


def count_block(metric: Metric, mixture: Mixture | None, block: Block, *, began: datetime) -> Mixture:
    """Add one block that began at `began`; a mixture that is an hour old by then gets a fresh one beside it first.

    Restarts depend on when a block began, never on what was counted in it, else the evidence would lose its guarantee.
    """
    if mixture is not None and began - mixture.since >= RESTART_AFTER:
        mixture = restart_mixture(mixture, at=began)
    evidence = rollback_evidence(metric, mixture).after(block)
    since = mixture.since if mixture else _whole_seconds(began)
    return Mixture(since=since, started=evidence.started, untouched=False, log_wealth=list(evidence.log_wealth))


def _stored(mixture: Mixture) -> RollbackEvidence:
    """Restarting needs no tolerance, only as many components as there are."""
    return RollbackEvidence(tolerated=0, started=mixture.started, log_wealth=tuple(mixture.log_wealth))


def _whole_seconds(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def definition(metric: Metric) -> str:
    """Name what evidence is about: evidence for another tolerance, bound or maximum answers another question."""
    bound = f" slower than {metric.slower_than / timedelta(milliseconds=1):g}ms" if metric.slower_than else ""
    return f"{metric.preset}{bound}, tolerated odds ratio {metric.tolerated_odds_ratio:g}, maximum {metric.maximum:g}"
