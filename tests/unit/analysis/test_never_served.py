"""A candidate that never gave a good answer is found before its blocks close; one that ever did is not."""

import pytest

from headgate_operator.api import spec
from headgate_operator.rollout.analysis import reweigh
from headgate_operator.rollout.analysis.failing import fewest_failures


def polls(begun, *counts, stable=(30, 0)):
    """Whether each poll, 3 s apart, finds a hard failure; counts are the candidate's (requests, bad ones)."""
    return [begun.after(3, candidate=count, stable=stable).all_failing is not None for count in counts]


def test_a_candidate_that_never_answers_well_is_found_at_the_third_poll_of_ten_requests_a_second(session):
    assert polls(session(), (3, 3), (3, 3), (3, 3)) == [False, False, True]


def test_the_message_has_the_numbers_of_the_open_block(session):
    begun = session()
    polls(begun, (3, 3), (3, 3))
    found = begun.after(3, candidate=(3, 3), stable=(30, 0))
    assert found.all_failing.message == "all of the last 6 requests failed, over 1 block; meanwhile 0.0% of 60 failed on stable"


def test_one_poll_is_not_enough_however_many_fail_in_it(session):
    assert polls(session(), (3, 3), (9, 9), stable=(90, 0)) == [False, False]


@pytest.mark.parametrize("fourth", [(3, 3), (9, 9)])
def test_a_good_answer_in_the_open_block_speaks_for_the_candidate(session, fourth):
    assert polls(session(), (3, 3), (2, 1), (2, 2), fourth) == [False] * 4


def test_a_blip_of_seconds_after_any_good_answer_is_no_hard_failure(session):
    begun = session().past_the_discarded_block()
    begun.after(15, candidate=(1, 0), stable=(90, 0))
    assert polls(begun, (3, 3), (3, 3), (3, 3)) == [False] * 3


def test_one_clients_burst_at_low_traffic_is_no_hard_failure(session):
    """Stable's traffic promised the candidate one request; ten that fail are somebody's, not everybody's."""
    assert polls(session(), (0, 0), (5, 5), (4, 4), stable=(3, 0)) == [False] * 3


def test_an_ill_world_is_no_hard_failure(session):
    assert polls(session(), (3, 3), (3, 3), (3, 3), stable=(30, 6)) == [False] * 3


def test_what_fails_before_the_weight_changed_does_not_count(session):
    begun = session()
    polls(begun, (3, 3), (3, 3))
    begun.status = reweigh(begun.status, weight=10, now=begun.now)
    begun.look()
    assert polls(begun, (3, 3), (3, 3), (3, 3)) == [False, False, True]


def test_the_fewest_failures_are_those_that_a_tolerable_version_has_in_one_of_a_thousand_rollouts():
    assert [fewest_failures(tolerated) for tolerated in (1, 1.25, 1.5, 3, 10)] == [5, 5, 6, 9, 20]
    for tolerated in (1, 1.25, 1.5, 3):
        odds = 0.25 * tolerated
        share, fewest = odds / (1 + odds), fewest_failures(tolerated)
        assert share**fewest < 1e-3 <= share ** (fewest - 1)


def test_a_metric_that_tolerates_more_asks_for_more_failures(session):
    tolerant = spec.Analysis(metrics=[spec.Metric(name="errors", preset=spec.MetricPreset.GATEWAY_ERRORS, tolerate=3)])
    assert polls(session(settings=tolerant), (3, 3), (3, 3), (3, 3), (3, 3)) == [False, False, False, True]
