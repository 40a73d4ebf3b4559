"""Evidence that the candidate is good enough: not twice as bad as stable, or not bad at all.

Two e-processes share the capital, E = (E_OR + E_abs)/2, and E ≥ 1/β promotes with confidence 1 − β (Ville 1939):

    E_OR    null "odds ratio ≥ 2":    mean over ψ ∈ {¼, ½, ¾, 1, 1¼} of Π (ψ/2)^{x_c} G(2)/G(ψ)
    E_abs   null "bad share ≥ δ":     mean over p ∈ δ·{0, .1, .25, .5} of Π (p/δ)^{x_c} ((1−p)/(1−δ))^{n_c−x_c}

A version is refused only if it may be twice as bad *and* above δ. Without E_abs a service without any error could never promote: every
factor of E_OR is then 1. It never starts anew: good behaviour at a smaller weight counts.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, Self

from headgate_operator.stats.block import Block
from headgate_operator.stats.hypergeometric import log_g
from headgate_operator.stats.logarithms import RUIN, grown, log_mean

TWICE_AS_BAD: Final = 2.0
ODDS_RATIOS: Final = (0.25, 0.5, 0.75, 1.0, 1.25)
PARTS_OF_MAXIMUM: Final = (0.0, 0.1, 0.25, 0.5)


@lru_cache(maxsize=64)
def log_odds_factors(block: Block) -> tuple[float, ...]:
    """Compute the log factors of one block against "twice as bad", one an alternative odds ratio."""
    at_null = log_g(block, TWICE_AS_BAD)
    return tuple(
        block.candidate_bad * math.log(odds_ratio / TWICE_AS_BAD) + at_null - log_g(block, odds_ratio) for odds_ratio in ODDS_RATIOS
    )


def log_share_factors(block: Block, maximum: float) -> tuple[float, ...]:
    """Compute the log factors of one block against "bad share at least `maximum`", one an alternative share."""
    good = block.candidate_total - block.candidate_bad
    return tuple(
        _log_power(part, block.candidate_bad) + good * (math.log1p(-part * maximum) - math.log1p(-maximum)) for part in PARTS_OF_MAXIMUM
    )


def _log_power(base: float, exponent: int) -> float:
    if exponent == 0:
        return 0.0
    return exponent * math.log(base) if base > 0 else RUIN


@dataclass(frozen=True, kw_only=True)
class PromotionEvidence:
    """Both e-processes of one metric."""

    maximum: float
    """δ: the bad share below which a version is good enough."""
    log_odds: tuple[float, ...] = (0.0,) * len(ODDS_RATIOS)
    log_share: tuple[float, ...] = (0.0,) * len(PARTS_OF_MAXIMUM)

    def after(self, block: Block) -> Self:
        """Count one more block."""
        return type(self)(
            maximum=self.maximum,
            log_odds=grown(self.log_odds, log_odds_factors(block)),
            log_share=grown(self.log_share, log_share_factors(block, self.maximum)),
        )

    @cached_property
    def log_evidence(self) -> float:
        """Natural log of E, to be compared with ln 1/β."""
        return log_mean((log_mean(self.log_odds), log_mean(self.log_share)))
