"""The operator's factors of a block, for arrays of blocks. tests/unit/stats/test_bench.py compares them with the operator's own."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

from headgate_operator.stats.promotion import ODDS_RATIOS as PROMOTION_ODDS
from headgate_operator.stats.promotion import TWICE_AS_BAD
from headgate_operator.stats.rollback import CAP, LOG_CAP, alternatives

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]
_ROWS = 2000
"""Blocks computed at once; they are sorted by their bad answers, so that those of one batch have about as many terms."""


def rollback_factors(n_c: Integers, n_s: Integers, x_c: Integers, x_s: Integers, tolerated: float) -> Numbers:
    """Capped log factors, one row a block, one column an alternative above `tolerated`."""
    return _by_block(lambda *block: _capped(*block, tolerated), n_c, n_s, x_c, x_s, len(alternatives(tolerated)))


def odds_factors(n_c: Integers, n_s: Integers, x_c: Integers, x_s: Integers) -> Numbers:
    """Log factors against "twice as bad", one column an alternative."""
    return _by_block(_odds, n_c, n_s, x_c, x_s, len(PROMOTION_ODDS))


def _by_block(compute: Callable[..., Numbers], n_c: Integers, n_s: Integers, x_c: Integers, x_s: Integers, columns: int) -> Numbers:
    """Compute every different block once, those with few bad answers apart from those with many."""
    found = np.zeros((len(n_c), columns))
    if not len(n_c):
        return found
    x, base = x_c + x_s, int(max(n_c.max(), n_s.max())) + 1
    _, first, index = np.unique(((x * base + n_c) * base + n_s) * base + x_c, return_index=True, return_inverse=True)
    different = np.zeros((len(first), columns))
    for begin in range(0, len(first), _ROWS):
        rows = first[begin : begin + _ROWS]
        different[begin : begin + _ROWS] = compute(n_c[rows], n_s[rows], x_c[rows], x[rows])
    return different[index]


def _law(n_c: Integers, n_s: Integers, x: Integers, odds_ratio: float) -> tuple[Integers, Numbers]:
    """Return k = 0 … max x, and ln P(x_c = k) given the margins, a row a block; minus infinity where it cannot be."""
    k = np.arange(int(x.max()) + 1)[None, :]
    n_c, n_s, x = n_c[:, None], n_s[:, None], x[:, None]
    with np.errstate(invalid="ignore"):
        logs = _log_choose(n_c, k) + _log_choose(n_s, x - k) + k * np.log(odds_ratio)
    logs = np.where((k <= np.minimum(x, n_c)) & (k >= x - n_s), logs, -np.inf)
    return k, logs - logsumexp(logs, axis=1, keepdims=True)


def _log_choose(n: Integers, k: Integers) -> Numbers:
    return gammaln(n + 1) - gammaln(np.maximum(k, 0) + 1) - gammaln(np.maximum(n - k, 0) + 1)


def _capped(n_c: Integers, n_s: Integers, x_c: Integers, x: Integers, tolerated: float) -> Numbers:
    _, logs = _law(n_c, n_s, x, tolerated)
    law, rows = np.exp(logs), np.arange(len(logs))
    above = np.cumsum(law[:, ::-1], axis=1)[:, ::-1] - law
    possible = np.isfinite(logs)
    columns = []
    for odds_ratio in alternatives(tolerated):
        ratio = odds_ratio / tolerated
        tilted = np.zeros_like(law)
        running = np.zeros(len(law))
        for j in range(law.shape[1]):
            running = law[:, j] + running / ratio
            tilted[:, j] = running
        uncapped = possible & (CAP * (tilted + above) >= 1)
        last = law.shape[1] - 1 - np.argmax(uncapped[:, ::-1], axis=1)
        rest = np.maximum(1 - CAP * above[rows, last], 1e-300)
        value = np.log(rest) - np.log(tilted[rows, last]) - (last - x_c) * np.log(ratio)
        columns.append(np.minimum(value, LOG_CAP))
    return np.stack(columns, axis=1)


def _odds(n_c: Integers, n_s: Integers, x_c: Integers, x: Integers) -> Numbers:
    k, logs = _law(n_c, n_s, x, 1.0)

    def log_g(odds_ratio: float) -> Numbers:
        return np.asarray(logsumexp(logs + k * np.log(odds_ratio), axis=1))

    at_null = log_g(TWICE_AS_BAD)
    return np.stack([x_c * np.log(odds / TWICE_AS_BAD) + at_null - log_g(odds) for odds in PROMOTION_ODDS], axis=1)
