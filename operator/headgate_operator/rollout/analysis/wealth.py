"""The evidence of one metric between status and statistics, and what a restart or another block does to it."""

import hashlib
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from headgate_operator.api.spec import Metric
from headgate_operator.api.status import MetricStatus, Mixture
from headgate_operator.stats.block import Block
from headgate_operator.stats.capital import with_another
from headgate_operator.stats.objective import fresh_objective, log_objective_evidence, objective_after
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
        return PromotionEvidence(maximum=metric.good_enough)
    odds, share = stored.promotion[: len(ODDS_RATIOS)], stored.promotion[len(ODDS_RATIOS) :]
    return PromotionEvidence(maximum=metric.good_enough, log_odds=tuple(odds), log_share=tuple(share))


def objective_evidence(mixture: Mixture | None) -> float:
    """Natural log of the e-value against the absolute objective; 0 without one."""
    return log_objective_evidence(mixture.objective, mixture.started) if mixture else 0.0


def restart_mixture(mixture: Mixture, *, at: datetime) -> Mixture:
    """Start one more mixture, unless the newest has not counted a block yet and is as good as new."""
    if mixture.untouched:
        return mixture.model_copy(update={"since": _whole_seconds(at)})
    number = mixture.started + 1
    return Mixture(
        since=_whole_seconds(at),
        started=number,
        untouched=True,
        log_wealth=list(with_another(mixture.log_wealth, number)),
        objective=list(with_another(mixture.objective, number)),
    )


def count_block(metric: Metric, mixture: Mixture | None, block: Block, *, faults: int, began: datetime) -> Mixture:
    """Add one block that began at `began`; a mixture that is an hour old by then gets a fresh one beside it first.

    `faults` are the candidate's bad answers as the objective counts them.

    Restarts depend on when a block began, never on what was counted in it, else the evidence would lose its guarantee.
    """
    if mixture is not None and began - mixture.since >= RESTART_AFTER:
        mixture = restart_mixture(mixture, at=began)
    evidence = rollback_evidence(metric, mixture).after(block)
    return Mixture(
        since=mixture.since if mixture else _whole_seconds(began),
        started=evidence.started,
        untouched=False,
        log_wealth=list(evidence.log_wealth),
        objective=_objective(metric, mixture, block, faults),
    )


def _objective(metric: Metric, mixture: Mixture | None, block: Block, faults: int) -> list[float]:
    if metric.maximum is None:
        return []
    begun = mixture.objective if mixture else fresh_objective()
    return list(objective_after(begun, faults, block.candidate_total, metric.maximum))


def _whole_seconds(at: datetime) -> datetime:
    return at.replace(microsecond=0)


@lru_cache(maxsize=256)
def definition(metric: Metric) -> str:
    """Name what evidence is about: evidence for another tolerance, bound or maximum answers another question."""
    what = str(metric.preset) if metric.preset is not None else f"queries {_digest(metric)}"
    bound = f" slower than {metric.slower_than / timedelta(milliseconds=1):g}ms" if metric.slower_than else ""
    objective = f"objective {metric.maximum:g}" if metric.maximum is not None else f"good enough below {metric.good_enough:g}"
    return f"{what}{bound}, tolerated odds ratio {metric.tolerated_odds_ratio:g}, {objective}"


def _digest(metric: Metric) -> str:
    """Name two queries shortly."""
    assert metric.prometheus is not None, f"rule: {metric.name} has neither preset nor queries"
    return hashlib.sha256(f"{metric.prometheus.bad}\0{metric.prometheus.total}".encode()).hexdigest()[:12]
