"""Rules about the name, the model, the predictor and the way traffic reaches it."""

import re
from collections.abc import Mapping
from typing import Any, Final

from headgate_operator.api.cel import matches
from headgate_operator.api.names import MAX_NAME_LENGTH
from headgate_operator.api.rules.rule import Rule, above_zero, one_of

_STORAGE_URI: Final = "^[a-z][a-z0-9+.-]*://[^/]*/?[^/]"
_UNREADABLE: Final = ("models:", "mlflow-artifacts:")
_RESERVED: Final = ("headgate.dev/", "serving.kserve.io/", "networking.kserve.io/", "serving.knative.dev/", "autoscaling.knative.dev/")
_KNATIVE_METRICS: Final = ("concurrency", "rps")


def is_storage_uri(uri: str) -> bool:
    """Whether KServe can read a model from there, as far as the URI itself tells."""
    return not uri.startswith(_UNREADABLE) and re.search(_STORAGE_URI, uri) is not None


def _mode(spec: Mapping[str, Any]) -> str:
    return str(spec.get("serving", {}).get("mode") or "Standard")


def _not_reserved(field: str) -> Rule:
    return Rule(
        at=f"spec.predictor.{field}",
        sentence=f"{field} must not begin with {', '.join(_RESERVED[:-1])} or {_RESERVED[-1]}: these are reserved",
        cel="self.all(k, " + " && ".join(f"!k.startsWith('{prefix}')" for prefix in _RESERVED) + ")",
        holds=lambda given: not any(key.startswith(_RESERVED) for key in given),
    )


RULES: tuple[Rule, ...] = (
    Rule(
        at="",
        shown_at="metadata.name",
        sentence=f"metadata.name must be at most {MAX_NAME_LENGTH} characters long: the names of its children add a suffix",
        cel=f"self.metadata.name.size() <= {MAX_NAME_LENGTH}",
        holds=lambda obj: len(obj["metadata"]["name"]) <= MAX_NAME_LENGTH,
    ),
    Rule(
        at="",
        shown_at="metadata.name",
        sentence="metadata.name must be a DNS label that starts with a letter: lower-case letters, digits and '-', no dots, "
        "such as flight-delay",
        cel="self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        holds=lambda obj: re.fullmatch("[a-z]([-a-z0-9]*[a-z0-9])?", obj["metadata"]["name"]) is not None,
    ),
    Rule(
        at="spec.model.uri",
        sentence="models:/ and mlflow-artifacts: URIs cannot be read by KServe; write the storage location behind it, "
        "such as s3://bucket/path, gs://bucket/path, pvc://claim/path or file:///path",
        cel="!self.startsWith('models:') && !self.startsWith('mlflow-artifacts:')",
        holds=lambda uri: not uri.startswith(_UNREADABLE),
    ),
    Rule(
        at="spec.model.uri",
        sentence="uri must be a storage URI with a scheme, such as s3://bucket/path, gs://bucket/path, pvc://claim/path or file:///path",
        cel=f"{matches(_STORAGE_URI)} || self.startsWith('models:') || self.startsWith('mlflow-artifacts:')",
        holds=lambda uri: uri.startswith(_UNREADABLE) or re.search(_STORAGE_URI, uri) is not None,
    ),
    one_of("spec.model", "uri", "registry"),
    Rule(
        at="spec.model.registry",
        shown_at="promotedAlias",
        sentence="promotedAlias must differ from alias: one is followed, the other is set when a version is promoted",
        cel="!has(self.promotedAlias) || self.promotedAlias != self.alias",
        holds=lambda registry: registry.get("promotedAlias") != registry["alias"],
    ),
    Rule(
        at="spec.predictor.replicas",
        sentence="replicas.min must not be above replicas.max",
        cel="!has(self.min) || !has(self.max) || self.min <= self.max",
        holds=lambda replicas: replicas.get("min") is None or replicas.get("max") is None or replicas["min"] <= replicas["max"],
    ),
    Rule(
        at="spec.predictor.replicas",
        sentence="replicas.target needs replicas.metric, such as cpu",
        cel="!has(self.target) || has(self.metric)",
        holds=lambda replicas: replicas.get("target") is None or replicas.get("metric") is not None,
    ),
    Rule(
        at="spec",
        shown_at="predictor.replicas.metric",
        sentence="replicas.metric concurrency and rps need serving.mode Knative; write cpu or memory",
        cel="self.serving.mode == 'Knative' || !has(self.predictor) || !has(self.predictor.replicas) || "
        "!has(self.predictor.replicas.metric) || !(self.predictor.replicas.metric in ['concurrency', 'rps'])",
        holds=lambda spec: _mode(spec) == "Knative" or spec.get("predictor", {}).get("replicas", {}).get("metric") not in _KNATIVE_METRICS,
    ),
    Rule(
        at="spec",
        shown_at="predictor.containerConcurrency",
        sentence="containerConcurrency needs serving.mode Knative, whose proxy beside each pod keeps to it; remove it",
        cel="self.serving.mode == 'Knative' || !has(self.predictor) || !has(self.predictor.containerConcurrency)",
        holds=lambda spec: _mode(spec) == "Knative" or spec.get("predictor", {}).get("containerConcurrency") is None,
    ),
    _not_reserved("labels"),
    _not_reserved("annotations"),
    Rule(
        at="spec.serving.mode",
        sentence="serving.mode cannot be changed; delete the ModelDeployment and create it anew",
        cel="self == oldSelf",
        holds_after=lambda mode, before: bool(mode == before),
    ),
    Rule(
        at="spec.serving",
        sentence="serving.gateway and serving.hostnames need serving.mode Standard: in Knative mode Knative's ingress and domain decide",
        cel="self.mode != 'Knative' || (!has(self.gateway) && !has(self.hostnames))",
        holds=lambda serving: serving.get("mode") != "Knative" or (serving.get("gateway") is None and serving.get("hostnames") is None),
    ),
    above_zero("spec.serving.requestTimeout"),
    above_zero("spec.model.registry.pollInterval"),
)
