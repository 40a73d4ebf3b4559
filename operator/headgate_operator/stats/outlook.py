"""How many more requests until a decision, if everything goes on as it is? For people only; nothing is decided by it.

At present rates every log-wealth grows linearly with the candidate's requests. The slope is that of all counts so far taken as one large
block, which is close to the sum over the blocks, and is capped as a block of the present size would be.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from headgate_operator.stats.block import Block
from headgate_operator.stats.capital import log_unspent
from headgate_operator.stats.hypergeometric import log_g_of_many
from headgate_operator.stats.promotion import ODDS_RATIOS, TWICE_AS_BAD, PromotionEvidence, log_share_factors
from headgate_operator.stats.rollback import LOG_CAP, RollbackEvidence, alternatives

FARTHEST: Final = 1_000_000
"""Requests beyond which "never" is the better answer."""

_CLOSE_ENOUGH: Final = 0.5
"""Requests: a Newton step this short is the last."""


def requests_until_rollback(evidence: RollbackEvidence, bound: float, *, so_far: Block, block_size: int) -> int | None:
    """Expected candidate requests until ln E reaches `bound`; None if it is not on its way there.

    `so_far` are all counts of this comparison, `block_size` the candidate's requests in a block at present.
    """
    if evidence.log_evidence >= bound:
        return 0
    cap = LOG_CAP / block_size
    slopes = [min(slope, cap) for slope in _slopes(so_far, alternatives(evidence.tolerated), evidence.tolerated)]
    mean = math.log(len(slopes))
    return _first([*(wealth - mean for wealth in evidence.log_wealth), log_unspent(evidence.started)], [*slopes, 0.0], bound)


def requests_until_promotion(evidence: PromotionEvidence, bound: float, *, so_far: Block) -> int | None:
    """Expected candidate requests until the promotion evidence reaches `bound` (ln 1/β); None if it is not on its way there."""
    if evidence.log_evidence >= bound:
        return 0
    share = [factor / so_far.candidate_total for factor in log_share_factors(so_far, evidence.maximum)]
    halves = (evidence.log_odds, evidence.log_share)
    logs = [wealth - math.log(2 * len(half)) for half in halves for wealth in half]
    return _first(logs, [*_slopes(so_far, ODDS_RATIOS, TWICE_AS_BAD), *share], bound)


@lru_cache(maxsize=64)
def _slopes(so_far: Block, odds_ratios: tuple[float, ...], null: float) -> list[float]:
    """Growth of ln f(ψ) per candidate request, for every alternative to the odds ratio `null`."""
    bad, at_null = so_far.candidate_bad, log_g_of_many(so_far, null)
    gains = (bad * math.log(odds_ratio / null) + at_null - log_g_of_many(so_far, odds_ratio) for odds_ratio in odds_ratios)
    return [gain / so_far.candidate_total for gain in gains]


def _first(logs: Sequence[float], slopes: Sequence[float], bound: float) -> int | None:
    """Smallest number of requests at which ln Σ exp(log + slope · requests) reaches the bound.

    That sum is convex in the requests, so Newton's steps from where one term alone is beyond the bound come down to it and never pass it.
    """
    more = min(((bound - log) / slope for log, slope in zip(logs, slopes, strict=True) if slope > 0), default=math.inf)
    step = more
    while math.isfinite(more) and step > _CLOSE_ENOUGH:
        terms = [math.exp(log + slope * more - bound) for log, slope in zip(logs, slopes, strict=True)]
        total = math.fsum(terms)
        step = math.log(total) * total / math.fsum(term * slope for term, slope in zip(terms, slopes, strict=True))
        more -= step
    return math.ceil(more) if more <= FARTHEST else None
