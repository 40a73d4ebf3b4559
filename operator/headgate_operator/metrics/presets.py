"""Whose series count requests, and under which names and labels. One preset a source; what it lacks is said, never made up.

All end up as the counters of `exposition.read_counters`: answers by class, the latency histogram in milliseconds, timeouts.

Traps. Envoy knows timeouts that its histogram leaves out. Istio reports a request twice, at its sender and its receiver, and code 0 for a
client that went away. Knative renamed the queue-proxy's series in 1.19 and went from milliseconds to seconds; one cluster may have both.
KServe's own servers count no failures. MLServer counts probes too, unless only the paths that infer are asked for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from headgate_operator.api.spec import PrometheusQueries, SeriesPreset
from headgate_operator.metrics.promql import exactly, matching

TARGET_LABELS: Final = ("pod", "k8s_pod_name", "pod_name", "kubernetes_pod_name", "instance")
"""What tells scraped processes apart, whoever names them: the targets' own labels, or those of the scrape configuration."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """What one version's series are found by."""

    namespace: str
    isvc: str
    cluster: str
    """Name of its Envoy cluster."""
    knative: str | None = None
    """Name of its Knative revision, where the versions are revisions of one Configuration."""

    @property
    def service(self) -> str:
        """The Service in front of its pods, whose names begin with it: KServe's of its predictor, or Knative's of the revision."""
        return self.knative or f"{self.isvc}-predictor"


@dataclass(frozen=True, kw_only=True)
class Family:
    """Series of one origin that can be selected together."""

    matchers: Callable[[Version], Mapping[str, str]]
    """Regular expressions by label that select one version's series."""
    answers: str | None = None
    """Counter of answers by class."""
    code: str = ""
    """Its label with the HTTP status, such as 503, or with the class, such as 5 or 5xx."""
    latency: str | None = None
    """Histogram, without `_bucket` and `_count`."""
    unit: float = 1
    """Milliseconds in one unit of the histogram's edges."""
    timeouts: str | None = None
    """Counter of requests that are in the answers and not in the histogram."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every series to ask for."""
        histogram = (f"{self.latency}_count", f"{self.latency}_bucket") if self.latency else ()
        return tuple(dict.fromkeys(filter(None, (self.answers, *histogram, self.timeouts))))

    def counters(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """Return which counters a series adds to."""
        name = labels.get("__name__")
        found = []
        if name == self.answers and labels.get(self.code, "")[:1] in set("12345"):
            found.append(f"rq_{labels[self.code][0]}xx")
        if self.latency and name == f"{self.latency}_count":
            found.append("latency_count")
        if self.latency and name == f"{self.latency}_bucket" and labels.get("le") not in (None, "+Inf"):
            found.append(f"latency_le_{_milliseconds(labels['le'], self.unit)}")
        if name == self.timeouts:
            found.append("rq_timeout")
        return tuple(found)


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Where requests are counted."""

    families: tuple[Family, ...]
    no_errors: str | None = None
    """Why failures cannot be counted."""


def _milliseconds(edge: str, unit: float) -> str:
    """Write an edge as Envoy does: `250`, `0.5`; servers write the same one as 0.25, 250.0 or 2.5e+02."""
    return f"{float(edge) * unit:.6f}".rstrip("0").rstrip(".")


def fallback_queries(version: Version) -> PrometheusQueries:
    """Return what counts the answers that Headgate's model server gave in place of its model, and all its answers, by pod.

    Trap: a pod that two jobs scrape has every series twice, and counted twice, chance looks like evidence.
    """
    pods = matching(_pods(version))
    return PrometheusQueries(
        bad=f"max by (pod) (sum without (reason) (headgate_serving_fallbacks_total{pods}))",
        total=f"max by (pod) (headgate_serving_answers_total{pods})",
    )


def _pods(version: Version) -> Mapping[str, str]:
    return {"namespace": exactly(version.namespace), "pod": f"{exactly(version.service)}-.+"}


PRESETS: Final[Mapping[SeriesPreset, Preset]] = {
    SeriesPreset.ENVOY_GATEWAY: Preset(
        families=(
            Family(
                matchers=lambda version: {"envoy_cluster_name": exactly(version.cluster)},
                answers="envoy_cluster_upstream_rq_xx",
                code="envoy_response_code_class",
                latency="envoy_cluster_upstream_rq_time",
                timeouts="envoy_cluster_upstream_rq_timeout",
            ),
        )
    ),
    SeriesPreset.ISTIO: Preset(
        families=(
            Family(
                matchers=lambda version: {
                    "reporter": "source",
                    "destination_service_name": exactly(version.service),
                    "destination_service_namespace": exactly(version.namespace),
                },
                answers="istio_requests_total",
                code="response_code",
                latency="istio_request_duration_milliseconds",
            ),
        )
    ),
    SeriesPreset.KNATIVE: Preset(
        families=(
            Family(  # from 1.19 on
                matchers=lambda version: {
                    "k8s_namespace_name": exactly(version.namespace),
                    "kn_revision_name" if version.knative else "kn_configuration_name": exactly(version.service),
                },
                answers="kn_serving_invocation_duration_seconds_count",
                code="http_response_status_code",
                latency="kn_serving_invocation_duration_seconds",
                unit=1000,
            ),
            Family(  # up to 1.18
                matchers=lambda version: {
                    "namespace_name": exactly(version.namespace),
                    "revision_name": exactly(version.service) + ("" if version.knative else "-[0-9]+"),
                },
                answers="revision_request_count",
                code="response_code_class",
                latency="revision_request_latencies",
            ),
        )
    ),
    SeriesPreset.KSERVE: Preset(
        families=(Family(matchers=_pods, latency="request_predict_seconds", unit=1000),),
        no_errors="KServe's own servers count no failures (series: KServe); read errors from another series, such as EnvoyGateway's, "
        "or write queries of your own under metrics[].prometheus",
    ),
    SeriesPreset.MLSERVER: Preset(
        families=(
            Family(
                matchers=lambda version: {**_pods(version), "path": ".*/infer"},
                answers="rest_server_requests_total",
                code="status_code",
                latency="rest_server_request_duration_seconds",
                unit=1000,
            ),
        )
    ),
}
