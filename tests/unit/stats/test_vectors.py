"""The conditional law and the factors built on it, against published vectors and whole fractions."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate_operator.stats.block import Block
from headgate_operator.stats.hypergeometric import log_g
from headgate_operator.stats.logarithms import log_mean
from headgate_operator.stats.rollback import log_factors

# (n_c, n_s, x_c, x_s), log f over the grid without tolerance, log of their mean
VECTORS = [
    ((10, 90, 1, 0), (0.3567, 0.5978, 0.9163, 1.2730, 1.6607, 2.0402, 2.2164), 1.5024),
    ((10, 90, 0, 1), (-0.0488, -0.0953, -0.1823, -0.3365, -0.6419, -1.3610, -2.3888), -0.4911),
    ((10, 90, 4, 0), (1.4279, 2.3958, 3.6801, 5.1358, 6.7651, 8.4764, 9.3612), 7.8252),
    ((10, 90, 2, 3), (0.5690, 0.9172, 1.3104, 1.6091, 1.5981, 0.5276, -1.8824), 1.0380),
    ((50, 50, 5, 1), (0.6945, 1.0499, 1.3725, 1.5242, 1.3891, 0.6991, -0.3537), 1.0559),
    ((200, 800, 6, 9), (1.0066, 1.4357, 1.5788, 0.9228, -1.4541, -8.0355, -17.5028), 0.7309),
    ((1, 9, 1, 0), (0.3567, 0.5978, 0.9163, 1.2730, 1.6607, 2.0402, 2.2164), 1.5024),
]


@pytest.mark.parametrize(("counts", "expected", "mixture"), VECTORS)
def test_published_vectors_are_met_to_four_digits(block, counts, expected, mixture):
    found = log_factors(block(*counts), 1.0)
    assert found == pytest.approx(expected, abs=6e-5)
    assert log_mean(found) == pytest.approx(mixture, abs=6e-5)


@given(
    candidate=st.integers(0, 40),
    stable=st.integers(0, 60),
    data=st.data(),
    odds_ratio=st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(5, 4), Fraction(2), Fraction(30), Fraction(100)]),
)
@settings(max_examples=300, deadline=None)
def test_g_equals_the_sum_of_whole_fractions(exact, candidate, stable, data, odds_ratio):
    bad = data.draw(st.integers(0, candidate + stable))
    candidate_bad = max(0, bad - stable) if bad > candidate else min(bad, candidate)
    counts = Block(candidate_total=candidate, stable_total=stable, candidate_bad=candidate_bad, stable_bad=bad - candidate_bad)
    assert log_g(counts, float(odds_ratio)) == pytest.approx(_log(exact.g(candidate, stable, bad, odds_ratio)), abs=1e-11)


def test_g_without_tilt_is_one(block):
    assert log_g(block(300, 700, 10, 30), 1.0) == 0


@pytest.mark.parametrize("odds_ratio", [Fraction(1, 4), Fraction(3, 2), Fraction(10), Fraction(100)])
def test_g_of_a_large_block_equals_the_sum_of_whole_fractions(block, exact, odds_ratio):
    expected = exact.g(1500, 3500, 300, odds_ratio)
    assert log_g(block(1500, 3500, 200, 100), float(odds_ratio)) == pytest.approx(_log(expected), abs=1e-9)


def test_g_of_a_hundred_thousand_bad_answers_needs_few_terms(block):
    """Whole blocks are counted exactly however busy the service is: 10⁵ bad answers of 10⁶ requests.

    The reference value is a direct sum of all 10⁵ terms by lgamma.
    """
    candidate, stable, bad, odds_ratio = 100_000, 900_000, 100_000, 1.5

    def log_choose(n, k):
        return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

    logs = [log_choose(candidate, k) + log_choose(stable, bad - k) + k * math.log(odds_ratio) for k in range(5_000, 25_000)]
    largest = max(logs)
    direct = largest + math.log(math.fsum(math.exp(log - largest) for log in logs)) - log_choose(candidate + stable, bad)
    assert log_g(block(candidate, stable, 10_000, 90_000), odds_ratio) == pytest.approx(direct, abs=1e-6)


def _log(fraction):
    """ln of a fraction whose parts do not fit a float."""
    return math.log(fraction.numerator) - math.log(fraction.denominator)
