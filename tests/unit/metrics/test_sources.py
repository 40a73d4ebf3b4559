"""Series become sources: what was scraped together stays together, copies count once, pairs must match."""

from datetime import UTC, datetime, timedelta

import pytest

from headgate_operator.api.spec import SeriesPreset
from headgate_operator.metrics.answers import Series
from headgate_operator.metrics.exposition import MalformedError
from headgate_operator.metrics.presets import PRESETS, Version
from headgate_operator.metrics.promql import range_selector
from headgate_operator.metrics.reading import ProxyReading
from headgate_operator.metrics.sources import MOST_SOURCES, from_queries, from_targets

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
(ENVOY,) = PRESETS[SeriesPreset.ENVOY_GATEWAY].families


def xx(value: float, code: str = "2", *, at: datetime = AT, **labels: str) -> Series:
    name = {"__name__": "envoy_cluster_upstream_rq_xx", "envoy_response_code_class": code, "envoy_cluster_name": "c"}
    return Series(labels=name | {"instance": "10.0.0.7:19001", "job": "envoy"} | labels, at=at, value=value)


def count(value: float, **labels: str) -> Series:
    return Series(labels=labels, at=AT, value=value)


def slots(source: ProxyReading) -> dict[int, dict[str, float]]:
    return {slot.slot: dict(slot.counters) for slot in source.slots}


def test_proxies_are_kept_apart() -> None:
    other = "10.0.0.8:19001"
    found = from_targets({0: [(ENVOY, [xx(5), xx(1, "5"), xx(7, instance=other)])], 1: [(ENVOY, [xx(2), xx(3, instance=other)])]})
    assert [(source.proxy, slots(source)) for source in found] == [
        ("{instance=10.0.0.7:19001}", {0: {"rq_2xx": 5, "rq_5xx": 1}, 1: {"rq_2xx": 2}}),
        ("{instance=10.0.0.8:19001}", {0: {"rq_2xx": 7}, 1: {"rq_2xx": 3}}),
    ]


def test_a_pod_counts_nothing_for_the_version_that_it_does_not_serve() -> None:
    found = from_targets({0: [(ENVOY, [xx(5, pod="a")])], 1: [(ENVOY, [xx(2, pod="b", instance="10.0.0.8:1")])]})
    assert [slots(source) for source in found] == [{0: {"rq_2xx": 5}, 1: {}}, {0: {}, 1: {"rq_2xx": 2}}]


def test_a_version_without_any_series_is_not_there_at_all() -> None:
    (source,) = from_targets({0: [(ENVOY, [xx(5)])], 1: [(ENVOY, [])]})
    assert slots(source) == {0: {"rq_2xx": 5}}


@pytest.mark.parametrize("copy", [{"job": "pods"}, {"prometheus_replica": "b"}])
def test_a_target_that_is_scraped_twice_counts_once(copy: dict[str, str]) -> None:
    (source,) = from_targets({0: [(ENVOY, [xx(5), xx(6, **copy)])]})
    assert slots(source)[0]["rq_2xx"] in (5, 6)


def test_a_series_that_the_newest_scrape_lacks_has_disappeared() -> None:
    before = AT - timedelta(seconds=15)
    (source,) = from_targets({0: [(ENVOY, [xx(5), xx(9, "5", at=before)])]})
    assert (source.at, slots(source)) == (AT, {0: {"rq_2xx": 5}})


def test_queries_are_paired_by_equal_labels() -> None:
    found = from_queries(
        {0: ([count(1, pod="a")], [count(9, pod="a", __name__="x")]), 1: ([count(0, pod="b")], [count(4, pod="b")])}
    )  # fmt: skip
    assert [(source.proxy, slots(source)) for source in found] == [
        ("{pod=a}", {0: {"bad": 1, "total": 9}, 1: {}}),
        ("{pod=b}", {0: {}, 1: {"bad": 0, "total": 4}}),
    ]


@pytest.mark.parametrize(
    ("bad", "total", "sentence"),
    [
        ([], [count(9, pod="a")], "or 0 * <total>"),
        ([count(1, pod="a"), count(1, pod="b")], [count(9, pod="a")], "`bad` has a series {pod=b} and `total` has none"),
        ([count(10)], [count(9)], "a part above the whole"),
        ([count(0.5)], [count(9)], "without rate"),
        ([count(0)], [count(9.25)], "without rate"),
    ],
)
def test_what_cannot_be_counts_that_belong_together_is_refused(bad: list[Series], total: list[Series], sentence: str) -> None:
    with pytest.raises(MalformedError, match=sentence.replace("(", r"\(").replace("*", r"\*")):
        from_queries({0: (bad, total)})


def test_more_sources_than_a_status_can_hold_are_refused_with_what_to_do() -> None:
    series = [count(1, pod=f"p{number}") for number in range(MOST_SOURCES + 1)]
    with pytest.raises(MalformedError, match="sum by"):
        from_queries({0: (series, series)})


def test_long_labels_are_cut_and_still_differ() -> None:
    series = [count(1, path="x" * 300 + end) for end in "ab"]
    found = from_queries({0: (series, series)})
    assert len({source.proxy for source in found}) == 2
    assert all(len(source.proxy) < 150 for source in found)


@pytest.mark.parametrize("edge", ["0.25", "2.5e-01", "0.250"])
def test_the_same_edge_has_one_name_however_a_server_writes_it(edge: str) -> None:
    (family,) = PRESETS[SeriesPreset.KSERVE].families
    assert family.counters({"__name__": "request_predict_seconds_bucket", "le": edge}) == ("latency_le_250",)


def test_names_of_objects_never_become_syntax() -> None:
    version = Version(namespace='n"} or up{x="', isvc="a.b", cluster="c\\d|.*")
    selector = range_selector(("x",), ENVOY.matchers(version), timedelta(seconds=45))
    assert selector == r'{__name__=~"x",envoy_cluster_name=~"c\\\\d\\|\\.\\*"}[45000ms]'
    (pods,) = PRESETS[SeriesPreset.KSERVE].families
    assert '"n\\"\\\\} or up\\\\{x=\\""' in range_selector(("x",), pods.matchers(version), timedelta(seconds=45))
