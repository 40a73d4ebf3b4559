"""`headgate doctor` before an API server with everything that an administrator installs, and with one thing broken after the other."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from click.testing import CliRunner, Result

from headgate_devcluster.access import Access, write_kubeconfig
from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.apiserver import ApiServer
from headgate_devcluster.installed import GATEWAY, install, operator_token
from headgate_operator.cli.main import main
from tests.waiting import eventually

MANIFESTS = Path(__file__).parents[2] / "manifests"
GATEWAY_API = "gateway.networking.k8s.io/v1"
OPEN = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
GATEWAY_CLASSES = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "gatewayclasses.gateway.networking.k8s.io",
        "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api/pull/1"},
    },
    "spec": {
        "group": "gateway.networking.k8s.io", "scope": "Cluster",
        "names": {"plural": "gatewayclasses", "singular": "gatewayclass", "kind": "GatewayClass"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": OPEN, "subresources": {"status": {}}}],
    },
}  # fmt: skip


@dataclass
class Web:
    """Prometheus, MLflow and a drift monitor in one, which say what a test wants."""

    url: str = ""
    ahead: float = 0.0
    samples: float | None = 40.0
    alias: int = 200
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if request.path == "/healthz":
            return web.Response()
        if request.path.startswith("/api/2.0/mlflow"):
            body: Any = {"model_version": {"version": "7"}} if self.alias == 200 else {"error_code": "RESOURCE_DOES_NOT_EXIST"}
            return web.json_response(body, status=self.alias)
        now = datetime.now(UTC).timestamp() + self.ahead
        if request.query["query"] == "time()":
            return web.json_response({"status": "success", "data": {"resultType": "scalar", "result": [now, str(now)]}})
        found = [] if self.samples is None else [{"metric": {}, "value": [now, str(self.samples)]}]
        return web.json_response({"status": "success", "data": {"resultType": "vector", "result": found}})


@asynccontextmanager
async def serving(told: Web) -> AsyncIterator[Web]:
    app = web.Application()
    app.router.add_get("/{path:.*}", told.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    told.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield told
    await runner.cleanup()


@dataclass
class Clinic:
    """An installation, and the command before it."""

    api: ApiClient
    kubeconfig: Path
    web: Web

    async def doctor(self, *options: str, kubeconfig: Path | None = None) -> tuple[int, dict[str, set[str]], str]:
        """Return the exit code, the levels of every check, and all that was said."""
        arguments = ["doctor", "-n", "ml", "-o", "json", "--kubeconfig", str(kubeconfig or self.kubeconfig), *options]
        result: Result = await asyncio.to_thread(CliRunner().invoke, main, arguments)
        assert result.output.startswith("{"), result.output
        levels: dict[str, set[str]] = {}
        for finding in json.loads(result.output)["findings"]:
            levels.setdefault(finding["check"], set()).add(finding["level"])
            assert finding["level"] == "ok" or finding["remedy"]
        return result.exit_code, levels, result.output

    async def apply(self, obj: Any, status: Any = None) -> None:
        await self.api.apply(obj, field_manager="test")
        if status is not None:
            metadata = obj["metadata"]
            plural = {"Gateway": "gateways", "GatewayClass": "gatewayclasses", "Deployment": "deployments"}[obj["kind"]]
            await self.api.merge_patch(
                obj["apiVersion"], plural, metadata.get("namespace", ""), metadata["name"], {"status": status}, subresource="status"
            )

    async def programmed(self, told: str = "True") -> None:
        gateway = await self.api.get(GATEWAY_API, "gateways", GATEWAY.namespace, GATEWAY.name)
        assert gateway is not None
        conditions = [condition(kind, told if kind == "Programmed" else "True") for kind in ("Accepted", "Programmed")]
        gateway["status"] = {"conditions": conditions}
        await self.api.merge_patch(
            GATEWAY_API, "gateways", GATEWAY.namespace, GATEWAY.name, {"status": gateway["status"]}, subresource="status"
        )

    async def lease(self, ago: float) -> None:
        at = (datetime.now(UTC) - timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {"holderIdentity": "pod_1", "leaseDurationSeconds": 100, "renewTime": at}
        meta = {"name": "headgate-operator", "namespace": "headgate-system"}
        await self.apply({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec})


def condition(kind: str, status: str) -> dict[str, Any]:
    at = "2026-11-21T00:00:00Z"
    return {
        "type": kind,
        "status": status,
        "reason": kind,
        "message": "as the test says",
        "observedGeneration": 9,
        "lastTransitionTime": at,
    }


def deployment(name: str, namespace: str, image: str, labels: dict[str, str], **container: Any) -> dict[str, Any]:
    pod = {"serviceAccountName": name, "containers": [{"name": "main", "image": image, **container}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


@pytest.fixture
async def clinic(tmp_path: Path) -> AsyncIterator[Clinic]:
    """A healthy installation, with one ModelDeployment that uses everything."""
    async with ApiServer(rbac=True) as server, serving(Web()) as told, ApiClient(Access(server.url, server.administrator)) as api:
        await install(api, "ml")
        await operator_token(api)
        clinic = Clinic(api, write_kubeconfig(tmp_path / "kubeconfig", Access(server.url, server.administrator), namespace="ml"), told)
        await clinic.programmed()
        await clinic.apply(GATEWAY_CLASSES)
        await eventually(lambda: api.serves(GATEWAY_API, "GatewayClass"))
        gateway_class = {"apiVersion": GATEWAY_API, "kind": "GatewayClass", "metadata": {"name": "headgate-devcluster"}}
        gateway_class["spec"] = {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"}
        await clinic.apply(gateway_class, {"conditions": [condition("Accepted", "True")]})
        labels = {"control-plane": "kserve-controller-manager"}
        await clinic.apply(
            deployment("kserve-controller-manager", "kserve", "kserve/kserve-controller:v0.21.0", labels), {"availableReplicas": 1}
        )
        config = {"deploy": '{"defaultDeploymentMode": "Standard"}', "ingress": '{"enableGatewayApi": true}'}
        await clinic.apply(config_map("inferenceservice-config", "kserve", config))
        variables = {"HEADGATE_PROMETHEUS": told.url, "HEADGATE_MONITOR": told.url}
        await clinic.apply(config_map("settings", "headgate-system", variables))
        operator = deployment(
            "headgate-operator", "headgate-system", f"ghcr.io/headgate/operator:{version('headgate')}", {"app": "operator"},
            args=["--health-address=0.0.0.0:8080"], envFrom=[{"configMapRef": {"name": "settings"}}],
        )  # fmt: skip
        await clinic.apply(operator, {"availableReplicas": 1})
        await clinic.lease(1)
        registry = {"name": "flight-delay", "alias": "candidate", "trackingURI": told.url}
        model = {"registry": registry, "format": {"name": "xgboost"}, "runtime": "headgate-xgboost"}
        metadata = {"name": "flight-delay", "namespace": "ml"}
        spec = {"model": model, "drift": {}}
        await clinic.apply({"apiVersion": "headgate.dev/v1alpha1", "kind": "ModelDeployment", "metadata": metadata, "spec": spec})
        status = {"status": {"observedGeneration": 1, "phase": "Healthy"}}
        await api.merge_patch("headgate.dev/v1alpha1", "modeldeployments", "ml", "flight-delay", status, subresource="status")
        yield clinic


def config_map(name: str, namespace: str, data: dict[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}


async def test_a_healthy_installation_is_ok(clinic: Clinic) -> None:
    code, levels, said = await clinic.doctor()
    assert set.union(*levels.values()) == {"ok"}, said
    assert code == 0


async def crd_of_an_older_release(clinic: Clinic) -> None:
    crd = await clinic.api.get("apiextensions.k8s.io/v1", "customresourcedefinitions", "", "modeldeployments.headgate.dev")
    assert crd is not None
    del crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["drift"]
    await clinic.api.replace(crd)


async def crd_gone(clinic: Clinic) -> None:
    await clinic.api.delete("apiextensions.k8s.io/v1", "customresourcedefinitions", "", "clusterservingruntimes.serving.kserve.io")


async def right_taken_away(clinic: Clinic) -> None:
    role = yaml.safe_load((MANIFESTS / "rbac" / "clusterrole.yaml").read_text())
    for rule in role["rules"]:
        if rule["resources"] == ["httproutes"]:
            rule["verbs"].remove("patch")
    await clinic.apply(role)


async def kserve_too_old(clinic: Clinic) -> None:
    labels = {"control-plane": "kserve-controller-manager"}
    await clinic.apply(deployment("kserve-controller-manager", "kserve", "kserve/kserve-controller:v0.15.2", labels))


async def no_samples(clinic: Clinic) -> None:
    clinic.web.samples = None


async def seldom_scraped(clinic: Clinic) -> None:
    clinic.web.samples = 5


async def prometheus_ahead(clinic: Clinic) -> None:
    clinic.web.ahead = 30


async def no_alias(clinic: Clinic) -> None:
    clinic.web.alias = 404


async def stale_lease(clinic: Clinic) -> None:
    await clinic.lease(120)


async def passed_over_namespace(clinic: Clinic) -> None:
    await clinic.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml", "labels": {"control-plane": "x"}}})


Fault = Callable[[Clinic], Awaitable[None]]


@pytest.mark.parametrize(
    ("fault", "check", "level", "says"),
    [
        (crd_of_an_older_release, "definitions", "failed", "it does not know spec.drift"),
        (crd_gone, "definitions", "failed", "install KServe"),
        (right_taken_away, "rights", "failed", "may not patch httproutes.gateway.networking.k8s.io"),
        (lambda clinic: clinic.programmed("False"), "gateway", "failed", "is not programmed: as the test says"),
        (kserve_too_old, "kserve", "failed", "KServe 0.15 does not know the mode Standard"),
        (passed_over_namespace, "namespaces", "failed", "its webhook pass over them"),
        (no_samples, "evidence", "unknown", "no request counters of EnvoyGateway"),
        (seldom_scraped, "evidence", "warning", "one sample in 120 s; the operator expects one in 15 s"),
        (prometheus_ahead, "evidence", "warning", "the clock of Prometheus is"),
        (no_alias, "registries", "failed", "has no alias candidate of flight-delay"),
        (stale_lease, "operator", "failed", "pod_1 has not renewed the Lease headgate-system/headgate-operator for 2m"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_what_is_broken_is_found_and_nothing_else_complains(clinic: Clinic, fault: Fault, check: str, level: str, says: str) -> None:
    await fault(clinic)
    code, levels, said = await clinic.doctor()
    assert level in levels.pop(check), said
    assert all(found == {"ok"} for found in levels.values()), said
    assert says in said
    assert code == (0 if level == "warning" else 1)


async def test_prometheus_that_is_down_is_told_and_a_forwarded_port_is_asked_instead(clinic: Clinic) -> None:
    down = clinic.web.url.rpartition(":")[0] + ":1"
    code, levels, said = await clinic.doctor("--prometheus", down)
    assert (code, levels["evidence"]) == (1, {"failed"})
    assert f"Prometheus at {down} cannot be reached" in said
    absent = await clinic.doctor("--prometheus", "http://prometheus.monitoring.invalid:9090")
    assert absent[1]["evidence"] == {"unknown"}, "a name that only the cluster knows says nothing about the server"


async def test_who_may_see_little_is_told_what_is_unknown_and_never_that_it_is_ok(clinic: Clinic, tmp_path: Path) -> None:
    await clinic.api.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "guest", "namespace": "ml"}})
    token = await clinic.api.token("ml", "guest")
    server = yaml.safe_load(clinic.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    guest = write_kubeconfig(tmp_path / "guest", Access(server, token), namespace="ml")
    code, levels, said = await clinic.doctor(kubeconfig=guest)
    assert code == 1
    assert {check for check, found in levels.items() if "ok" in found} <= {"cluster", "clocks", "definitions", "evidence"}, said
    assert levels["rights"] == levels["storage"] == levels["kserve"] == {"unknown"}


async def test_without_a_cluster_the_rest_is_unknown_and_the_answer_comes_soon(clinic: Clinic, tmp_path: Path) -> None:
    nowhere = write_kubeconfig(tmp_path / "nowhere", Access("http://127.0.0.1:1", ""), namespace="ml")
    code, levels, _ = await clinic.doctor("--timeout", "2s", kubeconfig=nowhere)
    assert code == 1
    assert levels.pop("cluster") == {"failed"}
    assert set.union(*levels.values()) == {"unknown"}
