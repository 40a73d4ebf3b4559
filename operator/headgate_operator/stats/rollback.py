"""Evidence that the candidate is worse: a stratified (sequential Mantel–Haenszel) e-process.

For a block with x_c of n_c candidate requests bad, and G as in hypergeometric.py,

    f(ψ) = (ψ/ψ0)^{x_c} G(ψ0)/G(ψ)                 null: odds ratio ≤ ψ0
    E    = mean over ψ > ψ0 of Π_blocks min(f_b(ψ), 3)

E[f] ≤ 1 under the null, whatever the base rate and however it moves, so the chance that E ever reaches 1/α is at most α, at any number of
looks (Ville 1939; for 2×2 tables Turner, Ly & Grünwald 2024, stratified Turner & Grünwald 2023).

The cap is on each component, which keeps it a supermartingale: one burst of correlated errors cannot roll back, and the order of blocks
does not matter. Capping the mean instead would poison the small ψ after a burst.

So that yesterday's good behaviour does not hide today's fault, a fresh mixture starts now and then (capital.py).
"""

import math
from dataclasses import dataclass
from typing import Final, Self

from headgate_operator.stats.block import Block
from headgate_operator.stats.capital import log_e_value as log_e_value
from headgate_operator.stats.capital import with_another
from headgate_operator.stats.hypergeometric import log_g
from headgate_operator.stats.logarithms import RUIN, grown

ODDS_RATIOS: Final = (1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0)
"""The alternatives that evidence is collected for; those not above the tolerated odds ratio are left out."""

LOG_CAP: Final = math.log(3)
"""No block multiplies a component by more than 3."""


def alternatives(tolerated: float) -> tuple[float, ...]:
    """Odds ratios of the grid above the tolerated one."""
    return tuple(odds_ratio for odds_ratio in ODDS_RATIOS if odds_ratio > tolerated)


def log_factors(block: Block, tolerated: float) -> tuple[float, ...]:
    """Natural log of f(ψ) of one block, uncapped, for every alternative above `tolerated` (ψ0)."""
    bad, at_null = block.candidate_bad, log_g(block, tolerated)
    return tuple(bad * math.log(odds_ratio / tolerated) + at_null - log_g(block, odds_ratio) for odds_ratio in alternatives(tolerated))


@dataclass(frozen=True, kw_only=True)
class RollbackEvidence:
    """All mixtures of one metric, weighted and summed per alternative."""

    tolerated: float
    """ψ0: the odds ratio up to which the candidate counts as not worse."""
    started: int
    """How many mixtures were started."""
    log_wealth: tuple[float, ...]

    @classmethod
    def fresh(cls, tolerated: float) -> Self:
        """No evidence yet; the first mixture gets half the capital."""
        empty = cls(tolerated=tolerated, started=0, log_wealth=(RUIN,) * len(alternatives(tolerated)))
        return empty.restarted()

    def restarted(self) -> Self:
        """Start one more mixture, which knows nothing of the past."""
        number = self.started + 1
        return type(self)(tolerated=self.tolerated, started=number, log_wealth=with_another(self.log_wealth, number))

    def after(self, block: Block) -> Self:
        """Count one more block."""
        factors = [min(factor, LOG_CAP) for factor in log_factors(block, self.tolerated)]
        return type(self)(tolerated=self.tolerated, started=self.started, log_wealth=grown(self.log_wealth, factors))

    @property
    def log_evidence(self) -> float:
        """Natural log of E, to be compared with ln 1/α."""
        return log_e_value(self.log_wealth, self.started)
