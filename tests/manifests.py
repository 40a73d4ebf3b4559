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
REGISTRY = {"name": "flight-delay", "alias": "candidate", "trackingURI": "http://mlflow.mlflow:5000"}
MODEL = {"uri": "s3://models/flight-delay/7", "format": {"name": "xgboost"}, "runtime": "headgate-xgboost"}
FROM_REGISTRY = {"format": {"name": "xgboost"}, "runtime": "headgate-xgboost"}
HOOK = {"name": "smoke", "type": "pre-rollout", "url": "http://smoke.ml"}
PROMETHEUS = {"address": "http://prometheus.monitoring:9090"}
QUERIES = {"bad": "sum by (pod) (fallbacks{pod=~'{{isvc}}-.*'})", "total": "sum by (pod) (requests{pod=~'{{isvc}}-.*'})"}
PIPELINE = {"endpoint": "http://ml-pipeline.kubeflow:8888", "name": "flights-training"}
BY_SKILL = {"pipeline": PIPELINE, "on": {"skillDrop": "50%"}}


def own(**queries):
    return {"provider": {"prometheus": PROMETHEUS}, "metrics": [{"name": "own", "prometheus": QUERIES | queries}]}


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
    ("spec.analysis.provider.envoy.mirrorCluster", "{{Name}}", "spec.analysis.provider.envoy.mirrorCluster", "and no others"),
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
    ("spec.model.uri", None, "spec.model", "either uri or registry"),
    ("spec.model.registry", REGISTRY, "spec.model", "either uri or registry"),
    ("spec.model", FROM_REGISTRY | {"registry": REGISTRY | {"promotedAlias": "candidate"}}, "spec.model.registry.promotedAlias", "differ"),
    ("spec.model", FROM_REGISTRY | {"registry": REGISTRY | {"pollInterval": "0s"}}, "spec.model.registry.pollInterval", "longer than 0s"),
    ("spec.predictor.replicas", {"target": 80}, "spec.predictor.replicas", "needs replicas.metric"),
    ("spec.predictor.replicas", {"metric": "rps"}, "spec.predictor.replicas.metric", "need serving.mode Knative"),
    ("spec.predictor.containerConcurrency", 5, "spec.predictor.containerConcurrency", "needs serving.mode Knative"),
    ("spec.predictor.labels", {"headgate.dev/role": "x"}, "spec.predictor.labels", "labels must not begin with"),
    ("spec.predictor.annotations", {"serving.kserve.io/stop": "true"}, "spec.predictor.annotations", "annotations must not begin with"),
    (
        "spec",
        {"model": MODEL, "serving": {"mode": "Knative"}, "rollout": {"strategy": "Shadow"}},
        "spec.rollout.strategy",
        "need serving.mode Standard",
    ),
    (
        "spec",
        {"model": MODEL, "serving": {"mode": "Knative"}, "rollout": {"watch": {"holdback": 0}}},
        "spec.rollout.watch.holdback",
        "in Knative mode holdback must be at least 1",
    ),
    ("spec.serving.mode", "Knative", "spec.serving", "need serving.mode Standard"),
    (
        "spec",
        {"model": MODEL, "retraining": {"pipeline": PIPELINE, "cooldown": "0s"}, "drift": {}},
        "spec.retraining.cooldown",
        "longer than 0s",
    ),
    ("spec.analysis.metrics.0.preset", "fallbacks", "spec.analysis.metrics", "or of fallbacks, needs provider.prometheus"),
    ("spec.rollout.hooks", [HOOK, HOOK], "spec.rollout.hooks", "different names"),
    ("spec.rollout.hooks", [HOOK | {"timeout": "0s"}], "spec.rollout.hooks[0].timeout", "longer than 0s"),
    ("spec.analysis.provider", {}, "spec.analysis.provider", "either envoy or prometheus"),
    ("spec.analysis.provider.prometheus", PROMETHEUS, "spec.analysis.provider", "either envoy or prometheus"),
    (
        "spec.analysis.provider",
        {"prometheus": PROMETHEUS | {"scrapeInterval": "0s"}},
        "spec.analysis.provider.prometheus.scrapeInterval",
        "longer than 0s",
    ),
    (
        "spec.analysis",
        {"provider": {"prometheus": PROMETHEUS | {"series": "KServe"}}, "metrics": [{"name": "errors", "preset": "gateway-errors"}]},
        "spec.analysis.provider.prometheus.series",
        "KServe's own servers count no failures",
    ),
    ("spec.analysis.metrics.0.preset", None, "spec.analysis.metrics[0]", "either preset or prometheus"),
    ("spec.analysis.metrics.0", {"name": "own", "prometheus": QUERIES}, "spec.analysis.metrics", "needs provider.prometheus"),
    ("spec.analysis", own(bad="x{{pod}}{{isvc}}"), "spec.analysis.metrics[0].prometheus.bad", "and no others"),
    ("spec.analysis", own(bad="x{a='b'}"), "spec.analysis.metrics[0].prometheus.bad", "tell the versions apart"),
    ("spec.analysis", own(total="x{{Isvc}}{{isvc}}"), "spec.analysis.metrics[0].prometheus.total", "and no others"),
    ("spec.analysis", own(total="x"), "spec.analysis.metrics[0].prometheus.total", "tell the versions apart"),
    ("spec.drift", {"window": {"rows": 100, "minimumRows": 101}}, "spec.drift.window.minimumRows", "must not be above rows"),
    ("spec.drift", {"window": {"duration": "0s"}}, "spec.drift.window.duration", "longer than 0s"),
    ("spec.drift", {"targetFalseAlarmInterval": "0s"}, "spec.drift.targetFalseAlarmInterval", "longer than 0s"),
    ("spec.drift", {"onInputDrift": "Retrain"}, "spec.drift.onInputDrift", "needs retraining.pipeline"),
    ("spec.groundTruth", {"horizon": "0s"}, "spec.groundTruth.horizon", "longer than 0s"),
    ("spec.retraining", {"pipeline": PIPELINE}, "spec.retraining", "needs drift or groundTruth"),
    ("spec", VALID["spec"] | {"drift": {}, "retraining": BY_SKILL}, "spec.retraining.on", "need groundTruth"),
]
