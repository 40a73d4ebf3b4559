"""Sums and means of numbers that are known by their natural logarithms."""

import math
from collections.abc import Sequence
from typing import Final

RUIN: Final = -1e9
"""Log-wealth of a process that lost everything. Stands for minus infinity, which JSON does not have; nothing recovers from it."""


def log_sum(logs: Sequence[float]) -> float:
    """Natural log of Σ exp(l), without overflow; minus infinity of nothing."""
    largest = max(logs, default=-math.inf)
    if math.isinf(largest):
        return largest
    return largest + math.log(math.fsum(math.exp(log - largest) for log in logs))


def log_mean(logs: Sequence[float]) -> float:
    """Natural log of the arithmetic mean of exp(l)."""
    return log_sum(logs) - math.log(len(logs))


def grown(log_wealth: Sequence[float], log_factors: Sequence[float]) -> tuple[float, ...]:
    """Log-wealths after one more factor each; what is ruined stays ruined."""
    sums = (wealth + factor for wealth, factor in zip(log_wealth, log_factors, strict=True))
    return tuple(total if total > RUIN / 2 else RUIN for total in sums)
