"""Missing evidence is never good evidence, and never bad evidence either."""

from datetime import timedelta

import pytest

from headgate_operator.api.status import Verdict
from headgate_operator.rollout.observed import Reading, Scrape, SlotCounters


def good_session(session):
    begun = session().past_the_discarded_block()
    for _ in range(12):
        begun.after(3, candidate=(50, 0), stable=(450, 0))
    assert begun.look().promotable
    return begun


def test_a_provider_error_holds_the_state_and_promotes_nothing(session):
    begun = good_session(session)
    before = begun.status
    found = begun.look(Reading(error="http://proxy-a did not answer within 2s"))
    assert begun.status == before
    assert [outcome.verdict for outcome in found.outcomes] == [Verdict.PROVIDER_ERROR] * 2
    assert found.outcomes[0].message == "http://proxy-a did not answer within 2s"
    assert (found.promotable, found.worse, found.available) == (False, None, False)


def test_after_a_provider_error_the_open_block_goes_on(session):
    begun = session().past_the_discarded_block()
    begun.now += timedelta(seconds=3)
    begun.gateway.serve(1, 7)
    begun.look(Reading(error="refused"))
    assert begun.after(12, candidate=(8, 0), stable=(50, 0)).kept_requests == 15


def test_a_reading_of_long_ago_is_a_provider_error(session):
    begun = session()
    old = begun.gateway.reading(begun.now)
    begun.now += timedelta(minutes=5)
    found = begun.look(old)
    assert found.outcomes[0].verdict is Verdict.PROVIDER_ERROR
    assert "http://proxy-a" in found.outcomes[0].message


@pytest.mark.parametrize(("missing", "name"), [(1, "candidate"), (0, "stable version")])
def test_a_slot_without_series_has_no_data_and_says_which(session, missing, name):
    begun = good_session(session)
    del begun.gateway.proxies["http://proxy-a"][missing]
    begun.now += timedelta(seconds=3)
    found = begun.look()
    assert [outcome.verdict for outcome in found.outcomes] == [Verdict.NO_DATA] * 2
    assert found.outcomes[0].message == f"http://proxy-a has no series for the {name} (slot {missing})"
    assert not found.promotable
    assert not found.available


def test_a_slot_that_comes_back_begins_with_a_baseline(session):
    begun = session().past_the_discarded_block()
    slot = begun.gateway.proxies["http://proxy-a"].pop(1)
    begun.now += timedelta(seconds=3)
    begun.look()
    begun.gateway.proxies["http://proxy-a"][1] = slot | {"rq_5xx": 500}
    begun.now += timedelta(seconds=3)
    begun.look()
    begun.after(15, candidate=(20, 0), stable=(180, 0))
    assert begun.metric().bad.candidate == 0
    assert begun.metric().total.candidate == 20


def test_a_reading_without_proxies_has_no_data(session):
    found = session().look(Reading())
    assert found.outcomes[0].verdict is Verdict.NO_DATA


def test_classes_that_are_filtered_out_have_no_data(session):
    begun = session()
    slots = tuple(SlotCounters(slot=slot, counters={"latency_count": 50.0, "latency_le_250": 50.0}) for slot in (0, 1))
    found = begun.look(Reading(scrapes=(Scrape(proxy="http://proxy-a", at=begun.now, slots=slots),)))
    assert [outcome.verdict for outcome in found.outcomes] == [Verdict.NO_DATA, Verdict.UNDECIDED]


def test_one_proxy_that_has_not_heard_of_the_candidate_yet_does_not_stop_the_others(session):
    begun = session(proxies=("http://proxy-a", "http://proxy-b"))
    del begun.gateway.proxies["http://proxy-b"][1]
    begun.past_the_discarded_block()
    found = begun.after(15, candidate=(20, 0), stable=(180, 0))
    assert found.available
    assert found.kept_requests == 20
