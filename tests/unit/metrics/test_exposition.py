"""Recorded text of a real Envoy (1.40), and text that no proxy would send."""

import pytest

from headgate_operator.metrics.exposition import MalformedError, read_counters

RECORDED = """\
# TYPE envoy_cluster_external_upstream_rq_xx counter
envoy_cluster_external_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="httproute/ml/a/rule/0/backend/0"} 2
# TYPE envoy_cluster_upstream_rq_timeout counter
envoy_cluster_upstream_rq_timeout{envoy_cluster_name="httproute/ml/a/rule/0/backend/0"} 1
envoy_cluster_upstream_rq_timeout{envoy_cluster_name="httproute/ml/a/rule/0/backend/1"} 0
# TYPE envoy_cluster_upstream_rq_total counter
envoy_cluster_upstream_rq_total{envoy_cluster_name="httproute/ml/a/rule/0/backend/0"} 5
# TYPE envoy_cluster_upstream_rq_xx counter
envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="httproute/ml/a/rule/0/backend/0"} 2
envoy_cluster_upstream_rq_xx{envoy_response_code_class="4",envoy_cluster_name="httproute/ml/a/rule/0/backend/0"} 1
envoy_cluster_upstream_rq_xx{envoy_response_code_class="5",envoy_cluster_name="httproute/ml/a/rule/0/backend/0"} 2
# TYPE envoy_cluster_upstream_rq_time histogram
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="httproute/ml/a/rule/0/backend/0",le="0.5"} 3
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="httproute/ml/a/rule/0/backend/0",le="250"} 4
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="httproute/ml/a/rule/0/backend/0",le="+Inf"} 4
envoy_cluster_upstream_rq_time_sum{envoy_cluster_name="httproute/ml/a/rule/0/backend/0"} 5.049504950495049548919723747531
envoy_cluster_upstream_rq_time_count{envoy_cluster_name="httproute/ml/a/rule/0/backend/0"} 4

"""


def test_the_series_that_count_are_read_and_the_others_are_not():
    assert read_counters(RECORDED) == {
        "httproute/ml/a/rule/0/backend/0": {
            "rq_2xx": 2,
            "rq_4xx": 1,
            "rq_5xx": 2,
            "rq_timeout": 1,
            "latency_count": 4,
            "latency_le_0.5": 3,
            "latency_le_250": 4,
        },
        "httproute/ml/a/rule/0/backend/1": {"rq_timeout": 0},
    }


def test_a_proxy_that_knows_no_such_cluster_says_nothing():
    assert read_counters("") == {}


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-1", "many"])
def test_a_value_that_no_counter_can_have_is_refused(value):
    with pytest.raises(MalformedError, match="finite and at least 0"):
        read_counters(f'envoy_cluster_upstream_rq_timeout{{envoy_cluster_name="a"}} {value}')


@pytest.mark.parametrize("text", ["<html>\n<body>welcome</body>", '{"stats": []}', "unauthorized: please log in"])
def test_an_answer_of_something_else_is_refused(text):
    with pytest.raises(MalformedError, match="not a proxy's Prometheus text"):
        read_counters(text)


def test_a_line_that_was_cut_off_is_refused():
    with pytest.raises(MalformedError, match="is no sample"):
        read_counters(RECORDED + 'envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",envoy_clu')


def test_an_escaped_label_is_read_as_it_was_meant():
    assert read_counters('envoy_cluster_upstream_rq_timeout{envoy_cluster_name="a\\"b"} 1') == {'a"b': {"rq_timeout": 1}}
