"""Is the mean of bounded differences above a margin? A test that may be looked at after every label.

A player bets against "the mean is at most the margin": before each difference D in [-1, 1] a share of the capital is staked, which then
grows by 1 + λ(D − margin). While the claim holds the expected capital never grows, so it ever reaches 1/α with a probability of at most α
(Ville's inequality), however often it is looked at and whenever one stops. Of several stakes λ, fixed in advance, the mean counts.

I. Waudby-Smith, A. Ramdas: Estimating means of bounded random variables by betting, J. R. Stat. Soc. B 86 (2024), §4.1 and appendix B
(arXiv:2010.09686): the capital process, and the mean over a grid of stakes.
"""

from collections.abc import Sequence
from math import exp, log
from typing import Final

import numpy as np

from headgate_monitor.detectors.columns import Values

Capital = tuple[float, ...]
"""Natural logs of what each stake made of 1."""

_STAKES: Final = np.array([1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2])
"""Shares of the largest stake with which one difference could ruin the player."""

FRESH: Final[Capital] = (0.0,) * len(_STAKES)


def against_at_most(capital: Capital, differences: Values, margin: float) -> Capital:
    """Return the capital, staked on a mean above the margin, after more differences.

    Args:
        capital: Before them.
        differences: Each in [-1, 1]; given all before it, its mean is at most `margin` if the claim is true.
        margin: In (-1, 1).
    """
    return _after(capital, (differences - margin) / (1 + margin))


def against_at_least(capital: Capital, differences: Values, margin: float) -> Capital:
    """Return the capital, staked on a mean below the margin, after more differences; otherwise like `against_at_most`."""
    return _after(capital, (margin - differences) / (1 - margin))


def log_evidence(capital: Sequence[float]) -> float:
    """Return the natural log of the e-value: the mean of what the stakes made."""
    most = max(capital)
    return most + log(sum(exp(one - most) for one in capital) / len(capital))


def _after(capital: Capital, gains: Values) -> Capital:
    """`gains` are at least -1 each: so much of the largest stake is won or lost."""
    grown = np.log1p(np.outer(_STAKES, gains)).sum(axis=1)
    return tuple(before + float(more) for before, more in zip(capital, grown, strict=True))
