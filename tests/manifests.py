"""A manifest that breaks no rule, and every way to break one rule of it."""

import copy
from typing import Any

Manifest = dict[str, Any]

VALID: Manifest = {
    "apiVersion": "headgate.dev/v1alpha1",
    "kind": "ModelDeployment",
    "metadata": {"name": "flight-delay", "namespace": "ml"},
    "spec": {
        "model": {"uri": "s3://models/flight-delay/7", "format": {"name": "xgboost", "version": "3"}, "runtime": "headgate-xgboost"},
        "predictor": {"replicas": {"min": 1, "max": 2}},
        "serving": {"mode": "Standard", "requestTimeout": "5s", "hostnames": ["flight-delay.example.com"]},
        "rollout": {
            "steps": [{"weight": 10, "minDuration": "15s"}, {"weight": 50, "minRequests": 0}],
            "progressDeadline": "10m",
            "holdTimeout": "1h30m",
            "watch": {"duration": "15s", "holdback": 5},
        },
        "analysis": {
            "interval": "15s",
            "falseRollbackRate": "1%",
            "provider": {"envoy": {"addresses": ["http://127.0.0.1:9901"], "flush": "1s"}},
            "metrics": [
                {"name": "errors", "preset": "gateway-errors", "maximum": "2%"},
                {"name": "latency", "preset": "gateway-latency", "slowerThan": "250ms"},
            ],
        },
        "parity": {"mode": "Required", "golden": {"configMap": "flight-delay-golden"}},
    },
}


def changed(path: str, value: object) -> Manifest:
    """The valid manifest with one field set (or, to None, removed) at a dotted path."""
    manifest = copy.deepcopy(VALID)
    *parents, last = path.split(".")
    node: Any = manifest
    for part in parents:
        node = node[int(part)] if part.isdigit() else node[part]
    if value is None:
        del node[last]
    else:
        node[int(last) if last.isdigit() else last] = value
    return manifest


# (field, its value, the path a refusal names, words of its sentence)
REFUSED = [
    ("metadata.name", "f" * 41, "metadata.name", "at most 40 characters"),
    ("metadata.name", "flight.delay", "metadata.name", "must be a DNS label"),
    ("metadata.name", "7flights", "metadata.name", "starts with a letter"),
    ("spec.model.uri", "models:/flight-delay/7", "spec.model.uri", "cannot be read by KServe"),
    ("spec.model.uri", "mlflow-artifacts:/1/model", "spec.model.uri", "cannot be read by KServe"),
    ("spec.model.uri", "/mnt/models/7", "spec.model.uri", "with a scheme"),
    ("spec.model.uri", "s3://", "spec.model.uri", "with a scheme"),
    ("spec.predictor.replicas", {"min": 3, "max": 2}, "spec.predictor.replicas", "min must not be above"),
    ("spec.serving.requestTimeout", "0s", "spec.serving.requestTimeout", "longer than 0s"),
    ("spec.rollout.progressDeadline", "0m", "spec.rollout.progressDeadline", "longer than 0s"),
    ("spec.rollout.holdTimeout", "0h0m", "spec.rollout.holdTimeout", "longer than 0s"),
    ("spec.rollout.maxDuration", "0d", "spec.rollout.maxDuration", "longer than 0s"),
    ("spec.analysis.interval", "0ms", "spec.analysis.interval", "longer than 0s"),
    ("spec.analysis.provider.envoy.flush", "0s", "spec.analysis.provider.envoy.flush", "longer than 0s"),
    ("spec.analysis.metrics.1.slowerThan", "0s", "spec.analysis.metrics[1].slowerThan", "longer than 0s"),
    ("spec.analysis.provider.envoy.cluster", "{{Name}}/{{slot}}", "spec.analysis.provider.envoy.cluster", "and no others"),
    ("spec.analysis.provider.envoy.cluster", "isvc/{{name}}", "spec.analysis.provider.envoy.cluster", "tell the versions apart"),
    ("spec.rollout.steps", [{"weight": 25}, {"weight": 10}], "spec.rollout.steps", "must rise"),
    ("spec.rollout.steps", [{"weight": 25}, {"weight": 25}], "spec.rollout.steps", "must rise"),
    ("spec.rollout.steps", [{"weight": 25}, {"weight": 100}], "spec.rollout.steps[1].weight", "must be below 100"),
    ("spec.rollout.steps", [{"weight": 25}, {"pause": True}, {"weight": 10}], "spec.rollout.steps", "must rise"),
    ("spec.rollout.steps", [{"pause": True}], "spec.rollout.steps", "at least one with a weight"),
    ("spec.rollout.steps", [{"weight": 25}, {}], "spec.rollout.steps[1]", "either a weight or pause: true"),
    ("spec.rollout.steps", [{"weight": 25}, {"weight": 50, "pause": True}], "spec.rollout.steps[1]", "either a weight or pause: true"),
    ("spec.rollout.watch.holdback", 51, "spec.rollout.watch.holdback", "at most 50"),
    ("spec.analysis.metrics.1.name", "errors", "spec.analysis.metrics", "different names"),
    ("spec.analysis.metrics.1.slowerThan", None, "spec.analysis.metrics[1]", "needs slowerThan"),
    ("spec.analysis.metrics.0.slowerThan", "1s", "spec.analysis.metrics[0]", "gateway-latency metrics only"),
    ("spec.parity.golden", None, "spec.parity", "needs golden.configMap"),
]
