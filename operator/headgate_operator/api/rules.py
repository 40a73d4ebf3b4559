"""The rules that a schema cannot say, each once: a check in Python, the same check in CEL, and the sentence that a person reads.

`crd.py` hangs the CEL on the schema node a rule speaks of; `violations` runs the Python checks on the same nodes of a plain object. So
`kubectl apply`, `headgate lint` and the operator refuse the same manifests with the same words. As on a real API server, a value of the
wrong type hides the rules: they need not cope with nonsense.

Traps of CEL on an API server: every list and string in a rule's reach needs maxItems or maxLength (else the cost estimate refuses the
CRD); `self == oldSelf` catches a removed field only if the field and its parent have defaults.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from headgate_operator.api.cel import matches
from headgate_operator.api.names import MAX_NAME_LENGTH
from headgate_operator.api.structure import Violation, structural_violations

MAX_HOLDBACK = 50
"""Percent: above it the replaced version would go on serving most of the traffic."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule about one node of the object."""

    at: str
    """Path of the node; `[]` stands for every item of a list. The empty path is the whole object."""
    sentence: str
    cel: str
    """True if the rule holds; `self` is the node, `oldSelf` (transition rules) the node before the change."""
    holds: Callable[[Any], bool] | None = None
    holds_after: Callable[[Any, Any], bool] | None = None
    """For transition rules, which are checked on updates only: (node, node before the change)."""
    shown_at: str = ""
    """Field below the node that a message points to."""


_STORAGE_URI = "^[a-z][a-z0-9+.-]*://[^/]*/?[^/]"
_CLUSTER = r"^([^{}]|\{\{ *(namespace|name|revision|isvc|slot) *\}\})*$"
_VERSION_PLACEHOLDER = r"\{\{ *(slot|isvc|revision) *\}\}"


def _rising(steps: Sequence[Mapping[str, Any]]) -> bool:
    weights = [step["weight"] for step in steps if step.get("weight") is not None]
    return all(lower < higher for lower, higher in pairwise(weights))


def _unique_names(items: Sequence[Mapping[str, Any]]) -> bool:
    names = [item["name"] for item in items]
    return len(set(names)) == len(names)


def _above_zero(at: str) -> Rule:
    return Rule(
        at=at,
        sentence=f"{at.rpartition('.')[2]} must be longer than 0s",
        cel=matches("[1-9]"),
        holds=lambda text: re.search("[1-9]", text) is not None,
    )


_ABOVE_ZERO = (
    "spec.serving.requestTimeout",
    "spec.rollout.progressDeadline",
    "spec.rollout.holdTimeout",
    "spec.rollout.maxDuration",
    "spec.analysis.interval",
    "spec.analysis.provider.envoy.flush",
    "spec.analysis.metrics[].slowerThan",
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
        holds=lambda uri: not uri.startswith(("models:", "mlflow-artifacts:")),
    ),
    Rule(
        at="spec.model.uri",
        sentence="uri must be a storage URI with a scheme, such as s3://bucket/path, gs://bucket/path, pvc://claim/path or file:///path",
        cel=f"{matches(_STORAGE_URI)} || self.startsWith('models:') || self.startsWith('mlflow-artifacts:')",
        holds=lambda uri: uri.startswith(("models:", "mlflow-artifacts:")) or re.search(_STORAGE_URI, uri) is not None,
    ),
    Rule(
        at="spec.predictor.replicas",
        sentence="replicas.min must not be above replicas.max",
        cel="!has(self.min) || !has(self.max) || self.min <= self.max",
        holds=lambda replicas: replicas.get("min") is None or replicas.get("max") is None or replicas["min"] <= replicas["max"],
    ),
    Rule(
        at="spec.serving.mode",
        sentence="serving.mode cannot be changed; delete the ModelDeployment and create it anew",
        cel="self == oldSelf",
        holds_after=lambda mode, before: bool(mode == before),
    ),
    Rule(
        at="spec.rollout.steps",
        sentence="weights of the steps must rise from step to step, such as 5, 25, 50",
        cel="self.filter(s, has(s.weight)).map(s, s.weight).isSorted() && "
        "self.all(s, !has(s.weight) || self.exists_one(t, has(t.weight) && t.weight == s.weight))",
        holds=_rising,
    ),
    Rule(
        at="spec.rollout.steps[]",
        shown_at="weight",
        sentence="weight must be below 100: with all of the traffic on the candidate there is nothing left to compare it with, and "
        "promotion after the last step gives it the rest",
        cel="!has(self.weight) || self.weight < 100",
        holds=lambda step: (step.get("weight") or 0) < 100,
    ),
    Rule(
        at="spec.rollout.steps",
        sentence="steps need at least one with a weight; to freeze a rollout before its first step, write paused: true in the spec",
        cel="self.exists(s, has(s.weight))",
        holds=lambda steps: any(step.get("weight") is not None for step in steps),
    ),
    Rule(
        at="spec.rollout.steps[]",
        sentence="a step has either a weight or pause: true",
        cel="has(self.weight) != (has(self.pause) && self.pause)",
        holds=lambda step: (step.get("weight") is not None) != bool(step.get("pause")),
    ),
    Rule(
        at="spec.rollout.watch",
        shown_at="holdback",
        sentence=f"holdback must be at most {MAX_HOLDBACK}: it is what the replaced version keeps",
        cel=f"!has(self.holdback) || self.holdback <= {MAX_HOLDBACK}",
        holds=lambda watch: watch.get("holdback") is None or watch["holdback"] <= MAX_HOLDBACK,
    ),
    Rule(
        at="spec.analysis.provider.envoy.cluster",
        sentence="the cluster name may have the placeholders {{namespace}}, {{name}}, {{revision}}, {{isvc}} and {{slot}} and no others",
        cel=matches(_CLUSTER),
        holds=lambda cluster: re.fullmatch(_CLUSTER, cluster) is not None,
    ),
    Rule(
        at="spec.analysis.provider.envoy.cluster",
        sentence="the cluster name must tell the versions apart: it needs {{slot}}, {{isvc}} or {{revision}}",
        cel=matches(_VERSION_PLACEHOLDER),
        holds=lambda cluster: re.search(_VERSION_PLACEHOLDER, cluster) is not None,
    ),
    Rule(
        at="spec.analysis.metrics",
        sentence="metrics must have different names",
        cel="self.all(m, self.exists_one(n, n.name == m.name))",
        holds=_unique_names,
    ),
    Rule(
        at="spec.analysis.metrics[]",
        sentence="a gateway-latency metric needs slowerThan, such as 250ms",
        cel="self.preset != 'gateway-latency' || has(self.slowerThan)",
        holds=lambda metric: metric["preset"] != "gateway-latency" or metric.get("slowerThan") is not None,
    ),
    Rule(
        at="spec.analysis.metrics[]",
        sentence="slowerThan is for gateway-latency metrics only; remove it from a gateway-errors metric",
        cel="self.preset != 'gateway-errors' || !has(self.slowerThan)",
        holds=lambda metric: metric["preset"] != "gateway-errors" or metric.get("slowerThan") is None,
    ),
    Rule(
        at="spec.parity",
        sentence="parity mode Required needs golden.configMap, the ConfigMap with the golden inputs and outputs",
        cel="!has(self.mode) || self.mode != 'Required' || has(self.golden)",
        holds=lambda parity: parity.get("mode") != "Required" or parity.get("golden") is not None,
    ),
    *(_above_zero(at) for at in _ABOVE_ZERO),
)


def violations(obj: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> list[Violation]:
    """Return what is wrong with a ModelDeployment, as plain JSON; `old` is the stored object if this is an update.

    Unknown fields are no violation here: an API server has its own words for them, and `manifest.problems` names the allowed ones.
    """
    structural = structural_violations(obj)
    return structural or [violation for rule in RULES for violation in _broken(rule, obj, old)]


def _broken(rule: Rule, obj: Mapping[str, Any], old: Mapping[str, Any] | None) -> Iterator[Violation]:
    before = dict(_nodes(old, rule.at)) if old is not None and rule.holds_after is not None else {}
    for path, node in _nodes(obj, rule.at):
        holds = rule.holds is None or rule.holds(node)
        if rule.holds_after is not None and path in before:
            holds = holds and rule.holds_after(node, before[path])
        if not holds:
            yield Violation(".".join(filter(None, (path, rule.shown_at))), rule.sentence)


def _nodes(root: Any, at: str) -> Iterator[tuple[str, Any]]:
    """Yield (path, value) of every present node at a rule's path."""
    nodes = [("", root)]
    for part in filter(None, at.split(".")):
        key, is_list = part.removesuffix("[]"), part.endswith("[]")
        present = ((path, node[key]) for path, node in nodes if isinstance(node, Mapping) and node.get(key) is not None)
        nodes = [(f"{path}.{key}".lstrip("."), node) for path, node in present]
        if is_list:
            nodes = [(f"{path}[{index}]", item) for path, node in nodes for index, item in enumerate(node)]
    yield from nodes
