"""The candidate's share of the traffic against its weight: the exact binomial tails, and when they contradict it."""

import math
import random
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate_operator.stats.split import contradicts_weight, log_tail


def exact_tail(count, requests, share, *, upper):
    counts = range(count, requests + 1) if upper else range(count + 1)
    return sum((comb(requests, k) * share**k * (1 - share) ** (requests - k) for k in counts), Fraction(0))


def log(fraction):
    return math.log(fraction.numerator) - math.log(fraction.denominator)


@given(requests=st.integers(1, 400), data=st.data(), weight=st.integers(1, 99), upper=st.booleans())
@settings(max_examples=200, deadline=None)
def test_both_tails_equal_the_sum_of_whole_fractions(requests, data, weight, upper):
    count = data.draw(st.integers(0, requests))
    expected = log(exact_tail(count, requests, Fraction(weight, 100), upper=upper))
    assert log_tail(count, requests, weight / 100, upper=upper) == pytest.approx(expected, abs=1e-9)


def test_a_tail_below_what_a_float_can_hold_is_still_exact():
    expected = log(exact_tail(3000, 3000, Fraction(1, 20), upper=True))
    assert expected < -8000
    assert log_tail(3000, 3000, 0.05, upper=True) == pytest.approx(expected)


@pytest.mark.parametrize("weight", [5, 50, 95])
def test_the_share_contradicts_the_weight_exactly_from_one_in_a_million_on(weight):
    requests, hundred = 250, 100**250
    weights = [comb(requests, k) * weight**k * (100 - weight) ** (requests - k) for k in range(requests + 1)]
    for count in range(requests + 1):
        tail = sum(weights[count:]) if 100 * count > weight * requests else sum(weights[: count + 1])
        assert contradicts_weight(count, requests, weight / 100) == (2 * tail * 10**6 < hundred), count


def test_below_two_hundred_requests_nothing_is_said():
    assert not contradicts_weight(199, 199, 0.05)
    assert contradicts_weight(200, 200, 0.05)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_version_with_all_or_no_traffic_is_not_compared(share):
    assert not contradicts_weight(1000, 2000, share)


def test_ten_million_requests_are_judged_at_once():
    assert not contradicts_weight(500_600, 10_000_000, 0.05)
    assert contradicts_weight(505_000, 10_000_000, 0.05)
    assert contradicts_weight(495_000, 10_000_000, 0.05)


def test_looking_after_every_request_finds_no_contradiction_where_there_is_none():
    rng = random.Random(1)
    for _ in range(20):
        count = 0
        for requests in range(1, 3000):
            count += rng.random() < 0.1
            assert not contradicts_weight(count, requests, 0.1)
