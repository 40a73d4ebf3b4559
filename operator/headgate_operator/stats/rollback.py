"""Evidence that the candidate is worse: a stratified (sequential Mantel–Haenszel) e-process.

For a block with x_c of n_c candidate requests bad, and G as in hypergeometric.py,

    f(ψ) = (ψ/ψ0)^{x_c} G(ψ0)/G(ψ)                 null: odds ratio ≤ ψ0
    E    = mean over ψ > ψ0 of Π_blocks min(λ_b(ψ) f_b(ψ), 3)

E[f] ≤ 1 under the null, whatever the base rate and however it moves, so the chance that E ever reaches 1/α is at most α, at any number of
looks (Ville 1939; for 2×2 tables Turner, Ly & Grünwald 2024, stratified Turner & Grünwald 2023).

The cap is on each component, which keeps it a supermartingale: one burst of correlated errors cannot roll back, and the order of blocks
does not matter. Capping the mean instead would poison the small ψ after a burst.

What the cap cuts off is given back: λ ≥ 1 makes the expectation of the capped factor at ψ0 exactly 1 again. That keeps the guarantee:
λ depends on the margins alone, the capped factor does not fall in x_c, and x_c is stochastically smaller for every odds ratio below ψ0
than at ψ0, so its expectation is at most 1 under the whole null. It is at least min(f, 3) everywhere, and grows fastest under ψ of all
bets that are bounded by 3: it maximises E_ψ[ln g] − E_ψ0[g]/λ for each count by itself. Without it a bad answer of stable costs the
large ψ far more than the cap lets them win by one of the candidate, and 10 % errors take a sixth more requests to find.

With p_k the law of x_c at ψ0, r = ψ/ψ0 and j the largest count below the cap,

    λf = (1 − 3 P(x_c > j)) r^{x_c − j} / Σ_{k ≤ j} p_k r^{k − j}

so that G(ψ) cancels; j is the largest k with 3 E[min(r^{x_c − k}, 1)] ≥ 1.

Requests that both versions are asked (`Block.paired`) do not fail on each at random, and λ, which is made for that law, would give back
too much: at a mirror of 10 % up to 1.6 % a block. There the cap just cuts; min(f, 3) never needed λ for its guarantee.

So that yesterday's good behaviour does not hide today's fault, a fresh mixture starts now and then (capital.py).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Final, Self

from headgate_operator.stats.block import Block
from headgate_operator.stats.capital import log_e_value, with_another
from headgate_operator.stats.hypergeometric import law, log_g
from headgate_operator.stats.logarithms import RUIN, grown

ODDS_RATIOS: Final = (1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0)
"""The alternatives that evidence is collected for; those not above the tolerated odds ratio are left out."""

CAP: Final = 3.0
"""No block multiplies a component by more than this."""

LOG_CAP: Final = math.log(CAP)


@lru_cache(maxsize=64)
def alternatives(tolerated: float) -> tuple[float, ...]:
    """Odds ratios of the grid above the tolerated one."""
    return tuple(odds_ratio for odds_ratio in ODDS_RATIOS if odds_ratio > tolerated)


def log_factors(block: Block, tolerated: float) -> tuple[float, ...]:
    """Natural log of f(ψ) of one block, uncapped, for every alternative above `tolerated` (ψ0)."""
    bad, at_null = block.candidate_bad, log_g(block, tolerated)
    return tuple(bad * math.log(odds_ratio / tolerated) + at_null - log_g(block, odds_ratio) for odds_ratio in alternatives(tolerated))


@lru_cache(maxsize=64)
def log_capped_factors(block: Block, tolerated: float) -> tuple[float, ...]:
    """Natural log of min(λ f(ψ), 3) of one block, which is what counts, for every alternative above `tolerated` (ψ0)."""
    lowest, probabilities = law(block.candidate_total, block.stable_total, block.bad, tolerated)
    if block.paired:
        return tuple(min(factor, LOG_CAP) for factor in log_factors(block, tolerated))
    if len(probabilities) == 1:
        return (0.0,) * len(alternatives(tolerated))  # the margins leave no choice, so nothing was learnt
    observed, tails = block.candidate_bad - lowest, _tails(probabilities)
    return tuple(_log_capped(observed, probabilities, tails, odds_ratio / tolerated) for odds_ratio in alternatives(tolerated))


def _tails(probabilities: Sequence[float]) -> list[float]:
    """Chance of more than so many, for each count."""
    downwards = list(accumulate(reversed(probabilities), initial=0.0))
    return downwards[-2::-1]


def _log_capped(observed: int, probabilities: Sequence[float], tails: Sequence[float], ratio: float) -> float:
    tilted, last = 0.0, (1.0, 1.0)
    count = -1
    for probability, tail in zip(probabilities, tails, strict=True):
        tilted = probability + tilted / ratio
        if CAP * (tilted + tail) < 1:
            break
        last, count = (tilted, tail), count + 1
    tilted, tail = last
    return min(math.log1p(-CAP * tail) - math.log(tilted) + (observed - count) * math.log(ratio), LOG_CAP)


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
        log_wealth = grown(self.log_wealth, log_capped_factors(block, self.tolerated))
        return type(self)(tolerated=self.tolerated, started=self.started, log_wealth=log_wealth)

    @cached_property
    def log_evidence(self) -> float:
        """Natural log of E, to be compared with ln 1/α."""
        return log_e_value(self.log_wealth, self.started)
