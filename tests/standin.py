"""A cluster without operator, in which the KServe stand-in and its servers are watched."""

import json
from pathlib import Path
from typing import Any

import aiohttp

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.cluster import Cluster
from tests.waiting import eventually

Object = dict[str, Any]
AUTOSCALER = ("autoscaling/v2", "horizontalpodautoscalers", "ml")
ISVC = ("serving.kserve.io/v1beta1", "inferenceservices", "ml")
DEPLOYMENT = ("apps/v1", "deployments", "ml")
HOST = "m.ml.example.com"


def inference_service(name: str, uri: str, **predictor: Any) -> Object:
    labels = predictor.pop("labels", {})
    model = {"modelFormat": {"name": "xgboost"}, "runtime": "headgate-xgboost", "storageUri": uri, "args": ["--model_name=flight-delay"]}
    model |= predictor.pop("model", {})
    annotations = {"serving.kserve.io/deploymentMode": "Standard", "serving.kserve.io/autoscalerClass": "none"}
    return {
        "apiVersion": ISVC[0],
        "kind": "InferenceService",
        "metadata": {"name": name, "namespace": "ml", "annotations": annotations, "labels": labels},
        "spec": {"predictor": {"minReplicas": 1, "maxReplicas": 3, "model": model} | predictor},
    }


def route(name: str, service: str) -> Object:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": "ml"},
        "spec": {
            "parentRefs": [{"name": "kserve-ingress-gateway", "namespace": "kserve"}],
            "hostnames": [HOST],
            "rules": [{"backendRefs": [{"kind": "Service", "name": service, "port": 80, "weight": 100}], "timeouts": {"request": "5s"}}],
        },
    }


def condition(obj: Object | None, kind: str) -> str | None:
    conditions = (obj or {}).get("status", {}).get("conditions", [])
    return next((entry["status"] for entry in conditions if entry["type"] == kind), None)


class World:
    """A cluster without operator, with the InferenceService `m-1` and a route to it."""

    def __init__(self, cluster: Cluster, client: aiohttp.ClientSession, model: Path) -> None:
        self.cluster, self.client, self.model = cluster, client, model
        self.question = json.loads((model / "headgate" / "golden.json").read_text())["request"]

    @property
    def api(self) -> ApiClient:
        return self.cluster.api

    async def apply(self, obj: Object) -> Object:
        return await self.api.apply(obj, field_manager="test")

    async def serve(self, name: str = "m-1", **predictor: Any) -> None:
        await self.apply(inference_service(name, self.model.as_uri(), **predictor))

    async def pods(self, name: str = "m-1") -> list[Object]:
        found = await self.api.list("v1", "pods", "ml", label_selector=f"serving.kserve.io/inferenceservice={name}")
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    async def service_on(self, name: str, port: int) -> None:
        """A Service whose one Pod is a server of the test's own."""
        meta = {"name": name, "namespace": "ml", "labels": {"app": name}, "annotations": {"devcluster.headgate.dev/port": str(port)}}
        await self.apply(
            {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": {"app": name}, "ports": [{"port": 80}]}}
        )
        container = {"name": "main", "image": "none"}
        await self.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}})
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        await self.api.merge_patch("v1", "pods", "ml", name, {"status": ready}, subresource="status")

    async def available(self, count: int, name: str = "m-1") -> None:
        """Wait until the Deployment has exactly this many pods, all of the present template and available."""

        async def met() -> bool:
            found = await self.api.get(*DEPLOYMENT, f"{name}-predictor") or {}
            numbers = found.get("status", {})
            current = numbers.get("observedGeneration") == found.get("metadata", {}).get("generation")
            counts = [numbers.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
            return current and counts == [count] * 3

        await eventually(met)

    async def ready(self, name: str = "m-1") -> None:
        async def met() -> bool:
            return condition(await self.api.get(*ISVC, name), "Ready") == "True"

        await eventually(met)

    async def ask(self) -> int:
        url = f"{self.cluster.gateway_url}/v2/models/flight-delay/infer"
        async with self.client.post(url, json=self.question, headers={"Host": HOST}) as answer:
            await answer.read()
            return answer.status

    async def routed(self) -> None:
        """Wait until the gateway has told that it serves the route, and knows the server."""

        async def met() -> bool:
            found = await self.api.get("gateway.networking.k8s.io/v1", "httproutes", "ml", "m") or {}
            parents = found.get("status", {}).get("parents", [])
            accepted = [(entry["type"], entry["status"]) for parent in parents for entry in parent["conditions"]]
            return accepted == [("Accepted", "True"), ("ResolvedRefs", "True")] and await self.ask() == 200

        await eventually(met)
