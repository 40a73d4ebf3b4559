"""Only a version that is worse fails from its first request on, whatever the traffic and the weather."""

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate_operator.stats.first_failures import log_evidence_of_first_failures

SHARES = st.fractions(Fraction(1, 100), Fraction(99, 100))
TOLERATED = st.sampled_from([Fraction(1), Fraction(5, 4), Fraction(3, 2), Fraction(3)])
CHANCES = st.lists(st.fractions(Fraction(0), Fraction(99, 100)), min_size=1, max_size=6)


def odds_times(chance, factor):
    return factor * chance / (1 - chance + factor * chance)


@given(share=SHARES, tolerated=TOLERATED, stable=CHANCES, part=st.fractions(Fraction(0), Fraction(1)))
@settings(max_examples=60, deadline=None)
def test_after_the_first_failure_its_expectation_is_at_most_one_for_any_series_of_bad_shares(share, tolerated, stable, part):
    """Every course of so many requests, each with its own chance to fail; the candidate's odds are `part` of what is tolerated."""
    expected = Fraction(0)
    for course in itertools.product(("candidate", "good", "stable"), repeat=len(stable)):  # its good answer ends it: worth nothing
        chance, failures, others = Fraction(1), 1, 0
        for chosen, stable_bad in zip(course, stable, strict=True):
            candidate_bad = odds_times(stable_bad, tolerated * part)
            chance *= {"candidate": share * candidate_bad, "stable": (1 - share) * stable_bad, "good": (1 - share) * (1 - stable_bad)}[
                chosen
            ]
            failures, others = failures + (chosen == "candidate"), others + (chosen == "stable")
        value = math.exp(log_evidence_of_first_failures(failures, others, share=float(share), tolerated=float(tolerated)))
        expected += chance * Fraction(value)
    assert expected <= 1 + 1e-9


def test_it_begins_with_the_first_failure_which_is_not_counted():
    assert log_evidence_of_first_failures(0, 0, share=0.1, tolerated=1.25) == 0
    assert log_evidence_of_first_failures(1, 0, share=0.1, tolerated=1.25) == 0
    assert log_evidence_of_first_failures(1, 2, share=0.1, tolerated=1.25) == pytest.approx(-2 * math.log(4))


def test_a_version_with_all_the_traffic_gains_no_evidence():
    assert log_evidence_of_first_failures(1000, 0, share=1.0, tolerated=1.25) == 0


def test_five_failures_at_ten_percent_beside_a_stable_without_any_are_one_in_a_thousand():
    assert (
        log_evidence_of_first_failures(5, 0, share=0.1, tolerated=1.25)
        >= math.log(1000)
        > log_evidence_of_first_failures(4, 0, share=0.1, tolerated=1.25)
    )


def test_more_tolerance_and_more_traffic_make_every_failure_say_less():
    gains = [log_evidence_of_first_failures(5, 0, share=0.1, tolerated=tolerated) for tolerated in (1, 1.25, 1.5, 3)]
    assert gains == sorted(gains, reverse=True)
    gains = [log_evidence_of_first_failures(5, 0, share=share, tolerated=1.25) for share in (0.01, 0.1, 0.5, 0.9)]
    assert gains == sorted(gains, reverse=True)
