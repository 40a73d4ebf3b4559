"""What a Prometheus is asked, metric by metric and version by version."""

from typing import Any

import pytest

from headgate_operator.api.spec import (
    Metric,
    MetricPreset,
    ModelDeploymentSpec,
    PrometheusProvider,
    counting_fallbacks,
)
from headgate_operator.controller.queries import Question, questions

PROVIDER = PrometheusProvider(address="http://prometheus:9090")
SLOT = {"namespace": "ml", "name": "flight-delay", "revision": "r1", "isvc": "flight-delay-5d1c93aa", "slot": "0"}
MODEL = {"uri": "s3://models/7", "format": {"name": "xgboost"}, "runtime": "headgate-xgboost"}


@pytest.mark.parametrize(
    ("values", "pods"),
    [
        (SLOT, 'pod=~"flight-delay-5d1c93aa-predictor-.+"'),
        (SLOT | {"knativeRevision": "flight-delay-predictor-00002"}, 'pod=~"flight-delay-predictor-00002-.+"'),
    ],
    ids=["Standard", "Knative"],
)
def test_fallbacks_are_those_of_the_pods_of_one_version(values: dict[str, str], pods: str) -> None:
    asked = questions(PROVIDER, [Metric(name="fallbacks", preset=MetricPreset.FALLBACKS)], {0: values}, presets=True)
    assert asked == {
        Question("fallbacks", "bad", 0): "max by (pod) (sum without (reason) "
        f'(headgate_serving_fallbacks_total{{namespace=~"ml",{pods}}}))',
        Question("fallbacks", "total", 0): f'max by (pod) (headgate_serving_answers_total{{namespace=~"ml",{pods}}})',
    }


@pytest.mark.parametrize(
    ("predictor", "analysis", "prometheus", "judged"),
    [
        ({"args": ["--fallback=prior"]}, {}, True, ["errors", "latency", "fallbacks"]),
        ({"env": [{"name": "HEADGATE_SERVING_FALLBACK", "value": "0.2"}]}, {}, True, ["errors", "latency", "fallbacks"]),
        (
            {"args": ["--fallback=prior"]},
            {"provider": {"prometheus": {"address": "http://p:9090"}}},
            False,
            ["errors", "latency", "fallbacks"],
        ),
        ({"args": ["--fallback=prior"]}, {"provider": {"envoy": {"addresses": ["http://e:19001"]}}}, True, ["errors", "latency"]),
        ({"args": ["--fallback=prior"]}, {}, False, ["errors", "latency"]),
        ({"args": ["--fallback=prior"]}, {"metrics": [{"name": "errors", "preset": "gateway-errors"}]}, True, ["errors"]),
        ({"args": ["--fallback=prior", "--fallback=off"]}, {}, True, ["errors", "latency"]),
        ({}, {}, True, ["errors", "latency"]),
    ],
)
def test_fallbacks_are_judged_where_there_are_some_and_a_prometheus_can_tell_and_nobody_chose_metrics(
    predictor: dict[str, Any], analysis: dict[str, Any], prometheus: bool, judged: list[str]
) -> None:
    spec = ModelDeploymentSpec.model_validate({"model": MODEL, "predictor": predictor, "analysis": analysis})
    assert [metric.name for metric in counting_fallbacks(spec, prometheus=prometheus).analysis.metrics] == judged
