"""When a block closes, what is in it, and that it is counted once."""

from datetime import timedelta

import pytest

CLEAN = {"candidate": (20, 0), "stable": (180, 0)}


def test_the_first_reading_is_only_a_baseline(session):
    begun = session()
    assert {(sample.metric, sample.slot) for sample in begun.status.samples} == {
        ("errors", 0),
        ("errors", 1),
        ("latency", 0),
        ("latency", 1),
    }
    assert begun.metric().total.candidate == 0


def test_the_first_block_after_a_weight_change_is_discarded(session):
    begun = session()
    found = begun.after(15, candidate=(20, 20), stable=(180, 0))
    assert found.kept_requests == 0
    assert begun.metric().total.candidate == 0
    assert begun.metric().evidence == 0
    assert begun.after(15, **CLEAN).kept_requests == 20


def test_a_block_closes_after_a_fifth_of_the_interval_once_the_candidate_had_ten_requests(session):
    begun = session().past_the_discarded_block()
    assert begun.after(2, candidate=(30, 0), stable=(50, 0)).kept_requests == 0
    assert begun.after(1, candidate=(1, 0), stable=(50, 0)).kept_requests == 31


def test_a_block_with_fewer_requests_closes_after_the_interval(session):
    begun = session().past_the_discarded_block()
    assert begun.after(3, candidate=(4, 0), stable=(50, 0)).kept_requests == 0
    assert begun.after(9, candidate=(5, 0), stable=(50, 0)).kept_requests == 0
    assert begun.after(3, stable=(10, 0)).kept_requests == 9


def test_with_hardly_any_traffic_a_block_waits_for_a_few_requests_whosever_they_are(session):
    begun = session().past_the_discarded_block()
    assert begun.after(15, candidate=(1, 1), stable=(2, 0)).kept_requests == 0
    assert begun.after(15, stable=(1, 0)).kept_requests == 0
    assert begun.after(15, stable=(1, 0)).kept_requests == 1
    assert begun.metric().total.stable == 4


def test_the_block_that_is_discarded_closes_as_soon_as_any_may(session):
    begun = session()
    begun.after(3, candidate=(1, 1), stable=(2, 0))
    assert begun.after(15, candidate=(1, 0), stable=(9, 0)).kept_requests == 1


def test_how_many_requests_failed_does_not_decide_when_a_block_closes(session):
    good, bad = session().past_the_discarded_block(), session().past_the_discarded_block()
    assert (
        good.after(3, candidate=(9, 0), stable=(50, 0)).kept_requests == bad.after(3, candidate=(9, 9), stable=(50, 50)).kept_requests == 0
    )


def test_a_block_without_a_candidate_request_is_dropped_and_its_time_does_not_run_on(session):
    begun = session().past_the_discarded_block()
    begun.after(15, stable=(50, 50))
    assert begun.metric().total.stable == 0
    assert begun.after(3, candidate=(9, 0), stable=(10, 0)).kept_requests == 0


def test_the_same_reading_twice_counts_once(session):
    begun = session().past_the_discarded_block()
    begun.after(15, candidate=(20, 3), stable=(180, 1))
    counted = begun.status
    again = begun.look()
    assert begun.status == counted == again.status
    assert again.kept_requests == 0


def test_a_pass_that_closes_nothing_leaves_the_state_as_it_is(session):
    begun = session().past_the_discarded_block()
    before = begun.status
    begun.after(1, candidate=(3, 1), stable=(20, 0))
    assert begun.status == before


def test_after_a_crash_before_the_status_was_written_the_block_is_counted_once(session):
    begun = session().past_the_discarded_block()
    stored = begun.status
    lost = begun.after(15, candidate=(20, 3), stable=(180, 1)).status
    begun.status = stored
    assert begun.look().status == lost


def test_a_restarted_proxy_voids_its_own_difference_only(session):
    begun = session(proxies=("http://proxy-a", "http://proxy-b")).past_the_discarded_block()
    gateway = begun.gateway
    for proxy, bad in (("http://proxy-a", 1), ("http://proxy-b", 0)):
        gateway.serve(1, 20, bad=bad, proxy=proxy)
        gateway.serve(0, 180, proxy=proxy)
    begun.after(15)
    gateway.restart("http://proxy-b")
    gateway.serve(1, 5, bad=5, proxy="http://proxy-b")
    begun.after(15, candidate=(20, 0), stable=(180, 0))
    assert begun.metric().total.candidate == 60
    assert begun.metric().bad.candidate == 1


def test_a_restarted_proxy_counts_again_from_its_new_baseline(session):
    begun = session().past_the_discarded_block()
    begun.gateway.restart("http://proxy-a")
    begun.after(15, candidate=(20, 0), stable=(180, 0))
    assert begun.metric().total.candidate == 0
    begun.after(15, candidate=(30, 0), stable=(180, 0))
    assert begun.metric().total.candidate == 30


def test_a_new_proxy_begins_with_a_baseline(session):
    begun = session().past_the_discarded_block()
    begun.gateway.proxies["http://proxy-new"] = {}
    begun.gateway.restart("http://proxy-new")
    begun.gateway.serve(1, 500, bad=500, proxy="http://proxy-new")
    begun.gateway.serve(0, 10, proxy="http://proxy-new")
    begun.after(15, **CLEAN)
    assert begun.metric().bad.candidate == 0


def test_a_response_class_seen_for_the_first_time_counts_from_zero(session):
    begun = session().past_the_discarded_block()
    begun.after(15, candidate=(20, 2), stable=(180, 0))
    assert (begun.metric().bad.candidate, begun.metric().total.candidate) == (2, 20)


def test_erased_classes_void_the_block_instead_of_reading_as_total_failure(session):
    begun = session().past_the_discarded_block()
    slot = begun.gateway.proxies["http://proxy-a"][1]
    del slot["rq_2xx"]
    begun.gateway.serve(1, 3, bad=3)
    begun.after(15, stable=(180, 0))
    assert begun.metric().bad.candidate == 0
    assert begun.metric().fail_streak.requests == 0


@pytest.mark.parametrize("code", [1, 4, 5])
def test_every_answer_that_is_not_2xx_or_3xx_is_bad(session, code):
    begun = session().past_the_discarded_block()
    begun.gateway.serve(1, 20, bad=5, code=code)
    begun.after(15, stable=(180, 0))
    assert begun.metric().bad.candidate == 5


def test_redirects_are_good(session):
    begun = session().past_the_discarded_block()
    begun.gateway.serve(1, 20, bad=5, code=3)
    begun.after(15, stable=(180, 0))
    assert begun.metric().bad.candidate == 0


def test_a_clock_that_was_set_back_takes_a_new_baseline(session):
    begun = session().past_the_discarded_block()
    begun.now -= timedelta(hours=1)
    begun.after(0, candidate=(5, 0), stable=(50, 0))
    assert begun.after(15, **CLEAN).kept_requests == 20


def test_an_older_reading_changes_nothing(session):
    begun = session()
    old = begun.gateway.reading(begun.now + timedelta(seconds=8))
    begun.past_the_discarded_block()
    begun.after(15, **CLEAN)
    before = begun.status
    begun.now -= timedelta(seconds=2)
    begun.look(begun.gateway.reading(begun.now))
    assert begun.status == before
    begun.now += timedelta(seconds=2)
    begun.look(old)
    assert begun.metric().total == before.metrics[0].total
