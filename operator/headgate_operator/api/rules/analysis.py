"""Rules about metrics and where their counters come from."""

import re
from collections.abc import Mapping
from typing import Any, Final

from headgate_operator.api.cel import matches
from headgate_operator.api.rules.rule import Rule, above_zero, names_differ, one_of

_CLUSTER: Final = r"^([^{}]|\{\{ *(namespace|name|revision|isvc|slot|knativeRevision) *\}\})*$"
_QUERY: Final = r"^([^{]|\{[^{]|\{\{ *(namespace|name|revision|isvc|slot|knativeRevision) *\}\})*$"
_PLACEHOLDERS: Final = "{{namespace}}, {{name}}, {{revision}}, {{isvc}}, {{slot}} and {{knativeRevision}}"
_VERSION_PLACEHOLDER: Final = r"\{\{ *(slot|isvc|revision|knativeRevision) *\}\}"


def _needs_prometheus(analysis: Mapping[str, Any]) -> bool:
    provider = analysis.get("provider")
    custom = any(metric.get("prometheus") is not None or metric.get("preset") == "fallbacks" for metric in analysis.get("metrics") or ())
    return custom and provider is not None and provider.get("prometheus") is None


def _counts_errors(analysis: Mapping[str, Any]) -> bool:
    """Whether it is not errors that are wanted of servers that count none. Metrics that are left out are errors and latency."""
    prometheus = (analysis.get("provider") or {}).get("prometheus") or {}
    presets = {metric.get("preset") for metric in analysis.get("metrics") or ({"preset": "gateway-errors"},)}
    return prometheus.get("series") != "KServe" or "gateway-errors" not in presets


def _query_rules(field: str) -> tuple[Rule, ...]:
    return (
        Rule(
            at=f"spec.analysis.metrics[].prometheus.{field}",
            sentence=f"a query may have the placeholders {_PLACEHOLDERS} and no others",
            cel=matches(_QUERY),
            holds=lambda query: re.fullmatch(_QUERY, query) is not None,
        ),
        Rule(
            at=f"spec.analysis.metrics[].prometheus.{field}",
            sentence="a query must tell the versions apart: it needs {{slot}}, {{isvc}}, {{revision}} or {{knativeRevision}}",
            cel=matches(_VERSION_PLACEHOLDER),
            holds=lambda query: re.search(_VERSION_PLACEHOLDER, query) is not None,
        ),
    )


RULES: tuple[Rule, ...] = (
    one_of("spec.analysis.provider", "envoy", "prometheus"),
    Rule(
        at="spec.analysis.provider.envoy.cluster",
        sentence=f"the cluster name may have the placeholders {_PLACEHOLDERS} and no others",
        cel=matches(_CLUSTER),
        holds=lambda cluster: re.fullmatch(_CLUSTER, cluster) is not None,
    ),
    Rule(
        at="spec.analysis.provider.envoy.cluster",
        sentence="the cluster name must tell the versions apart: it needs {{slot}}, {{isvc}}, {{revision}} or {{knativeRevision}}",
        cel=matches(_VERSION_PLACEHOLDER),
        holds=lambda cluster: re.search(_VERSION_PLACEHOLDER, cluster) is not None,
    ),
    Rule(
        at="spec.analysis.provider.envoy.mirrorCluster",
        sentence=f"the cluster name may have the placeholders {_PLACEHOLDERS} and no others",
        cel=matches(_CLUSTER),
        holds=lambda cluster: re.fullmatch(_CLUSTER, cluster) is not None,
    ),
    above_zero("spec.analysis.interval"),
    above_zero("spec.analysis.provider.envoy.flush"),
    above_zero("spec.analysis.provider.prometheus.scrapeInterval"),
    above_zero("spec.analysis.metrics[].slowerThan"),
    names_differ("spec.analysis.metrics"),
    one_of("spec.analysis.metrics[]", "preset", "prometheus"),
    Rule(
        at="spec.analysis",
        shown_at="metrics",
        sentence="a metric with queries of its own, or of fallbacks, needs provider.prometheus",
        cel="!has(self.provider) || has(self.provider.prometheus) || "
        "!self.metrics.exists(m, has(m.prometheus) || (has(m.preset) && m.preset == 'fallbacks'))",
        holds=lambda analysis: not _needs_prometheus(analysis),
    ),
    Rule(
        at="spec.analysis",
        shown_at="provider.prometheus.series",
        sentence="KServe's own servers count no failures, so series KServe has no gateway-errors; read them from another series, such as "
        "EnvoyGateway, or name metrics that do without",
        cel="!has(self.provider) || !has(self.provider.prometheus) || !has(self.provider.prometheus.series) || "
        "self.provider.prometheus.series != 'KServe' || !self.metrics.exists(m, has(m.preset) && m.preset == 'gateway-errors')",
        holds=_counts_errors,
    ),
    *_query_rules("bad"),
    *_query_rules("total"),
    Rule(
        at="spec.analysis.metrics[]",
        sentence="a gateway-latency metric needs slowerThan, such as 250ms",
        cel="!has(self.preset) || self.preset != 'gateway-latency' || has(self.slowerThan)",
        holds=lambda metric: metric.get("preset") != "gateway-latency" or metric.get("slowerThan") is not None,
    ),
    Rule(
        at="spec.analysis.metrics[]",
        sentence="slowerThan is for gateway-latency metrics only; remove it from any other",
        cel="!has(self.slowerThan) || (has(self.preset) && self.preset == 'gateway-latency')",
        holds=lambda metric: metric.get("slowerThan") is None or metric.get("preset") == "gateway-latency",
    ),
)
