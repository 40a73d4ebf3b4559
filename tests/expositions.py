"""What the sources of the metric presets publish: their series, labels, units and edges, for a stable version and a candidate.

Stable has 900 good and 9 failed answers, the candidate 100 and 5. Beside them stands what must not be counted.
"""

from collections.abc import Iterator, Sequence

STABLE, CANDIDATE = "flight-delay-5d1c93aa", "flight-delay-c07e12fb"
ANSWERS = {STABLE: (900, 9), CANDIDATE: (100, 5)}

_ENVOY_EDGES = (0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000)
_KNATIVE_EDGES = (5, 10, 20, 40, 60, 80, 100, 150, 200, 250, 300, 350, 400, 450, 500, 600, 700, 800, 900, 1000, 2000, 5000, 10000)
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)


def envoy() -> str:
    """A proxy of Envoy Gateway. Two of the candidate's failures are timeouts, which its histogram leaves out."""
    lines: list[str] = []
    for slot, (good, bad) in enumerate(ANSWERS.values()):
        cluster = f'envoy_cluster_name="httproute/ml/flight-delay/rule/0/backend/{slot}"'
        lines.append(f'envoy_cluster_upstream_rq_xx{{envoy_response_code_class="2",{cluster}}} {good}')
        lines.append(f'envoy_cluster_upstream_rq_xx{{envoy_response_code_class="5",{cluster}}} {bad}')
        lines.append(f"envoy_cluster_upstream_rq_completed{{{cluster}}} {good + bad}")
        lines.append(f"envoy_cluster_upstream_rq_timeout{{{cluster}}} {2 * slot}")
        lines += _histogram("envoy_cluster_upstream_rq_time", cluster, _ENVOY_EDGES, good + bad - 2 * slot)
    return _text(lines)


def istio() -> str:
    """An ingress gateway. The receiver's report counts the same requests again; code 0 is a client that went away."""
    lines: list[str] = []
    for isvc, (good, bad) in ANSWERS.items():
        for code, count, reporter in ((200, good, "source"), (503, bad, "source"), (0, 3, "source"), (200, good, "destination")):
            labels = (
                f'reporter="{reporter}",source_workload="istio-ingressgateway",destination_workload="{isvc}-predictor",'
                f'destination_service="{isvc}-predictor.ml.svc.cluster.local",destination_service_name="{isvc}-predictor",'
                f'destination_service_namespace="ml",request_protocol="http",response_code="{code}",response_flags="-"'
            )
            lines.append(f"istio_requests_total{{{labels}}} {count}")
            lines += _histogram("istio_request_duration_milliseconds", labels, _ENVOY_EDGES, count)
    return _text(lines)


def knative_until_1_18(isvc: str) -> str:
    """A queue-proxy, with its own series of what the user's container answered."""
    revision = f"{isvc}-predictor-00001"
    pod = (
        f'namespace_name="ml",service_name="{isvc}-predictor",configuration_name="{isvc}-predictor",revision_name="{revision}",'
        f'pod_name="{revision}-deployment-6d5f-a",container_name="queue-proxy"'
    )
    lines: list[str] = []
    for code, count in zip((200, 500), ANSWERS[isvc], strict=True):
        labels = f'{pod},response_code="{code}",response_code_class="{code // 100}xx"'
        lines += [f"revision_request_count{{{labels}}} {count}", f"revision_app_request_count{{{labels}}} {count}"]
        lines += _histogram("revision_request_latencies", labels, _KNATIVE_EDGES, count)
    return _text(lines)


def knative_from_1_19(isvc: str) -> str:
    """A queue-proxy, on OpenTelemetry."""
    pod = (
        f'k8s_namespace_name="ml",kn_service_name="{isvc}-predictor",kn_configuration_name="{isvc}-predictor",'
        f'kn_revision_name="{isvc}-predictor-00001",k8s_pod_name="{isvc}-predictor-00001-deployment-7f-b"'
    )
    lines = [f"kn_serving_queue_depth{{{pod}}} 1"]
    for code, count in zip((200, 500), ANSWERS[isvc], strict=True):
        lines += _histogram("kn_serving_invocation_duration_seconds", f'{pod},http_response_status_code="{code}"', _SECONDS, count)
    return _text(lines)


def kserve(isvc: str) -> str:
    """A Python server of KServe; its pod is in the labels of the scrape."""
    good, bad = ANSWERS[isvc]
    lines: list[str] = []
    for step, count in (("preprocess", good + bad), ("predict", good + bad), ("postprocess", good)):
        lines += _histogram(f"request_{step}_seconds", 'model_name="flight-delay"', _SECONDS, count)
    return _text(lines)


def mlserver(isvc: str) -> str:
    """An MLServer, with its probes; its pod is in the labels of the scrape."""
    good, bad = ANSWERS[isvc]
    infer = "/v2/models/{model_name}/infer"
    lines: list[str] = []
    for method, path, code, count in (("POST", infer, 200, good), ("POST", infer, 500, bad), ("GET", "/v2/health/ready", 200, 5000)):
        labels = f'app_name="mlserver",method="{method}",path="{path}",status_code="{code}"'
        lines.append(f"rest_server_requests_total{{{labels}}} {count}.0")
        lines += _histogram("rest_server_request_duration_seconds", labels, _SECONDS, count)
    return _text(lines)


def headgate(isvc: str) -> str:
    """Headgate's model server: failures that became fallbacks, and a few that were late."""
    good, bad = ANSWERS[isvc]
    model = 'model_name="flight-delay",model_version="7"'
    lines = [f"headgate_serving_answers_total{{{model}}} {good + bad}.0", f"headgate_serving_predictions_total{{{model}}} {good}.0"]
    lines += [f'headgate_serving_fallbacks_total{{{model},reason="{reason}"}} {n}.0' for reason, n in (("failed", bad - 2), ("late", 2))]
    return _text(lines)


def _histogram(name: str, labels: str, edges: Sequence[float], count: int) -> Iterator[str]:
    """As many in every bucket."""
    for number, edge in enumerate(edges, start=1):
        yield f'{name}_bucket{{{labels},le="{edge}"}} {count * number // len(edges)}'
    yield f'{name}_bucket{{{labels},le="+Inf"}} {count}'
    yield f"{name}_sum{{{labels}}} {count * 0.05}"
    yield f"{name}_count{{{labels}}} {count}"


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
