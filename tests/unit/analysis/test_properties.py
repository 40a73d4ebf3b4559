"""Whatever counters do that is not an answer to a request, it is never evidence; and a restart anywhere changes nothing."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from headgate_operator.api.status import AnalysisStatus
from headgate_operator.rollout.analysis import analyse

PROXIES = ("http://proxy-a", "http://proxy-b")
SERVED = st.tuples(st.integers(0, 30), st.integers(0, 4))
PASSES = st.lists(st.tuples(st.sampled_from([1.0, 3.0, 15.0]), SERVED, SERVED), min_size=1, max_size=12)
MISCHIEF = st.lists(st.sampled_from(["reset", "repeat", "older", "vanish", "skew", "serve"]), min_size=1, max_size=20)


def sound(served):
    requests, bad = served
    return requests, min(bad, requests)


@given(passes=PASSES)
@settings(max_examples=40, deadline=None)
def test_a_restart_after_any_pass_gives_the_identical_state(session, passes):
    """Kept in memory all the time, or written to the API server and read again after every pass: the state is the same to the last bit."""
    begun = session()
    memory = begun.status
    for seconds, candidate, stable in passes:
        begun.after(seconds, candidate=sound(candidate), stable=sound(stable))
        memory = analyse(begun.settings, memory, begun.gateway.reading(begun.now), now=begun.now).status
        assert AnalysisStatus.model_validate_json(memory.model_dump_json(by_alias=True)) == begun.status


@given(passes=PASSES, data=st.data())
@settings(max_examples=40, deadline=None)
def test_readings_that_come_twice_or_late_change_nothing(session, passes, data):
    plain, disturbed = session(), session()
    seen = [disturbed.gateway.reading(disturbed.now)]
    for seconds, candidate, stable in passes:
        for begun in (plain, disturbed):
            begun.after(seconds, candidate=sound(candidate), stable=sound(stable))
        seen.append(disturbed.gateway.reading(disturbed.now))
        recent = [reading for reading in seen if disturbed.now - reading.scrapes[0].at < timedelta(seconds=14)]
        disturbed.look(data.draw(st.sampled_from(recent)))
    assert disturbed.status == plain.status


@given(mischief=MISCHIEF, shift=st.floats(-20, 20))
@settings(max_examples=60, deadline=None)
def test_resets_lost_slots_repeated_readings_and_unequal_clocks_never_create_a_bad_answer(session, mischief, shift):
    """Only good answers are served, so any bad one would be made of nothing."""
    begun = session(proxies=PROXIES)
    older = begun.gateway.reading(begun.now)
    for number, what in enumerate(mischief):
        begun.now += timedelta(seconds=3)
        proxy = PROXIES[number % 2]
        if what == "reset":
            begun.gateway.restart(proxy)
        for slot, requests in ((0, 90), (1, 12)):
            begun.gateway.serve(slot, requests, proxy=proxy)
        reading = begun.gateway.reading(begun.now)
        if what == "vanish":
            first, *others = reading.scrapes
            reading = replace(reading, scrapes=(replace(first, slots=first.slots[:1]), *others))
        if what == "skew":
            first, *others = reading.scrapes
            reading = replace(reading, scrapes=(replace(first, at=first.at + timedelta(seconds=shift)), *others))
        found = begun.look(older if what == "older" else reading)
        if what == "repeat":
            begun.look(reading)
        assert found.worse is None
        assert found.all_failing is None
        older = reading
    for metric in begun.status.metrics:
        assert (metric.bad.candidate, metric.bad.stable, metric.faults) == (0, 0, 0)
        assert abs(metric.evidence) < 1e-9
    served = 12 * len(mischief)
    assert begun.metric().total.candidate <= served


FAULTS = st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 60))


@given(mischief=st.lists(st.tuples(st.sampled_from(["reset", "repeat", "older", "vanish", "serve"]), FAULTS), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_whatever_happens_to_counters_nothing_is_counted_that_was_not_served(session, mischief):
    """Both versions fail now and then; requests may be lost, but none is counted twice, and no bad answer becomes two."""
    begun = session(proxies=PROXIES)
    served = failed = others = others_failed = 0
    older = begun.gateway.reading(begun.now)
    for number, (what, (requests, bad, stable_bad)) in enumerate(mischief):
        begun.now += timedelta(seconds=5)
        proxy, bad = PROXIES[number % 2], min(bad, requests)
        if what == "reset":
            begun.gateway.restart(proxy)
        begun.gateway.serve(1, requests, bad=bad, proxy=proxy)
        begun.gateway.serve(0, 60, bad=stable_bad, proxy=proxy)
        served, failed, others, others_failed = served + requests, failed + bad, others + 60, others_failed + stable_bad
        reading = begun.gateway.reading(begun.now)
        if what == "vanish":
            reading = replace(reading, scrapes=reading.scrapes[1:])
        begun.look(older if what == "older" else reading)
        if what == "repeat":
            begun.look(reading)
        older = reading
    metric = begun.metric()
    assert (metric.total.candidate <= served, metric.bad.candidate <= failed) == (True, True)
    assert (metric.total.stable <= others, metric.bad.stable <= others_failed) == (True, True)
