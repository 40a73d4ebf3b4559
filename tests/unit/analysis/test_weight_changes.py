"""Evidence survives a change of weight; open blocks, baselines and streaks do not."""

from datetime import timedelta

from headgate_operator.rollout.analysis import begin, reweigh


def raised(begun, weight=25):
    begun.status = reweigh(begun.status, weight=weight, now=begun.now)
    return begun


def test_a_comparison_begins_without_evidence():
    status = begin(candidate="r1234abcd", candidate_slot=1, stable_slot=0, weight=5)
    assert (status.candidate, status.weight, status.samples, status.metrics) == ("r1234abcd", 5, [], [])


def test_a_change_of_weight_drops_the_open_block_and_discards_the_next(session):
    begun = session().past_the_discarded_block()
    begun.after(2, candidate=(9, 9), stable=(50, 0))
    raised(begun).look()
    assert begun.status.weight == 25
    assert begun.after(3, candidate=(30, 30), stable=(50, 0)).kept_requests == 0
    assert begun.after(3, candidate=(30, 0), stable=(50, 0)).kept_requests == 30
    assert begun.metric().bad.candidate == 0


def test_the_block_that_is_discarded_begins_at_the_change_and_not_before(session):
    begun = session().past_the_discarded_block()
    begun.after(12, candidate=(5, 0), stable=(50, 0))
    raised(begun).look()
    begun.after(2.5, candidate=(20, 20), stable=(50, 0))
    assert begun.after(3, candidate=(20, 20), stable=(50, 0)).kept_requests == 0


def test_evidence_and_counts_are_kept_over_a_change_of_weight(session):
    begun = session().past_the_discarded_block()
    for _ in range(3):
        begun.after(3, candidate=(20, 5), stable=(180, 0))
    before = begun.metric()
    raised(begun).look()
    after = begun.metric()
    assert after.promotion == before.promotion
    assert (after.total, after.evidence) == (before.total, before.evidence)
    assert after.mixture.started == before.mixture.started + 1


def test_a_mixture_that_counted_nothing_is_as_good_as_a_fresh_one(session):
    begun = session().past_the_discarded_block()
    begun.after(3, candidate=(20, 5), stable=(180, 0))
    raised(raised(raised(begun), weight=0), weight=25)
    assert begun.metric().mixture.started == 2


def test_a_fresh_mixture_starts_every_hour(session):
    begun = session().past_the_discarded_block()
    started = []
    for _ in range(9):
        begun.after(15, candidate=(20, 1), stable=(180, 9))
        begun.now += timedelta(minutes=15)
        begun.after(0, stable=(50, 0))
        started.append(begun.metric().mixture.started)
    assert started == [1, 1, 1, 1, 2, 2, 2, 2, 3]


def test_silence_is_counted_anew_at_another_weight(session):
    begun = session(weight=5)
    begun.after(15, stable=(100, 0))
    assert begun.status.silent_requests == 100
    assert raised(begun).status.silent_requests == 0
