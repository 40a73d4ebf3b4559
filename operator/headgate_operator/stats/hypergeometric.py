"""The exact conditional law of the candidate's bad answers, given a block's margins.

With N = n_c + n_s requests of which x are bad, the candidate's share x_c is hypergeometric when both versions are equally good, whatever
the base rate; with odds ratio ψ it is Fisher's non-central hypergeometric (Fisher 1935; Mantel & Haenszel 1959). All that the evidence
needs of it is its generating function

    G(ψ) = Σ_k Hyper(k; N, x, n_c) ψ^k .

A binomial shortcut is off by nats at 10⁴ requests, so the sum is always exact.
"""

import math
from functools import lru_cache
from typing import Final

from headgate_operator.stats.block import Block

_NEGLIGIBLE: Final = 1e-22
"""A term this small beside the largest ends the sum: some ten standard deviations from the mode, where the terms fall so fast that all the
others together are below double precision."""


def log_g(block: Block, odds_ratio: float) -> float:
    """Compute ln G(odds_ratio) of a block; `odds_ratio` is positive."""
    return _log_g(block.candidate_total, block.stable_total, block.bad, odds_ratio)


def log_g_of_many(block: Block, odds_ratio: float) -> float:
    """Approximate ln G(odds_ratio) of a block so large that its largest term is all that matters, but for a part they all share.

    It is the limit of ln G of m such blocks taken as one, divided by m, as m grows: the law concentrates on its mode, and Stirling's
    formula leaves entropies. Meant for differences between odds ratios: the parts of the entropies in which only the margins occur are left
    out.
    """
    candidate, stable, bad = block.candidate_total, block.stable_total, block.bad
    mode = _real_mode(candidate, stable, bad, odds_ratio, 0)
    entropy = _x_log_x(mode) + _x_log_x(candidate - mode) + _x_log_x(bad - mode) + _x_log_x(stable - bad + mode)
    return mode * math.log(odds_ratio) - entropy


@lru_cache(maxsize=256)
def _log_g(candidate: int, stable: int, bad: int, odds_ratio: float) -> float:
    if odds_ratio == 1:
        return 0.0
    mode = _mode(candidate, stable, bad, odds_ratio)
    log_at_mode = _log_choose(candidate, mode) + _log_choose(stable, bad - mode) - _log_choose(candidate + stable, bad)
    relative = 1 + sum(_terms_above(mode, candidate, stable, bad, odds_ratio)) + sum(_terms_below(mode, candidate, stable, bad, odds_ratio))
    return log_at_mode + mode * math.log(odds_ratio) + math.log(relative)


@lru_cache(maxsize=64)
def law(candidate: int, stable: int, bad: int, odds_ratio: float) -> tuple[int, tuple[float, ...]]:
    """Return the smallest k and P(x_c = k), P(x_c = k + 1), … at this odds ratio; probabilities that are negligible are left out."""
    mode = _mode(candidate, stable, bad, odds_ratio)
    below = _terms_below(mode, candidate, stable, bad, odds_ratio)
    terms = (*reversed(below), 1.0, *_terms_above(mode, candidate, stable, bad, odds_ratio))
    total = math.fsum(terms)
    return mode - len(below), tuple(term / total for term in terms)


def _mode(candidate: int, stable: int, bad: int, odds_ratio: float) -> int:
    """Find the largest term, or its neighbour: where the ratio of consecutive terms, a quadratic in k, passes 1."""
    return min(max(math.ceil(_real_mode(candidate, stable, bad, odds_ratio, 1)), 0, bad - stable), bad, candidate)


def _real_mode(candidate: int, stable: int, bad: int, odds_ratio: float, width: int) -> float:
    """Solve (n_c − k)(x − k) ψ = (k + width)(n_s − x + k + width): where a term equals the next one, or for width 0 the peak."""
    square = odds_ratio - 1
    linear = odds_ratio * (candidate + bad) + (stable - bad) + 2 * width
    constant = odds_ratio * candidate * bad - width * (stable - bad + width)
    return 2 * constant / (linear + math.sqrt(linear * linear - 4 * square * constant))


def _terms_above(mode: int, candidate: int, stable: int, bad: int, odds_ratio: float) -> list[float]:
    """List the terms above the mode, relative to the term there, by the ratio of consecutive terms."""
    term, terms = 1.0, []
    for k in range(mode, min(bad, candidate)):
        term *= (candidate - k) * (bad - k) * odds_ratio / ((k + 1) * (stable - bad + k + 1))
        terms.append(term)
        if term < _NEGLIGIBLE:
            break
    return terms


def _terms_below(mode: int, candidate: int, stable: int, bad: int, odds_ratio: float) -> list[float]:
    """List the terms below the mode, downwards, relative to the term there."""
    term, terms = 1.0, []
    for k in range(mode, max(0, bad - stable), -1):
        term *= k * (stable - bad + k) / ((candidate - k + 1) * (bad - k + 1) * odds_ratio)
        terms.append(term)
        if term < _NEGLIGIBLE:
            break
    return terms


def _x_log_x(x: float) -> float:
    return x * math.log(x) if x > 0 else 0.0


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
