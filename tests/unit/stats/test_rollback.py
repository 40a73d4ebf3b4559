"""Rollback evidence keeps its promise under the null, grows under faults, and forgets nothing it should know."""

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate_operator.stats.logarithms import log_mean, log_sum
from headgate_operator.stats.rollback import LOG_CAP, ODDS_RATIOS, RollbackEvidence, alternatives, log_capped_factors, log_factors

BURST, CLEAN, STABLE_BURST = (20, 180, 15, 0), (20, 180, 0, 1), (20, 180, 0, 15)


def evidence_after(block, *counts, tolerated=1.25):
    evidence = RollbackEvidence.fresh(tolerated)
    for each in counts:
        evidence = evidence.after(block(*each))
    return evidence


def expected_factors(block, exact, margins, *, null, truth):
    """E[f(ψ)] for every alternative, by enumeration of everything that can happen given the margins."""
    candidate, stable, bad = margins
    law = exact.law(candidate, stable, bad, truth)
    outcomes = [(float(chance), log_factors(block(candidate, stable, k, bad - k), float(null))) for k, chance in law.items()]
    return [math.fsum(chance * math.exp(factors[i]) for chance, factors in outcomes) for i in range(len(outcomes[0][1]))]


@pytest.mark.parametrize("null", [Fraction(1), Fraction(5, 4), Fraction(3, 2)])
def test_the_expected_factor_at_the_border_of_the_null_is_one(block, exact, null):
    for margins in exact.margins(4):
        assert expected_factors(block, exact, margins, null=null, truth=null) == pytest.approx([1.0] * len(alternatives(float(null))))


@pytest.mark.parametrize("truth", [Fraction(1, 10), Fraction(1), Fraction(6, 5)])
def test_the_expected_factor_inside_the_null_is_at_most_one(block, exact, truth):
    for margins in exact.margins(4):
        assert max(expected_factors(block, exact, margins, null=Fraction(5, 4), truth=truth)) <= 1 + 1e-12


def capped_expectation(block, exact, margins, *, null, truth):
    """E[min(λf, 3)] for every alternative, by enumeration."""
    candidate, stable, bad = margins
    law = exact.law(candidate, stable, bad, truth)
    outcomes = [(float(chance), log_capped_factors(block(candidate, stable, k, bad - k), float(null))) for k, chance in law.items()]
    return [math.fsum(chance * math.exp(factors[i]) for chance, factors in outcomes) for i in range(len(outcomes[0][1]))]


MARGINS = st.tuples(st.integers(1, 25), st.integers(0, 60), st.integers(0, 40)).map(lambda m: (m[0], m[1], min(m[2], m[0] + m[1])))
NULLS = st.one_of(st.sampled_from([Fraction(1), Fraction(5, 4), Fraction(3, 2)]), st.fractions(1, 10, max_denominator=20))


@given(margins=MARGINS, null=NULLS)
@settings(max_examples=60, deadline=None)
def test_for_any_margins_the_expected_factor_is_one_before_the_cap_and_after_it(block, exact, margins, null):
    ones = pytest.approx([1.0] * len(alternatives(float(null))))
    assert expected_factors(block, exact, margins, null=null, truth=null) == ones
    assert capped_expectation(block, exact, margins, null=null, truth=null) == ones


@given(margins=MARGINS, null=NULLS, part=st.fractions(Fraction(1, 100), 1))
@settings(max_examples=60, deadline=None)
def test_for_any_margins_the_expected_capped_factor_inside_the_null_is_at_most_one(block, exact, margins, null, part):
    assert max(capped_expectation(block, exact, margins, null=null, truth=null * part)) <= 1 + 1e-12


@given(margins=MARGINS, null=NULLS)
@settings(max_examples=60, deadline=None)
def test_the_capped_factor_is_never_above_the_cap_nor_below_the_one_that_is_only_cut_off(block, exact, margins, null):
    candidate, stable, bad = margins
    for k in exact.law(candidate, stable, bad, null):
        counts = block(candidate, stable, k, bad - k)
        for capped, factor in zip(log_capped_factors(counts, float(null)), log_factors(counts, float(null)), strict=True):
            assert min(factor, LOG_CAP) - 1e-9 <= capped <= LOG_CAP


@given(margins=MARGINS, null=NULLS)
@settings(max_examples=60, deadline=None)
def test_with_the_same_margins_more_bad_answers_of_the_candidate_are_never_less_evidence(block, exact, margins, null):
    candidate, stable, bad = margins
    for law in (log_factors, log_capped_factors):
        rows = [law(block(candidate, stable, k, bad - k), float(null)) for k in exact.law(candidate, stable, bad, null)]
        for fewer, more in itertools.pairwise(rows):
            assert all(one <= other + 1e-9 for one, other in zip(fewer, more, strict=True))


BLOCKS = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 60), st.integers(0, 30), st.integers(0, 60)), min_size=2, max_size=6)


@given(counts=BLOCKS, data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_permutation_of_the_blocks_of_a_step_gives_the_same_evidence(block, counts, data):
    sound = [(candidate, stable, min(bad, candidate), min(other, stable)) for candidate, stable, bad, other in counts]
    permuted = data.draw(st.permutations(sound))
    assert evidence_after(block, *permuted).log_wealth == pytest.approx(evidence_after(block, *sound).log_wealth, abs=1e-9)


@pytest.mark.parametrize("share", [0.0, 1e-6, 0.001, 0.3, 1.0])
def test_ten_million_requests_in_a_block_are_counted_without_overflow(block, share):
    candidate, stable = 1_000_000, 9_000_000
    counts = block(candidate, stable, round(candidate * share), round(stable * share))
    for factors in (log_factors(counts, 1.25), log_capped_factors(counts, 1.25)):
        assert all(math.isfinite(factor) for factor in factors)
        assert max(factors) <= 1e-9
    worse = block(candidate, stable, round(candidate * min(1, share * 2)), round(stable * share))
    assert share in (0.0, 1e-6, 1.0) or log_capped_factors(worse, 1.25)[0] == LOG_CAP


@pytest.mark.parametrize("truth", [Fraction(5, 4), Fraction(1)])
def test_the_expected_e_value_over_two_blocks_and_a_restart_is_at_most_one(block, exact, truth):
    first, second = (4, 6, 3), (3, 9, 2)
    total = 0.0
    for (k, chance), (other, other_chance) in itertools.product(exact.law(*first, truth).items(), exact.law(*second, truth).items()):
        evidence = RollbackEvidence.fresh(1.25).after(block(*first[:2], k, first[2] - k)).restarted()
        total += float(chance * other_chance) * math.exp(evidence.after(block(*second[:2], other, second[2] - other)).log_evidence)
    assert total <= 1 + 1e-12


def test_without_any_request_the_e_value_is_one():
    assert RollbackEvidence.fresh(1.25).log_evidence == pytest.approx(0)
    assert RollbackEvidence.fresh(1.25).restarted().restarted().log_evidence == pytest.approx(0)


def test_only_odds_ratios_above_the_tolerated_one_are_alternatives():
    assert alternatives(1.25) == ODDS_RATIOS
    assert alternatives(1.5) == (2.0, 3.0, 5.0, 10.0, 30.0, 100.0)
    assert alternatives(10) == (30.0, 100.0)


def test_one_burst_cannot_roll_back_however_large(block):
    evidence = evidence_after(block, (1000, 9000, 1000, 0))
    assert evidence.log_evidence <= LOG_CAP


def test_the_order_of_blocks_does_not_matter(block):
    orders = {
        tuple(round(wealth, 9) for wealth in evidence_after(block, *order).log_wealth)
        for order in itertools.permutations([BURST, CLEAN, CLEAN, STABLE_BURST])
    }
    assert len(orders) == 1


def test_the_cap_is_on_each_component_so_a_burst_does_not_poison_the_small_odds_ratios(block):
    before, after = RollbackEvidence.fresh(1.25), evidence_after(block, BURST)
    gains = [end - start for start, end in zip(before.log_wealth, after.log_wealth, strict=True)]
    assert gains == pytest.approx([LOG_CAP] * len(ODDS_RATIOS))


def test_blocks_without_a_bad_answer_change_nothing(block):
    assert evidence_after(block, (50, 450, 0, 0)) == RollbackEvidence.fresh(1.25)


@given(
    st.lists(
        st.one_of(st.just("restart"), st.tuples(st.integers(1, 30), st.integers(0, 60), st.integers(0, 5), st.integers(0, 5))),
        max_size=12,
    )
)
@settings(max_examples=100, deadline=None)
def test_one_sum_per_alternative_equals_all_mixtures_kept_apart(block, events):
    """The stored sum is exact: keeping every mixture by itself gives the same e-value."""
    evidence = RollbackEvidence.fresh(1.25)
    mixtures = [[0.0] * len(ODDS_RATIOS)]
    for event in events:
        if event == "restart":
            evidence = evidence.restarted()
            mixtures.append([0.0] * len(ODDS_RATIOS))
            continue
        candidate, stable, candidate_bad, stable_bad = event
        counts = block(candidate, stable, min(candidate_bad, candidate), min(stable_bad, stable))
        evidence = evidence.after(counts)
        factors = log_capped_factors(counts, 1.25)
        mixtures = [[wealth + factor for wealth, factor in zip(mixture, factors, strict=True)] for mixture in mixtures]
    terms = [log_mean(mixture) - math.log(k * (k + 1)) for k, mixture in enumerate(mixtures, start=1)]
    unspent = 1 - sum(1 / (k * (k + 1)) for k in range(1, len(mixtures) + 1))
    assert evidence.log_evidence == pytest.approx(log_sum([*terms, math.log(unspent)]), abs=1e-9)


def test_a_fault_after_long_good_behaviour_is_found_in_less_than_twice_the_time(block):
    """Half a day of blocks in which only stable failed now and then, a fresh mixture every hour, then every tenth request fails."""
    old = RollbackEvidence.fresh(1.25)
    for hour in range(12):
        old = old.restarted() if hour else old
        for minute in range(240):
            old = old.after(block(15, 135, 0, 1 if minute % 2 else 0))
    assert blocks_to_bound(block, old.restarted()) <= 2 * blocks_to_bound(block, RollbackEvidence.fresh(1.25))


def test_without_restarts_good_behaviour_would_hide_the_fault(block):
    old = RollbackEvidence.fresh(1.25)
    for minute in range(2880):
        old = old.after(block(15, 135, 0, 1 if minute % 2 else 0))
    assert blocks_to_bound(block, old) > 2 * blocks_to_bound(block, RollbackEvidence.fresh(1.25))


def blocks_to_bound(block, evidence):
    count = 0
    while evidence.log_evidence < math.log(200):
        evidence = evidence.after(block(20, 180, 2, 1))
        count += 1
    return count
