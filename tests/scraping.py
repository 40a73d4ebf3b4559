"""What the manifests have Prometheus scrape, as its own configuration: what the Prometheus Operator and Kubernetes' service discovery do.

PodMonitors and ServiceMonitors become jobs with their relabelings; the pods of a cluster become targets with the labels that Kubernetes'
discovery gives them. So a real Prometheus sees series under the labels they will have in a cluster.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from headgate_devcluster.cluster import Cluster
from headgate_devcluster.objects import PORT_ANNOTATION
from tests.dashboards import MANIFESTS, RULES
from tests.prometheus import PrometheusServer
from tests.witness import background

Object = dict[str, Any]
_POD: Final = "__meta_kubernetes_pod_"
_DEFAULTS: Final = {"namespace": "__meta_kubernetes_namespace", "pod": f"{_POD}name", "container": f"{_POD}container_name"}
_PORT: Final = "prometheus.kserve.io/port"

NOT_SCRAPED: Final = frozenset({"headgate-kubeflow"})
"""Monitors of what no test can run."""


def monitors() -> dict[str, Object]:
    """Every PodMonitor and ServiceMonitor of the components, by name."""
    files = (MANIFESTS / "components").glob("scrape-*/*monitor.yaml")
    return {monitor["metadata"]["name"]: monitor for monitor in (yaml.safe_load(path.read_text()) for path in files)}


def job(monitor: Object, targets: Path) -> Object:
    """The scrape configuration that the Prometheus Operator makes of a monitor, but for the interval and where targets come from."""
    meta, service = monitor["metadata"], monitor["kind"] == "ServiceMonitor"
    (endpoint,) = monitor["spec"]["endpoints" if service else "podMetricsEndpoints"]
    relabeled: list[Object] = [{"source_labels": [source], "target_label": target} for target, source in _DEFAULTS.items()]
    named = {"source_labels": ["__meta_kubernetes_service_name"]} if service else {"replacement": f"{meta.get('namespace')}/{meta['name']}"}
    relabeled.append({**named, "target_label": "job"})
    relabeled += [{snake(key): value for key, value in rule.items()} for rule in endpoint.get("relabelings", ())]
    return {
        "job_name": f"{monitor['kind']}/{meta['name']}",
        "honor_labels": endpoint.get("honorLabels", False),
        "metrics_path": endpoint.get("path", "/metrics"),
        "file_sd_configs": [{"files": [str(targets)]}],
        "relabel_configs": relabeled,
    }


def snake(name: str) -> str:
    """The Prometheus Operator's names as Prometheus has them."""
    return re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", name)


def discovered(pod: Object) -> Iterator[Object]:
    """The targets of a pod: one for each of its containers, none of which declares a port."""
    meta = pod["metadata"]
    annotations = meta.get("annotations", {}) | {_PORT: meta.get("annotations", {}).get(PORT_ANNOTATION, "")}
    labels = {"__meta_kubernetes_namespace": meta["namespace"], f"{_POD}name": meta["name"], f"{_POD}ip": pod["status"].get("podIP", "")}
    for kind, values in (("label", meta.get("labels", {})), ("annotation", annotations)):
        labels |= {f"{_POD}{kind}_{re.sub(r'[^a-zA-Z0-9_]', '_', key)}": value for key, value in values.items()}
    for container in pod["spec"]["containers"]:
        yield {"targets": [labels[f"{_POD}ip"]], "labels": labels | {f"{_POD}container_name": container["name"]}}


def alone(address: str, namespace: str, pod: str, container: str) -> Object:
    """The target of a process that is no pod here."""
    labels = {"__meta_kubernetes_namespace": namespace, f"{_POD}name": pod, f"{_POD}container_name": container}
    return {"targets": [address.partition("://")[2]], "labels": labels | {"__meta_kubernetes_service_name": container}}


async def _keep(cluster: Cluster, file: Path) -> None:
    """Write the model servers that there are, again and again."""
    while True:
        pods = [pod for pod in await cluster.api.list("v1", "pods", "ml") if PORT_ANNOTATION in pod["metadata"].get("annotations", {})]
        _write(file, [target for pod in pods for target in discovered(pod)])
        await asyncio.sleep(0.3)


def _write(file: Path, targets: list[Object]) -> None:
    """In one step: Prometheus reads it the moment it changes."""
    content = json.dumps(targets)
    if not file.exists() or file.read_text() != content:
        file.with_suffix(".new").write_text(content)
        file.with_suffix(".new").rename(file)


@asynccontextmanager
async def observed(cluster: Cluster, folder: Path) -> AsyncIterator[PrometheusServer]:
    """A Prometheus that scrapes the cluster as the manifests say and evaluates the rules."""
    folder.mkdir()  # noqa: ASYNC240
    operator = next(part.address for part in await cluster.parts() if part.name == "operator")
    known = {
        "headgate-operator": [alone(operator, "headgate-system", "headgate-operator-0", "operator")],
        "headgate-gateway": [alone(cluster.envoy_admin_url, "envoy-gateway-system", "envoy-0", "envoy")],
        "headgate-monitor": [alone(cluster.monitor_url or "", "ml", "headgate-monitor-0", "headgate-monitor")],
        "headgate-serving": [],
        **{name: [] for name in NOT_SCRAPED},
    }
    files = {name: folder / f"{name}.json" for name in known}
    for name, targets in known.items():
        _write(files[name], targets)
    jobs = [job(monitor, files[name]) for name, monitor in monitors().items()]
    server = PrometheusServer(folder / "server", jobs=jobs, rules=[str(RULES / "*.yaml")])
    async with server, background(_keep(cluster, files["headgate-serving"])):
        yield server
