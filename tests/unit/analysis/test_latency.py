"""Latency is judged by histogram buckets, whose edges and whose delay are the proxy's."""

from datetime import timedelta

from headgate_operator.api import spec
from headgate_operator.api.spec import Metric, MetricPreset
from headgate_operator.api.status import Verdict


def settings(*, slower_than=250):
    return spec.Analysis(
        metrics=[Metric(name="latency", preset=MetricPreset.GATEWAY_LATENCY, slower_than=timedelta(milliseconds=slower_than))]
    )


def test_answers_slower_than_the_bound_are_bad(session):
    begun = session(settings=settings()).past_the_discarded_block()
    begun.gateway.serve(1, 20, slow=4)
    found = begun.after(15, stable=(180, 0))
    assert (begun.metric("latency").bad.candidate, begun.metric("latency").total.candidate) == (4, 20)
    assert found.outcomes[0].message.startswith("20.0% of 20 requests were slower than 250ms, 0.0% of 180 to stable; evidence ")


def test_requests_that_timed_out_count_as_slow_although_the_histogram_has_none_of_them(session):
    begun = session(settings=settings()).past_the_discarded_block()
    begun.gateway.serve(1, 20, timeouts=20)
    begun.after(15, stable=(180, 0))
    assert (begun.metric("latency").bad.candidate, begun.metric("latency").total.candidate) == (20, 20)


def test_a_bound_that_is_no_bucket_edge_has_no_data_and_names_the_edges_there_are(session):
    begun = session(settings=settings(slower_than=200)).past_the_discarded_block()
    found = begun.after(15, candidate=(20, 0), stable=(180, 0))
    assert found.outcomes[0].verdict is Verdict.NO_DATA
    assert (
        "slowerThan 200ms is not a bucket edge of the proxy's histogram; its edges in ms: 100, 250, 500, 1000" in found.outcomes[0].message
    )
    assert not found.available
    assert not found.promotable


def test_a_histogram_that_is_filtered_out_has_no_data(session):
    begun = session(settings=settings())
    for slot in begun.gateway.proxies["http://proxy-a"].values():
        slot["rq_2xx"] = 50
    found = begun.after(0)
    assert found.outcomes[0].verdict is Verdict.NO_DATA
    assert "no upstream_rq_time histogram" in found.outcomes[0].message


def test_a_candidate_that_never_answered_is_undecided_and_not_without_data(session):
    begun = session(settings=settings())
    found = begun.after(3, stable=(180, 0))
    assert found.available
    assert found.outcomes[0].verdict is Verdict.UNDECIDED


def test_a_latency_block_is_never_shorter_than_two_flushes(session):
    begun = session(settings=settings()).past_the_discarded_block()
    slow_flush = timedelta(seconds=5)
    kept = []
    for _ in range(4):
        begun.now += timedelta(seconds=3)
        begun.gateway.serve(1, 20)
        begun.gateway.serve(0, 180)
        kept.append(begun.look(begun.gateway.reading(begun.now, flush=slow_flush)).kept_requests)
    assert kept == [0, 0, 0, 80]


def test_errors_count_requests_for_the_step_when_both_metrics_close_blocks(session):
    begun = session().past_the_discarded_block()
    assert begun.after(3, candidate=(20, 0), stable=(180, 0)).kept_requests == 20
