"""A manifest that breaks no rule, to be broken in one place by each test."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

Manifest = dict[str, Any]

_VALID: Manifest = {
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


def _with(path: str, value: object) -> Manifest:
    manifest = copy.deepcopy(_VALID)
    *parents, last = path.split(".")
    node: Any = manifest
    for part in parents:
        node = node[int(part)] if part.isdigit() else node[part]
    if value is None:
        del node[last]
    else:
        node[int(last) if last.isdigit() else last] = value
    return manifest


@pytest.fixture
def manifest() -> Callable[..., Manifest]:
    """Return a function that builds the valid manifest, with one field set (or, to None, removed) at a dotted path."""
    return lambda path="apiVersion", value="headgate.dev/v1alpha1": _with(path, value)
