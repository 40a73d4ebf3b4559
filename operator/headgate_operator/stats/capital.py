"""How the capital of a mixture of e-processes is shared between mixtures that start at different times.

So that yesterday's good behaviour does not hide today's fault, a fresh mixture starts now and then; the k-th has weight 1/(k(k+1)), and the
capital not yet spent counts as it is. The sum is still an e-process: the weights are fixed in advance and add up to 1. Since every
mixture's components get the same factors from then on, their weighted sum per alternative is all that has to be kept.
"""

import math
from collections.abc import Sequence

from headgate_operator.stats.logarithms import log_mean, log_sum


def started_share(number: int) -> float:
    """Natural log of the capital that the `number`-th mixture starts with, 1/(k(k+1))."""
    return -math.log(number) - math.log(number + 1)


def log_unspent(started: int) -> float:
    """Natural log of the capital that is left after so many starts, 1 − Σ 1/(k(k+1)) = 1/(started + 1)."""
    return -math.log(started + 1)


def with_another(log_wealth: Sequence[float], number: int) -> tuple[float, ...]:
    """Log-wealths after the `number`-th mixture started beside those before it."""
    share = started_share(number)
    return tuple(log_sum((wealth, share)) for wealth in log_wealth)


def log_e_value(log_wealth: Sequence[float], started: int) -> float:
    """Natural log of the e-value: the mean component and the capital not yet spent."""
    return log_sum((log_mean(log_wealth), log_unspent(started)))
