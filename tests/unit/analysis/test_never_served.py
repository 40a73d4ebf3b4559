"""A candidate that never gave a good answer is found before its blocks close; one that ever did is not."""

import random

import pytest

from headgate_operator.api import spec
from headgate_operator.api.status import FailStreak
from headgate_operator.rollout.analysis import reweigh
from headgate_operator.rollout.analysis.failing import has_never_served, longer_streak
from headgate_operator.stats.block import Block

ERRORS = spec.Metric(name="errors", preset=spec.MetricPreset.GATEWAY_ERRORS)


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


def test_a_metric_that_tolerates_more_asks_for_more_failures(session):
    tolerant = spec.Analysis(metrics=[spec.Metric(name="errors", preset=spec.MetricPreset.GATEWAY_ERRORS, tolerate=3)])
    assert polls(session(settings=tolerant), (3, 3), (3, 3), (3, 3), (3, 3)) == [False, False, False, True]


@pytest.mark.parametrize(("stable_bad", "at_poll"), [(0, 3), (1, 3), (2, 4), (3, 4)])
def test_every_failure_of_stable_asks_for_more_of_the_candidate(session, stable_bad, at_poll):
    begun = session()
    found = [begun.after(3, candidate=(3, 3), stable=(60, stable_bad if poll == 1 else 0)).all_failing is not None for poll in range(4)]
    assert found == [poll + 1 >= at_poll for poll in range(4)]


def test_failures_of_stable_in_a_block_without_candidate_requests_count_too(session):
    """Two requests fail on the candidate, then twelve on stable alone, then four on the candidate: that is the world."""
    begun = session()
    begun.after(3, candidate=(1, 1), stable=(30, 0))
    begun.after(15, candidate=(2, 2), stable=(90, 0))
    begun.after(15, candidate=(0, 0), stable=(30, 12))
    assert begun.metric().fail_streak == FailStreak(requests=2, blocks=1, stable_bad=12, stable_total=120)
    assert begun.after(15, candidate=(4, 4), stable=(90, 0)).all_failing is None


def test_silence_before_the_first_failure_is_no_part_of_the_streak(session):
    begun = session()
    begun.after(3, stable=(30, 0))
    begun.after(15, stable=(90, 0))
    assert begun.metric().fail_streak == FailStreak()
    begun.after(15, candidate=(2, 2), stable=(30, 3))
    assert begun.metric().fail_streak == FailStreak(requests=2, blocks=1, stable_bad=3, stable_total=30)


def test_a_version_with_all_the_traffic_is_not_compared_with_nothing(session):
    begun = session(weight=100)
    assert polls(begun, (9, 9), (9, 9), stable=(0, 0)) == [False, False]


@pytest.mark.parametrize("weight", [1, 5, 25, 50, 90])
def test_at_every_weight_total_failure_is_found_and_five_failures_are_the_least(session, weight):
    begun, seen = session(weight=weight), 0
    begun.after(3, candidate=(1, 1), stable=(30, 0))
    for _ in range(200):
        seen += 1
        if begun.after(3, candidate=(1, 1), stable=(max(1, round(100 / weight) - 1), 0)).all_failing:
            break
    assert 5 <= seen <= 21


def rolled_back_at_once(rng, shares, *, weight, rate):
    """Whether a version as good as stable, at these bad shares, one a poll, is found to have never served; every poll is looked at."""
    streak = FailStreak()
    for poll, share in enumerate(shares):
        counts = [0, 0, 0, 0]
        for _ in range(rate):
            stable, bad = rng.random() >= weight / 100, rng.random() < share
            counts[2 * stable] += 1
            counts[2 * stable + 1] += bad
        if counts[1] < counts[0]:
            return False
        streak = longer_streak(
            streak, Block(candidate_total=counts[0], candidate_bad=counts[1], stable_total=counts[2], stable_bad=counts[3])
        )
        if has_never_served(ERRORS, streak, weight, outlasts_a_poll=poll > 0):
            return True
    return False


@pytest.mark.parametrize("weight", [5, 10, 50, 90])
@pytest.mark.parametrize(
    "shares",
    [[0.005] * 40, [0.7] * 40, [1.0, 1.0, 0.0, 0.0] * 10, [0.0] * 5 + [1.0] * 3 + [0.0] * 30, [0.15] * 40],
    ids=["steady", "a business KPI", "all or nothing", "a shared outage", "just below 20 %"],
)
def test_an_equally_good_version_is_hardly_ever_found_so(weight, shares):
    """At most 0.1 % are promised; 9 of 2,000 runs would have a probability below 0.1 %."""
    rng = random.Random(f"{weight}/{shares}")
    assert sum(rolled_back_at_once(rng, shares, weight=weight, rate=10) for _ in range(2000)) <= 8


def test_a_mirrors_copies_are_left_to_the_long_streak():
    streak = FailStreak(requests=19, blocks=2, stable_total=400)
    assert has_never_served(ERRORS, streak, 10, outlasts_a_poll=True)
    assert not has_never_served(ERRORS, streak, 0, outlasts_a_poll=True)
