"""Evidence that the candidate misses an absolute objective: a Bernoulli e-process against "bad share at most δ".

For a block with x of n candidate requests bad,

    f(ψ) = ψ^x / (1 − δ + ψδ)^n                    null: share ≤ δ
    E    = mean over ψ of Π_blocks min(f_b(ψ), 3)

where ψ is the odds ratio of an alternative share to δ, so that every alternative is a share below 1. E[f] is 1 at δ and less below it, for
(1 − p + pψ)/(1 − δ + δψ) ≤ 1; hence E ≥ 1/α ever happens with probability at most α (Ville 1939). Stable is not asked: this is the
statement that the candidate is not good enough, not that it is to blame. When the share falls below δ again, so does the evidence.
"""

import math
from collections.abc import Sequence

from headgate_operator.stats.capital import log_e_value, with_another
from headgate_operator.stats.logarithms import RUIN, grown
from headgate_operator.stats.rollback import LOG_CAP, ODDS_RATIOS

Wealth = tuple[float, ...]


def fresh_objective() -> Wealth:
    """Log-wealths without any evidence: the first mixture has its share."""
    return with_another((RUIN,) * len(ODDS_RATIOS), 1)


def log_objective_factors(bad: int, total: int, maximum: float) -> Wealth:
    """Natural log of f(ψ) of one block, uncapped, for every alternative; `maximum` is δ, strictly between 0 and 1."""
    return tuple(bad * math.log(odds_ratio) - total * math.log1p((odds_ratio - 1) * maximum) for odds_ratio in ODDS_RATIOS)


def objective_after(log_wealth: Sequence[float], bad: int, total: int, maximum: float) -> Wealth:
    """Log-wealths after one more block of the candidate."""
    return grown(log_wealth, [min(factor, LOG_CAP) for factor in log_objective_factors(bad, total, maximum)])


def log_objective_evidence(log_wealth: Sequence[float], started: int) -> float:
    """Natural log of E after `started` mixtures, to be compared with ln 1/α; 0 without an objective."""
    return log_e_value(log_wealth, started) if log_wealth else 0.0
