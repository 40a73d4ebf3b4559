"""The objective is about the candidate alone: fair at the objective, growing above it, capped in every block."""

import math
from fractions import Fraction
from math import comb

import pytest

from headgate_operator.stats.objective import fresh_objective, log_objective_evidence, log_objective_factors, objective_after
from headgate_operator.stats.rollback import LOG_CAP


def expected_factors(total, truth, maximum):
    chances = [float(comb(total, k) * truth**k * (1 - truth) ** (total - k)) for k in range(total + 1)]
    factors = [log_objective_factors(k, total, maximum) for k in range(total + 1)]
    return [math.fsum(chance * math.exp(factor[i]) for chance, factor in zip(chances, factors, strict=True)) for i in range(7)]


def evidence_after(blocks, *, maximum=0.02):
    wealth = fresh_objective()
    for bad, total in blocks:
        wealth = objective_after(wealth, bad, total, maximum)
    return log_objective_evidence(wealth, 1)


@pytest.mark.parametrize("share", [Fraction(1, 100), Fraction(1, 2), Fraction(9, 10)])
def test_the_expected_factor_at_the_objective_is_one(share):
    assert expected_factors(9, share, float(share)) == pytest.approx([1.0] * 7)


def test_the_expected_factor_below_the_objective_is_less():
    assert max(expected_factors(9, Fraction(1, 100), 0.02)) < 1


def test_without_a_block_or_without_an_objective_there_is_no_evidence():
    assert evidence_after([]) == pytest.approx(0)
    assert log_objective_evidence((), 3) == 0


def test_no_block_multiplies_the_evidence_by_more_than_the_cap():
    assert evidence_after([(1000, 1000)]) <= LOG_CAP


def test_a_share_above_the_objective_reaches_the_bound_and_one_below_never_does():
    assert evidence_after([(3, 50)] * 30) > math.log(200)
    assert evidence_after([(0, 50), (1, 50)] * 200) < 0


def test_the_evidence_goes_when_the_share_is_below_the_objective_again():
    incident, after = [(3, 50)] * 30, [(0, 50)] * 90
    assert evidence_after(incident + after) < math.log(200) < evidence_after(incident)
