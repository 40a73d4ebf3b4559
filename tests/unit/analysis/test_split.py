"""A candidate that gets another share of the traffic than its weight is noticed, with numbers."""

import random

from headgate_operator.rollout.analysis import reweigh


def test_a_share_that_contradicts_the_weight_is_noticed_with_numbers(session):
    begun = session(weight=10).past_the_discarded_block()
    assert begun.after(15, candidate=(40, 0), stable=(150, 0)).split_mismatch is None
    found = begun.after(15, candidate=(40, 0), stable=(150, 0))
    assert found.split_mismatch == "the candidate got 21.1% of 380 requests, which should be 10%; chance does not explain that"


def test_too_little_traffic_is_noticed_too(session):
    begun = session(weight=50).past_the_discarded_block()
    assert begun.after(15, candidate=(60, 0), stable=(240, 0)).split_mismatch is not None


def test_a_share_as_it_should_be_is_no_mismatch(session):
    begun = session(weight=10).past_the_discarded_block()
    for _ in range(50):
        assert begun.after(15, candidate=(21, 0), stable=(180, 0)).split_mismatch is None


def test_the_discarded_block_says_nothing_about_the_split(session):
    begun = session(weight=10)
    assert begun.after(15, candidate=(500, 0), stable=(10, 0)).split_mismatch is None
    assert begun.status.split.candidate == 0


def test_a_change_of_the_weight_begins_anew(session):
    begun = session(weight=10).past_the_discarded_block()
    begun.after(15, candidate=(80, 0), stable=(300, 0))
    begun.status = reweigh(begun.status, weight=25, now=begun.now)
    assert begun.look().split_mismatch is None
    assert (begun.status.split.candidate, begun.status.split.stable) == (0, 0)


def test_with_so_little_traffic_that_most_blocks_have_no_candidate_request_the_share_is_still_right(session):
    """Blocks without a candidate request count here, or a candidate with 5 % would seem to get most of the traffic."""
    rng, begun = random.Random(2), session(weight=5)
    begun.after(15, candidate=(1, 0))
    for _ in range(1500):
        candidate = rng.random() < 0.05
        found = begun.after(15, candidate=(int(candidate), 0), stable=(int(not candidate), 0))
        assert found.split_mismatch is None
    assert begun.status.split.candidate + begun.status.split.stable == 1500


def test_a_candidate_without_any_request_has_no_traffic_rather_than_a_wrong_share(session):
    begun = session(weight=10)
    begun.after(15, stable=(1, 0))
    found = begun.after(15, stable=(500, 0))
    assert found.no_traffic is not None
    assert found.split_mismatch is None
