"""One InferenceService in Knative mode, seen from outside: what tests of the stand-in on either API server share."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from headgate_devcluster.cluster import Cluster
from tests.waiting import eventually

Object = dict[str, Any]
ISVC = ("serving.kserve.io/v1beta1", "inferenceservices", "ml")
TAGGED = {"serving.kserve.io/enable-tag-routing": "true"}
REVISION = "{}-predictor-{:05d}"


@dataclass
class World:
    """A cluster without operator."""

    cluster: Cluster
    client: aiohttp.ClientSession
    model: Path

    async def apply(
        self,
        name: str,
        *,
        percent: int | None = None,
        version: str = "1",
        least: int = 1,
        image: str = "",
        notes: dict[str, str] | None = None,
    ) -> None:
        """Apply the InferenceService; another `version` is another revision."""
        model: Object = {"runtime": "headgate-xgboost", "storageUri": self.model.as_uri(), "args": ["--model_name=flight-delay"]}
        model |= {"env": [{"name": "VERSION", "value": version}]} | ({"image": image} if image else {})
        predictor = {"minReplicas": least, "model": model} | ({} if percent is None else {"canaryTrafficPercent": percent})
        meta = {"name": name, "namespace": "ml", "annotations": {"serving.kserve.io/deploymentMode": "Knative"} | (notes or {})}
        obj = {"apiVersion": ISVC[0], "kind": "InferenceService", "metadata": meta, "spec": {"predictor": predictor}}
        await self.cluster.api.apply(obj, field_manager="test")

    async def status(self, name: str) -> Object:
        found = await self.cluster.api.get(*ISVC, name) or {}
        return dict(found.get("status") or {})

    async def part(self, name: str) -> Object:
        return dict((await self.status(name)).get("components", {}).get("predictor", {}))

    async def condition(self, name: str, kind: str) -> tuple[str, str]:
        conditions = (await self.status(name)).get("conditions", [])
        return next(((entry["status"], entry.get("reason", "")) for entry in conditions if entry["type"] == kind), ("", ""))

    async def split(self, name: str) -> dict[str, int]:
        """The traffic by revision's number, once the gateway serves it."""
        if (await self.condition(name, "PredictorRouteReady"))[0] != "True":
            return {}
        return {
            f"{entry['revisionName'][-1]}{entry.get('tag', '')}": entry["percent"] for entry in (await self.part(name)).get("traffic", [])
        }

    async def until_split(self, name: str, **wanted: int) -> None:
        """Wait for a split such as `_2=10, _1prev=90`."""
        expected = {revision.removeprefix("_"): percent for revision, percent in wanted.items()}

        async def met() -> bool:
            return await self.split(name) == expected

        await eventually(met)

    async def ask(self, host: str, *, proxy: bool = False) -> int:
        """Ask for a prediction through the gateway, or by a cluster-local name."""
        path = "/v2/models/flight-delay/infer"
        question = json.loads((self.model / "headgate" / "golden.json").read_text())["request"]
        url, through = (f"http://{host}{path}", self.cluster.cluster_local_proxy) if proxy else (self.cluster.gateway_url + path, None)
        async with self.client.post(url, json=question, headers={"Host": host}, proxy=through) as answer:
            await answer.read()
            return answer.status

    async def counted(self) -> Counter[str]:
        """Answers without error by Envoy cluster."""
        found: Counter[str] = Counter()
        async with self.client.get(f"{self.cluster.envoy_admin_url}/stats?filter=^cluster.ml/[^.]*.upstream_rq_200$&format=json") as answer:
            for entry in (await answer.json(content_type=None))["stats"]:
                found[entry["name"].removeprefix("cluster.").removesuffix(".upstream_rq_200")] = entry["value"]
        return found
