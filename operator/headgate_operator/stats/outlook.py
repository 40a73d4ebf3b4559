"""How many more requests until a decision, if everything goes on as it is? For people only; nothing is decided by it.

At present rates every log-wealth grows linearly with the candidate's requests. The slope is that of all counts so far taken as one block,
which is close to the sum over the blocks, and is capped as a block of the present size would be.
"""

from collections.abc import Callable, Sequence
from typing import Final

from headgate_operator.stats.block import Block
from headgate_operator.stats.capital import log_e_value
from headgate_operator.stats.logarithms import grown, log_mean
from headgate_operator.stats.promotion import PromotionEvidence, log_odds_factors, log_share_factors
from headgate_operator.stats.rollback import LOG_CAP, RollbackEvidence, log_factors

FARTHEST: Final = 1_000_000
"""Requests beyond which "never" is the better answer."""


def requests_until_rollback(evidence: RollbackEvidence, bound: float, *, so_far: Block, block_size: int) -> int | None:
    """Expected candidate requests until ln E reaches `bound`; None if it is not on its way there.

    `so_far` are all counts of this comparison, `block_size` the candidate's requests in a block at present.
    """
    cap = LOG_CAP / block_size
    slopes = [min(slope, cap) for slope in _slopes(log_factors(so_far, evidence.tolerated), so_far)]
    return _first(lambda more: log_e_value(_moved(evidence.log_wealth, slopes, more), evidence.started) >= bound)


def requests_until_promotion(evidence: PromotionEvidence, bound: float, *, so_far: Block) -> int | None:
    """Expected candidate requests until the promotion evidence reaches `bound` (ln 1/β); None if it is not on its way there."""
    odds = _slopes(log_odds_factors(so_far), so_far)
    share = _slopes(log_share_factors(so_far, evidence.maximum), so_far)

    def reached(more: int) -> bool:
        parts = (log_mean(_moved(evidence.log_odds, odds, more)), log_mean(_moved(evidence.log_share, share, more)))
        return log_mean(parts) >= bound

    return _first(reached)


def _slopes(log_factors: Sequence[float], so_far: Block) -> list[float]:
    return [factor / so_far.candidate_total for factor in log_factors]


def _moved(log_wealth: Sequence[float], slopes: Sequence[float], more: int) -> list[float]:
    return list(grown(log_wealth, [slope * more for slope in slopes]))


def _first(reached: Callable[[int], bool]) -> int | None:
    """Smallest number of requests at which it is reached. Evidence is convex in it, so it passes the bound at most once, upward."""
    if reached(0):
        return 0
    if not reached(FARTHEST):
        return None
    low, high = 0, FARTHEST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high
