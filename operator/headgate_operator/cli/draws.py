"""Seeded draws for rehearsals: Poisson arrivals and binomial failures, without a numerical library in the operator's image."""

import math
import random
from bisect import bisect_left
from functools import lru_cache
from itertools import accumulate
from typing import Final

_MANY: Final = 200
"""Expected failures from which a rounded normal draw cannot be told from a binomial one in a rehearsal."""
_WIDTH: Final = 10
"""Standard deviations of a Poisson law that are tabulated on either side of its mean."""


def poisson(source: random.Random, mean: float) -> int:
    """Draw how many requests arrive where `mean` are expected."""
    if mean <= 0:
        return 0
    lowest, cumulative = _poisson_table(mean)
    return lowest + min(bisect_left(cumulative, source.random()), len(cumulative) - 1)


def binomial(source: random.Random, n: int, share: float) -> int:
    """Draw how many of `n` requests are bad, each with probability `share`."""
    if share > 0.5:
        return n - binomial(source, n, 1 - share)
    if n == 0 or share <= 0:
        return 0
    if n * share > _MANY:
        return min(n, max(0, round(source.gauss(n * share, math.sqrt(n * share * (1 - share))))))
    return _by_gaps(source, n, share)


def _by_gaps(source: random.Random, n: int, share: float) -> int:
    """Jump from one bad request to the next; the gaps between them are geometric."""
    log_good, at, found = math.log1p(-share), 0, 0
    while True:
        at += int(math.log(1 - source.random()) / log_good) + 1
        if at > n:
            return found
        found += 1


@lru_cache(maxsize=256)
def _poisson_table(mean: float) -> tuple[int, list[float]]:
    """Return the smallest value of the table and the cumulative probabilities from there on."""
    reach = _WIDTH * math.sqrt(mean) + _WIDTH
    lowest, highest = max(0, int(mean - reach)), int(mean + reach)
    log_mean = math.log(mean)
    return lowest, list(accumulate(math.exp(k * log_mean - mean - math.lgamma(k + 1)) for k in range(lowest, highest + 1)))
