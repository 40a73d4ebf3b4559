"""Metrics that count the same share a baseline. Each is still judged by itself, whatever is stored, added, removed or renamed meanwhile."""

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from headgate_operator.api import spec


def errors(name, **settings):
    return spec.Metric(name=name, preset=spec.MetricPreset.GATEWAY_ERRORS, **settings)


LENIENT, STRICT, LATENCY = (
    errors("lenient", tolerate=10),
    errors("strict", tolerate=1, maximum=0.01),
    spec.Metric(name="latency", preset=spec.MetricPreset.GATEWAY_LATENCY, slower_than="250ms"),
)


def analysis(*metrics):
    return spec.Analysis(metrics=list(metrics))


def with_metrics(begun, *metrics):
    """An edit of the manifest in the middle of the rollout."""
    begun.settings = analysis(*metrics)
    return begun


def bad_minutes(begun, count=10):
    return [begun.after(15, candidate=(20, 6), stable=(180, 8)) for _ in range(count)][-1]


def evidence(metric):
    """Everything that is concluded, without the bounds, which depend on how many metrics share the rate."""
    return metric.mixture, metric.promotion, metric.bad, metric.total, metric.faults, metric.fail_streak


def test_two_metrics_that_count_the_same_store_one_baseline_under_the_first_name(session):
    begun = session(settings=analysis(LENIENT, STRICT, LATENCY))
    begun.after(15, candidate=(20, 0), stable=(180, 0))
    assert {sample.metric for sample in begun.status.samples} == {"lenient", "latency"}


@pytest.mark.parametrize("metric", [LENIENT, STRICT], ids=lambda metric: metric.name)
def test_each_is_judged_by_its_own_tolerance_and_objective_as_if_it_were_alone(session, metric):
    together, alone = session(settings=analysis(LENIENT, STRICT)), session(settings=analysis(metric))
    found = [bad_minutes(begun) for begun in (together, alone)]
    assert evidence(together.metric(metric.name)) == evidence(alone.metric(metric.name))
    assert [outcome.verdict for outcome in found[0].outcomes] == ["Undecided", "Worse"]
    assert together.metric("strict").objective_evidence > 0 == together.metric("lenient").objective_evidence


def test_baselines_of_every_metric_as_an_earlier_release_stored_them_are_read_and_merged(session):
    plain, upgraded = (session(settings=analysis(LENIENT, STRICT)).past_the_discarded_block() for _ in range(2))
    copies = [sample.model_copy(update={"metric": "strict"}) for sample in upgraded.status.samples]
    upgraded.status = upgraded.status.model_copy(update={"samples": [*upgraded.status.samples, *copies]})
    for begun in (plain, upgraded):
        bad_minutes(begun)
    assert upgraded.status == plain.status


def test_a_metric_that_is_added_throws_its_first_block_away_and_disturbs_no_other(session):
    plain, edited = (session(settings=analysis(LENIENT)).past_the_discarded_block() for _ in range(2))
    bad_minutes(plain), bad_minutes(edited)
    with_metrics(edited, LENIENT, STRICT)
    for begun in (plain, edited):
        begun.after(15, candidate=(20, 6), stable=(180, 8))
    assert edited.metric("strict").total.candidate == 0
    for begun in (plain, edited):
        begun.after(15, candidate=(20, 6), stable=(180, 8))
    assert edited.metric("strict").total.candidate == 20
    assert evidence(edited.metric("lenient")) == evidence(plain.metric("lenient"))


@pytest.mark.parametrize("left", [(STRICT,), (STRICT, LENIENT)], ids=["the first is removed", "they change places"])
def test_who_keeps_the_baseline_may_change_and_only_the_open_block_is_lost(session, left):
    begun = session(settings=analysis(LENIENT, STRICT)).past_the_discarded_block()
    bad_minutes(begun)
    before = begun.metric("strict")
    with_metrics(begun, *left)
    begun.after(6, candidate=(5, 5), stable=(45, 0))
    assert evidence(begun.metric("strict")) == evidence(before)
    assert {sample.metric for sample in begun.status.samples} == {"strict"}
    begun.after(15, candidate=(20, 0), stable=(180, 0))
    assert begun.metric("strict").total.candidate == before.total.candidate + 20
    assert begun.metric("strict").bad == before.bad


def test_a_renamed_metric_begins_without_evidence(session):
    begun = session(settings=analysis(STRICT)).past_the_discarded_block()
    assert bad_minutes(begun).worse
    with_metrics(begun, errors("renamed", tolerate=1, maximum=0.01))
    assert begun.look().worse is None
    assert begun.metric("renamed").mixture is None


EDITS = st.sampled_from([(LENIENT,), (STRICT,), (LENIENT, STRICT), (STRICT, LENIENT), (LATENCY, STRICT), (errors("renamed"), STRICT)])


@given(course=st.lists(st.tuples(EDITS, st.sampled_from([3, 15]), st.integers(0, 15), st.integers(0, 3)), min_size=1, max_size=12))
@hypothesis_settings(max_examples=60, deadline=None)
def test_whatever_is_edited_no_request_is_counted_twice(session, course):
    begun = session(settings=analysis(LENIENT, STRICT))
    served = failed = 0
    for metrics, seconds, requests, bad in course:
        with_metrics(begun, *metrics)
        bad = min(bad, requests)
        begun.after(seconds, candidate=(requests, bad), stable=(100, 1))
        served, failed = served + requests, failed + bad
        for metric in begun.status.metrics:
            assert metric.total.candidate <= served
            assert metric.name == "latency" or metric.bad.candidate <= failed
