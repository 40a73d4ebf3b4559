"""Metrics with queries of their own, and counters that Prometheus renews: what they count, and what happens without an answer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from headgate_operator.api import spec
from headgate_operator.api.spec import Metric, MetricPreset, PrometheusQueries
from headgate_operator.api.status import Verdict
from headgate_operator.rollout.analysis import begin
from headgate_operator.rollout.observed import Reading, Scrape, SlotCounters

FALLBACKS = Metric(name="fallbacks", prometheus=PrometheusQueries(bad="bad{{slot}}", total="total{{slot}}"))
ERRORS = Metric(name="errors", preset=MetricPreset.GATEWAY_ERRORS)
SCRAPE = timedelta(seconds=15)


class Pods:
    """Each counts for one version only: a slot is there, and empty, in the pods of the other."""

    def __init__(self) -> None:
        self.counts: dict[str, tuple[int, dict[str, float]]] = {}

    def serve(self, pod: str, slot: int, total: int, bad: int = 0) -> None:
        _, before = self.counts.get(pod, (slot, {"bad": 0, "total": 0}))
        self.counts[pod] = slot, {"bad": before["bad"] + bad, "total": before["total"] + total}

    def reading(self, at: Any, *, renewal: timedelta = timedelta(0)) -> Reading:
        scrapes = tuple(
            Scrape(proxy=pod, at=at, slots=tuple(SlotCounters(slot=one, counters=counts if one == slot else {}) for one in (0, 1)))
            for pod, (slot, counts) in self.counts.items()
        )
        return Reading(scrapes=scrapes, renewal=renewal)


@pytest.fixture
def pods() -> Pods:
    found = Pods()
    found.serve("stable-a", 0, 0)
    found.serve("stable-b", 0, 0)
    found.serve("candidate-a", 1, 0)
    return found


def look(session: Any, pods: Pods, *, own: Reading | None = None) -> Any:
    return session.look(Reading(scrapes=session.gateway.reading(session.now).scrapes, own={"fallbacks": own or pods.reading(session.now)}))


@pytest.fixture
def begun(session: Callable[..., Any], pods: Pods) -> Any:
    made = session(settings=spec.Analysis(metrics=[ERRORS, FALLBACKS]))
    look(made, pods)
    made.now += timedelta(seconds=15)
    serve(made, pods)
    look(made, pods)
    return made


def serve(session: Any, pods: Pods, *, bad: int = 0) -> None:
    session.gateway.serve(1, 20)
    session.gateway.serve(0, 180)
    pods.serve("candidate-a", 1, 20, bad)
    pods.serve("stable-a", 0, 90)
    pods.serve("stable-b", 0, 90)


def test_a_candidate_that_falls_back_more_often_is_worse_by_that_metric_alone(begun: Any, pods: Pods) -> None:
    found = None
    for _ in range(6):
        begun.now += timedelta(seconds=15)
        serve(begun, pods, bad=12)
        found = look(begun, pods)
    assert found is not None
    assert found.worse is not None
    assert found.worse.metric == "fallbacks"
    assert found.worse.message.startswith("60.0% of 120 requests were bad (fallbacks), 0.0% of 1080 to stable; evidence ")
    assert found.all_failing is None


def test_an_equal_candidate_is_promotable_by_its_queries(begun: Any, pods: Pods) -> None:
    found = None
    for _ in range(30):
        begun.now += timedelta(seconds=15)
        serve(begun, pods)
        found = look(begun, pods)
    assert found is not None
    assert found.promotable
    assert begun.metric("fallbacks").total.stable == 30 * 180


def test_without_an_answer_for_one_metric_the_others_are_judged_and_its_own_evidence_stays(begun: Any, pods: Pods) -> None:
    before, samples = begun.metric("fallbacks"), [sample for sample in begun.status.samples if sample.metric == "fallbacks"]
    begun.now += timedelta(seconds=15)
    serve(begun, pods)
    found = look(begun, pods, own=Reading(error="nobody answers"))
    assert [(outcome.metric, outcome.verdict) for outcome in found.outcomes] == [
        ("errors", Verdict.UNDECIDED),
        ("fallbacks", Verdict.PROVIDER_ERROR),
    ]
    assert not found.available
    assert begun.metric("errors").total.candidate == 20
    assert begun.metric("fallbacks") == before
    assert [sample for sample in begun.status.samples if sample.metric == "fallbacks"] == samples


def test_no_series_at_all_is_no_data_in_the_words_of_the_provider(begun: Any, pods: Pods) -> None:
    found = look(begun, pods, own=Reading(gap="no sample within the last 45s"))
    assert (found.outcomes[1].verdict, found.outcomes[1].message) == (Verdict.NO_DATA, "no sample within the last 45s")


def test_a_restarted_pod_voids_its_own_difference_only(begun: Any, pods: Pods) -> None:
    begun.now += timedelta(seconds=15)
    serve(begun, pods)
    pods.counts["stable-a"] = 0, {"bad": 0, "total": 3}
    look(begun, pods)
    assert (begun.metric("fallbacks").total.candidate, begun.metric("fallbacks").total.stable) == (20, 90)


def test_pods_that_come_and_go_say_nothing_about_shares(begun: Any, pods: Pods) -> None:
    begun.settings = spec.Analysis(metrics=[FALLBACKS])
    for _ in range(20):
        begun.now += timedelta(seconds=15)
        pods.serve("stable-a", 0, 200)
        assert look(begun, pods).no_traffic is None
    for _ in range(20):
        begun.now += timedelta(seconds=15)
        serve(begun, pods)
        pods.serve("candidate-a", 1, 300)
        assert look(begun, pods).split_mismatch is None


def test_a_block_waits_until_both_versions_have_a_scrape_that_is_old_enough(begun: Any, pods: Pods) -> None:
    begun.now += timedelta(seconds=15)
    early = pods.reading(begun.now - timedelta(seconds=15))
    serve(begun, pods)
    late = pods.reading(begun.now)
    mixed = Reading(scrapes=tuple(new if new.proxy == "candidate-a" else old for new, old in zip(late.scrapes, early.scrapes, strict=True)))
    look(begun, pods, own=mixed)
    assert begun.metric("fallbacks").total.candidate == 0
    begun.now += timedelta(seconds=3)
    look(begun, pods)
    assert (begun.metric("fallbacks").total.candidate, begun.metric("fallbacks").total.stable) == (20, 180)


def test_no_block_is_shorter_than_two_scrape_intervals_and_the_same_scrape_makes_none(session: Callable[..., Any]) -> None:
    one = session(settings=spec.Analysis(metrics=[ERRORS]))
    start, lengths = one.now, []

    def scraped(seconds: int) -> Reading:
        reading = one.gateway.reading(start + timedelta(seconds=seconds - seconds % 15))
        return Reading(scrapes=reading.scrapes, renewal=SCRAPE)

    one.look(scraped(0))
    ended = one.status.last_block_end
    for seconds in range(3, 300, 3):
        one.now = start + timedelta(seconds=seconds)
        if seconds % 15 == 0:
            one.gateway.serve(1, 40)
            one.gateway.serve(0, 360)
        one.look(scraped(seconds))
        if one.status.last_block_end != ended:
            lengths.append((one.status.last_block_end - ended).total_seconds() if ended else None)
            ended = one.status.last_block_end
    assert lengths == [None] + [30.0] * 8
    assert one.metric("errors").total.candidate == 8 * 80


def test_the_block_that_is_thrown_away_after_a_change_of_weight_outlasts_scrapes_from_before_it(session: Callable[..., Any]) -> None:
    one = session(settings=spec.Analysis(metrics=[ERRORS]))
    scraped = one.now - 2 * SCRAPE  # a sample of the scrape before the last, while the weight has just changed
    one.status = begin(candidate="r1234abcd", candidate_slot=1, stable_slot=0, weight=10)
    for number in range(3):
        one.look(Reading(scrapes=one.gateway.reading(scraped + number * SCRAPE).scrapes, renewal=SCRAPE))
    assert one.status.last_block_end is None
    one.now += SCRAPE
    one.look(Reading(scrapes=one.gateway.reading(one.now).scrapes, renewal=SCRAPE))
    assert one.status.last_block_end == one.now


def test_other_queries_under_the_same_name_begin_anew(begun: Any, pods: Pods) -> None:
    begun.now += timedelta(seconds=15)
    serve(begun, pods, bad=3)
    look(begun, pods)
    assert begun.metric("fallbacks").total.candidate == 20
    other = FALLBACKS.model_copy(update={"prometheus": PrometheusQueries(bad="other{{slot}}", total="total{{slot}}")})
    begun.settings = spec.Analysis(metrics=[ERRORS, other])
    look(begun, pods)
    assert begun.metric("fallbacks").total.candidate == 0
