"""Does the candidate get the share of traffic that its weight says? An exact two-sided binomial test.

When the gateway picks a version for every request by itself, the candidate's count among n is binomial with its weight, whatever the
traffic does. It is looked at after every block; with a bound as small as 10⁻⁶ some hundred looks that tell anything new (their number grows
with the logarithm of the requests) still leave a chance below one in a thousand.
"""

import math
from typing import Final

CONTRADICTION: Final = 1e-6
"""Two-sided probability below which the observed share contradicts the weight."""

FEWEST: Final = 200
"""Requests below which nothing is said."""

_NEGLIGIBLE: Final = 1e-18


def log_tail(count: int, requests: int, share: float, *, upper: bool) -> float:
    """Natural log of P(X ≥ count), or P(X ≤ count), for X binomial; 0 < share < 1.

    Exact also where the probability is far below what a float can hold. Meant for counts outside of the mean: terms are summed away from
    it, where they fall.
    """
    odds = share / (1 - share)
    term, total, k = 1.0, 1.0, count
    while term > _NEGLIGIBLE * total and (k < requests if upper else k > 0):
        term *= (requests - k) / (k + 1) * odds if upper else k / (requests - k + 1) / odds
        k += 1 if upper else -1
        total += term
    return min(_log_probability(count, requests, share) + math.log(total), 0.0)


def contradicts_weight(count: int, requests: int, share: float) -> bool:
    """Whether `count` of `requests` is too improbable, on either side, for a version with this share of the traffic."""
    if requests < FEWEST or not 0 < share < 1:
        return False
    limit = math.log(CONTRADICTION / 2)
    if _log_probability(count, requests, share) >= limit:
        return False
    return log_tail(count, requests, share, upper=count > share * requests) < limit


def _log_probability(count: int, requests: int, share: float) -> float:
    log_choose = math.lgamma(requests + 1) - math.lgamma(count + 1) - math.lgamma(requests - count + 1)
    return log_choose + count * math.log(share) + (requests - count) * math.log1p(-share)
