"""When is a candidate worse, and when is it good enough: where counters come from, and what may not get worse."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from headgate_operator.api.model import ApiModel
from headgate_operator.api.quantities import Duration, Share
from headgate_operator.api.spec.common import Name, Url


class EnvoyProvider(ApiModel):
    """Counters read from Envoy proxies themselves."""

    addresses: list[Url] = Field(
        min_length=1, max_length=32, description="Admin addresses of every proxy of the gateway, such as http://10.0.0.7:19001."
    )
    cluster: str = Field(
        "httproute/{{namespace}}/{{name}}/rule/0/backend/{{slot}}",
        min_length=1,
        max_length=256,
        description="Name of a version's Envoy cluster (default in Knative mode: {{namespace}}/{{knativeRevision}}, as in Kourier). "
        "Placeholders: {{namespace}} {{name}} {{revision}} {{isvc}} {{slot}}, and in Knative mode {{knativeRevision}}.",
    )
    mirror_cluster: str = Field(
        "httproute/{{namespace}}/{{name}}/rule/0-mirror-0",
        min_length=1,
        max_length=256,
        description="Name of the Envoy cluster of a mirrored version (strategies BlueGreen and Shadow); the same placeholders.",
    )
    flush: Duration = Field(timedelta(seconds=5), description="The proxies' stats flush interval.")


class SeriesPreset(StrEnum):
    """Whose series the gateway metrics are computed from: each preset knows their names and labels."""

    ENVOY_GATEWAY = "EnvoyGateway"
    ISTIO = "Istio"
    KNATIVE = "Knative"
    KSERVE = "KServe"
    MLSERVER = "MLServer"


class PrometheusProvider(ApiModel):
    """Counters read from a Prometheus server."""

    address: Url = Field(description="Address of the server, such as http://prometheus.monitoring:9090.")
    series: SeriesPreset = Field(
        SeriesPreset.ENVOY_GATEWAY,
        description="Whose request counters the presets read: EnvoyGateway, Istio, Knative (queue-proxy), KServe or MLServer.",
    )
    scrape_interval: Duration = Field(
        timedelta(seconds=15), description="How often the server scrapes those series; no block is shorter than two of these."
    )


class Provider(ApiModel):
    """Where request counters come from: one of these."""

    envoy: EnvoyProvider | None = Field(None, description="Direct scrape of Envoy proxies.")
    prometheus: PrometheusProvider | None = Field(None, description="Queries to a Prometheus server.")


class MetricPreset(StrEnum):
    """Metrics that need no query of the user's own."""

    GATEWAY_ERRORS = "gateway-errors"
    GATEWAY_LATENCY = "gateway-latency"
    FALLBACKS = "fallbacks"


Query = Annotated[str, Field(min_length=1, max_length=2048)]


class PrometheusQueries(ApiModel):
    """Two PromQL queries for monotone counters, each with one series a replica or proxy.

    Placeholders: {{namespace}} {{name}} {{revision}} {{isvc}} {{slot}}, and in Knative mode {{knativeRevision}}.
    """

    bad: Query = Field(description="Counts what is bad, such as sum by (pod) (fallbacks_total{pod=~'{{isvc}}-.*'}).")
    total: Query = Field(description="Counts everything, with the same labels.")


class Metric(ApiModel):
    """One thing that may not get worse: a preset, or queries of one's own."""

    name: Name = Field(description="Name of the metric in status and Events.")
    preset: MetricPreset | None = Field(
        None,
        description="gateway-errors: answers that are not 2xx or 3xx; gateway-latency: answers slower than slowerThan; "
        "fallbacks: answers that Headgate's model server gave in place of its model (needs a Prometheus).",
    )
    prometheus: PrometheusQueries | None = Field(None, description="Instead of a preset: counters from PromQL queries.")
    slower_than: Duration | None = Field(
        None, description="Latency bound of gateway-latency; must be a bucket edge of the proxy's histogram."
    )
    maximum: Share | None = Field(
        None,
        description="Objective: largest bad share (of errors: 5xx only) of a version that may be promoted. "
        "Below it, or below 2% if there is none, a version need not be compared to be good enough.",
    )
    tolerate: float | None = Field(
        None, ge=1, le=10, description="Odds ratio against stable that is still tolerated (default 1.5 for latency, else 1.25)."
    )

    @property
    def of_the_gateway(self) -> bool:
        """Whether it is read from what counts the requests. All others have queries of their own, which only a Prometheus answers."""
        return self.preset in (MetricPreset.GATEWAY_ERRORS, MetricPreset.GATEWAY_LATENCY)

    @property
    def good_enough(self) -> float:
        """The bad share below which a version is good enough without being compared: the objective, or 2 %."""
        return self.maximum if self.maximum is not None else 0.02

    @property
    def tolerated_odds_ratio(self) -> float:
        """The odds ratio up to which the candidate counts as not worse."""
        if self.tolerate is not None:
            return self.tolerate
        return 1.5 if self.preset is MetricPreset.GATEWAY_LATENCY else 1.25


def _default_metrics() -> list[Metric]:
    return [
        Metric(name="errors", preset=MetricPreset.GATEWAY_ERRORS),
        Metric(name="latency", preset=MetricPreset.GATEWAY_LATENCY, slower_than=timedelta(milliseconds=250)),
    ]


class Analysis(ApiModel):
    """When is a candidate worse, and when is it good enough."""

    interval: Duration = Field(
        timedelta(seconds=15), description="Correlation time: failures closer together than this count as one burst."
    )
    provider: Provider | None = Field(None, description="Where request counters come from (default: operator setting).")
    false_rollback_rate: Share = Field(0.01, description="Probability that an equally good version is rolled back, over the whole rollout.")
    promotion_confidence: Share = Field(0.95, description="Confidence that a promoted version is not twice as bad and above maximum.")
    require_promotion_evidence: bool = Field(
        True, description="Whether promotion needs evidence that the version is good enough, beyond no evidence that it is worse."
    )
    metrics: list[Metric] = Field(
        default_factory=_default_metrics,
        min_length=1,
        max_length=10,
        description="What may not get worse (default: errors, and answers slower than 250ms; fallbacks too, if predictor turns them on "
        "and counters come from a Prometheus).",
    )
