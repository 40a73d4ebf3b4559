"""What follows from counted blocks: worse, all failing, good enough, or more requests."""

import math
from datetime import timedelta

import pytest

from headgate_operator.api import spec
from headgate_operator.api.spec import Metric, MetricPreset
from headgate_operator.api.status import FailStreak, Verdict
from headgate_operator.rollout.analysis import poll_interval, reweigh

ERRORS_ONLY = spec.Analysis(metrics=[Metric(name="errors", preset=MetricPreset.GATEWAY_ERRORS)])


def test_counters_are_read_five_times_an_interval():
    assert poll_interval(spec.Analysis(interval=timedelta(seconds=15))) == timedelta(seconds=3)


def test_a_failing_candidate_is_worse_after_several_blocks_and_never_after_one(session):
    begun = session().past_the_discarded_block()
    verdicts = [begun.after(3, candidate=(20, 4), stable=(180, 0)).worse is not None for _ in range(8)]
    assert verdicts.index(True) == 5
    assert begun.metric().verdict is Verdict.WORSE


def test_the_message_of_a_worse_candidate_has_the_numbers(session):
    begun = session().past_the_discarded_block()
    for _ in range(6):
        found = begun.after(3, candidate=(20, 4), stable=(180, 0))
    assert found.worse.metric == "errors"
    assert found.worse.message == "20.0% of 120 requests failed, 0.0% of 1080 to stable; evidence 5.8 of 5.3"
    assert begun.metric().message == found.worse.message


def test_a_worse_candidate_is_still_worse_when_the_same_reading_is_judged_again(session):
    begun = session().past_the_discarded_block()
    for _ in range(6):
        begun.after(3, candidate=(20, 4), stable=(180, 0))
    assert begun.look().worse is not None


def test_the_false_rollback_rate_is_shared_by_all_metrics(session):
    both, one = session().past_the_discarded_block(), session(settings=ERRORS_ONLY).past_the_discarded_block()
    for begun in (both, one):
        begun.after(3, candidate=(20, 1), stable=(180, 0))
    assert both.metric().bound == pytest.approx(math.log(200))
    assert one.metric().bound == pytest.approx(math.log(100))


def test_a_clean_candidate_is_promotable_and_not_before_there_is_evidence(session):
    begun = session().past_the_discarded_block()
    promotable = [begun.after(3, candidate=(25, 0), stable=(225, 0)).promotable for _ in range(12)]
    assert promotable.index(True) in (8, 9)
    assert begun.metric().verdict is Verdict.NOT_WORSE
    assert begun.metric().promotion_evidence >= begun.metric().promotion_bound == pytest.approx(math.log(20))


def test_without_any_request_nothing_is_promotable(session):
    begun = session()
    found = begun.after(15, stable=(10, 0))
    assert not found.promotable
    assert found.outcomes[0].verdict is Verdict.UNDECIDED
    assert found.outcomes[0].message == "no candidate request has been counted yet"


def test_one_metric_without_evidence_keeps_the_other_from_promoting(session):
    begun = session().past_the_discarded_block()
    for _ in range(30):
        begun.now += timedelta(seconds=3)
        begun.gateway.serve(1, 25, slow=2)
        begun.gateway.serve(0, 75, slow=3)
        found = begun.look()
    assert [outcome.verdict for outcome in found.outcomes] == [Verdict.NOT_WORSE, Verdict.UNDECIDED]
    assert not found.promotable
    assert found.worse is None


def test_worse_beats_promotion_in_the_same_block(session):
    """A mean of evidence may have both: a long clean record, and a fresh fault."""
    begun = session().past_the_discarded_block()
    for _ in range(12):
        begun.after(3, candidate=(200, 0), stable=(1800, 0))
    assert begun.metric().verdict is Verdict.NOT_WORSE
    begun.status = begun.status.model_copy(
        update={"metrics": [metric.model_copy(update={"evidence": 99.0}) for metric in begun.status.metrics]}
    )
    found = begun.look()
    assert found.worse is not None
    assert not found.promotable


def test_undecided_says_how_many_requests_are_still_needed(session):
    begun = session().past_the_discarded_block()
    found = begun.after(3, candidate=(20, 0), stable=(180, 0))
    needed = begun.metric().requests_needed
    assert needed in range(180, 230)
    assert f"about {needed} more candidate requests until a decision" in found.outcomes[0].message


def all_fail(begun, blocks, *, stable=(100, 1), candidate=10):
    return [begun.after(3, candidate=(candidate, candidate), stable=stable).all_failing is not None for _ in range(blocks)]


def test_twenty_failures_in_a_row_over_two_blocks_are_a_hard_failure(session):
    assert all_fail(session().past_the_discarded_block(), 3) == [False, True, True]


def test_twenty_failures_in_one_block_are_not_enough(session):
    assert all_fail(session().past_the_discarded_block(), 2, candidate=40) == [False, True]


def test_the_message_of_a_hard_failure_has_the_numbers(session):
    begun = session().past_the_discarded_block()
    all_fail(begun, 1)
    found = begun.after(3, candidate=(12, 12), stable=(100, 1))
    assert found.all_failing.message == "all of the last 22 requests failed, over 2 blocks; meanwhile 1.0% of 200 failed on stable"


def test_one_good_answer_ends_the_streak(session):
    begun = session().past_the_discarded_block()
    all_fail(begun, 1)
    assert begun.after(3, candidate=(10, 9), stable=(100, 0)).all_failing is None
    assert begun.metric().fail_streak == FailStreak()


def test_when_stable_is_ill_too_the_world_is_ill(session):
    assert not any(all_fail(session().past_the_discarded_block(), 4, stable=(100, 20)))


def test_without_stable_requests_beside_it_a_failing_candidate_says_nothing(session):
    assert not any(all_fail(session().past_the_discarded_block(), 4, stable=(4, 0)))


def test_a_block_without_requests_does_not_end_the_streak(session):
    begun = session().past_the_discarded_block()
    all_fail(begun, 1)
    begun.after(15, stable=(100, 0))
    assert all_fail(begun, 1) == [True]


def test_a_suspended_candidate_that_comes_back_begins_a_new_streak(session):
    begun = session().past_the_discarded_block()
    all_fail(begun, 2)
    begun.status = reweigh(begun.status, weight=10, now=begun.now)
    assert begun.look().all_failing is None
    assert all_fail(begun, 3) == [False, False, True]


def test_slow_answers_are_never_a_hard_failure(session):
    begun = session().past_the_discarded_block()
    for _ in range(3):
        begun.now += timedelta(seconds=3)
        begun.gateway.serve(1, 20, slow=20)
        begun.gateway.serve(0, 180)
        assert begun.look().all_failing is None


def test_traffic_that_never_reaches_the_candidate_is_noticed_with_numbers(session):
    begun = session(weight=10)
    assert begun.after(15, stable=(83, 0)).no_traffic is None
    silence = begun.after(15, stable=(5, 0)).no_traffic
    assert silence is not None
    assert silence.startswith("none of 88 answered requests was the candidate's, which should get 10% of them: ")
    assert begun.after(15, candidate=(1, 0), stable=(9, 0)).no_traffic is None
    assert begun.status.silent_requests == 0


def test_a_change_of_the_tolerance_begins_new_evidence(session):
    begun = session(settings=ERRORS_ONLY).past_the_discarded_block()
    begun.after(3, candidate=(20, 5), stable=(180, 0))
    assert begun.metric().evidence > 0
    begun.settings = spec.Analysis(metrics=[Metric(name="errors", preset=MetricPreset.GATEWAY_ERRORS, tolerate=2.0)])
    begun.look()
    assert begun.metric().evidence == 0
    assert begun.metric().total.candidate == 0


def test_a_change_of_the_latency_bound_begins_new_evidence(session):
    def latency(milliseconds):
        bound = timedelta(milliseconds=milliseconds)
        return spec.Analysis(metrics=[Metric(name="latency", preset=MetricPreset.GATEWAY_LATENCY, slower_than=bound)])

    begun = session(settings=latency(250)).past_the_discarded_block()
    begun.after(3, candidate=(20, 0), stable=(180, 0))
    begun.settings = latency(500)
    begun.after(3, candidate=(20, 0), stable=(180, 0))
    assert begun.metric("latency").total.candidate == 0
    assert begun.after(3, candidate=(20, 0), stable=(180, 0)).kept_requests == 0
    assert begun.after(3, candidate=(20, 0), stable=(180, 0)).kept_requests == 20


def test_a_change_of_the_false_rollback_rate_keeps_the_evidence(session):
    begun = session(settings=ERRORS_ONLY).past_the_discarded_block()
    for _ in range(3):
        found = begun.after(3, candidate=(20, 5), stable=(180, 0))
    assert found.worse is None
    begun.settings = ERRORS_ONLY.model_copy(update={"false_rollback_rate": 0.2})
    assert begun.look().worse is not None
