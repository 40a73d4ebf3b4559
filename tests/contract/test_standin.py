"""The KServe stand-in writes what a real KServe controller wrote: its recordings are replayed and compared, times apart."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from headgate_devcluster.cluster import Cluster
from tests.waiting import eventually

pytestmark = pytest.mark.slow

Object = dict[str, Any]
ISVC = ("serving.kserve.io/v1beta1", "inferenceservices", "ml")
RECORDINGS = json.loads((Path(__file__).parents[1] / "fixtures" / "kserve-recordings.json").read_text())["scenarios"]
MISSING_IMAGE = "localhost/none:1"
STOP = "serving.kserve.io/stop"


def recorded(scenario: str, action: str) -> list[Object]:
    """What a real controller wrote after an action, up to the next one."""
    events = RECORDINGS[scenario]
    begin = next(number for number, event in enumerate(events) if event.get("action", "").startswith(action))
    length = next((number for number, event in enumerate(events[begin + 1 :]) if "action" in event), len(events))
    return [dict(event) for event in events[begin + 1 : begin + 1 + length]]


class Watched:
    """One InferenceService and everything a watch has told about it."""

    def __init__(self, cluster: Cluster, name: str, model: Path) -> None:
        self.cluster, self.name, self._model = cluster, name, model
        self.events: list[Object] = []

    async def apply(self, *, annotations: dict[str, str] | None = None, **model: Any) -> None:
        """Apply it, with an override of the model or one more annotation; then the events are those that follow."""
        self.events.clear()
        modes = {"serving.kserve.io/deploymentMode": "Standard", "serving.kserve.io/autoscalerClass": "none"}
        obj = {
            "apiVersion": ISVC[0],
            "kind": "InferenceService",
            "metadata": {"name": self.name, "namespace": "ml", "annotations": modes | (annotations or {})},
            "spec": {"predictor": {"minReplicas": 1, "model": {"runtime": "headgate-xgboost", "storageUri": self._model.as_uri()} | model}},
        }
        await self.cluster.api.apply(obj, field_manager="test")

    async def delete(self) -> None:
        self.events.clear()
        await self.cluster.api.delete(*ISVC, self.name)

    async def follow(self) -> None:
        async for kind, obj in self.cluster.api.watch(*ISVC):
            if obj["metadata"]["name"] == self.name:
                self.events.append({"type": kind, "generation": obj["metadata"]["generation"], "status": obj.get("status")})

    async def until(self, met: Callable[[list[Object]], bool]) -> None:
        await eventually(lambda: met(self.events))


@asynccontextmanager
async def watched(folder: Path, name: str, model: Path) -> AsyncIterator[Watched]:
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(Cluster(folder, operator=False))
        found = Watched(cluster, name, model)
        following = asyncio.create_task(found.follow())
        try:
            yield found
        finally:
            following.cancel()
            await asyncio.wait([following])


def plain(status: Object | None) -> Object | None:
    """A status with the names of its objects, their pod template hashes and the times taken out."""
    if not status:
        return None
    text = re.sub(r"rec-[a-e]|x-1", "NAME", json.dumps(status))
    text = re.sub(r"-predictor-[0-9a-f]{8,10}\b", "-predictor-HASH", text).replace("-ml.", "-default.").replace(".ml.", ".default.")
    found: Object = json.loads(text)
    for condition in found["conditions"]:
        condition.pop("lastTransitionTime", None)
    return found


def statuses(events: list[Object]) -> list[Object | None]:
    """The statuses in order, those that repeat the one before left out."""
    found: list[Object | None] = []
    for event in events:
        if not found or plain(event["status"]) != found[-1]:
            found.append(plain(event["status"]))
    return found


def gist(events: list[Object]) -> list[tuple[Any, ...]]:
    """What an operator reads of the statuses: readiness, its reason, the model's state. How many copies there are in between is chance."""
    found: list[tuple[Any, ...]] = []
    for status in filter(None, statuses(events)):
        conditions = tuple((entry["type"], entry["status"], entry.get("reason")) for entry in status["conditions"])
        states = status["modelStatus"].get("states", {}).get("targetModelState")
        now = (conditions, states, status["modelStatus"]["transitionStatus"])
        if not found or now != found[-1]:
            found.append(now)
    return found


def ready(events: list[Object]) -> bool:
    status = (events[-1]["status"] or {}) if events else {}
    return any(
        (entry["type"], entry.get("reason")) == ("PredictorReady", "NewReplicaSetAvailable") for entry in status.get("conditions", [])
    )


def reasons_seen(reason: str) -> Callable[[list[Object]], bool]:
    return lambda events: any(reason == entry.get("reason") for event in events for entry in (event["status"] or {}).get("conditions", []))


async def test_a_whole_life_writes_the_statuses_that_were_recorded(tmp_path: Path, small_export: Path) -> None:
    async with watched(tmp_path, "x-1", small_export) as isvc:
        await isvc.apply()
        await isvc.until(ready)
        assert statuses(isvc.events) == statuses(recorded("lifecycle", "create"))

        await isvc.apply(env=[{"name": "VERSION", "value": "2"}])
        await isvc.until(reasons_seen("MinimumReplicasAvailable"))
        await isvc.until(ready)
        assert gist(isvc.events) == gist(recorded("lifecycle", "update args"))

        await isvc.apply(image=MISSING_IMAGE, env=[{"name": "VERSION", "value": "2"}])
        await isvc.until(reasons_seen("MinimumReplicasAvailable"))
        assert gist(isvc.events) == gist(recorded("lifecycle", "update to an image"))

        await isvc.apply(env=[{"name": "VERSION", "value": "2"}])
        await isvc.until(ready)
        assert gist(isvc.events) == gist(recorded("lifecycle", "back to v2"))

        await isvc.apply(annotations={STOP: "true"})
        await isvc.until(reasons_seen("Stopped"))
        assert statuses(isvc.events)[-1] == statuses(recorded("lifecycle", "stop annotation true"))[-1]

        await isvc.apply(annotations={STOP: "false"})
        await isvc.until(ready)
        assert statuses(isvc.events) == statuses(recorded("lifecycle", "stop annotation false"))
        assert isvc.events[-1]["generation"] > isvc.events[-1]["status"]["observedGeneration"] == 1

        await isvc.delete()
        await isvc.until(lambda events: any(event["type"] == "DELETED" for event in events))
        assert [event["type"] for event in isvc.events] == [event["type"] for event in recorded("lifecycle", "delete")]


async def test_a_missing_image_never_becomes_ready_and_only_the_pod_says_why(tmp_path: Path, small_export: Path) -> None:
    async with watched(tmp_path, "x-1", small_export) as isvc:
        await isvc.apply(image=MISSING_IMAGE)
        await isvc.until(reasons_seen("MinimumReplicasUnavailable"))
        assert statuses(isvc.events) == statuses(recorded("missing-image", "create"))
        (pod,) = await isvc.cluster.api.list("v1", "pods", "ml")
        waiting = pod["status"]["containerStatuses"][0]["state"]["waiting"]
        assert waiting["reason"] == "ImagePullBackOff"
        assert MISSING_IMAGE in waiting["message"]


async def test_a_pod_that_becomes_ready_late_reports_as_recorded(tmp_path: Path, small_export: Path) -> None:
    async with watched(tmp_path, "x-1", small_export) as isvc:
        await isvc.apply(image=MISSING_IMAGE)
        await isvc.until(reasons_seen("MinimumReplicasUnavailable"))
        await isvc.apply()
        await isvc.until(ready)
        assert plain(isvc.events[-1]["status"]) == plain(recorded("not-ready-then-ready", "fix probe")[-1]["status"])


async def test_a_server_that_cannot_start_is_never_ready_and_only_the_pod_says_why(tmp_path: Path, small_export: Path) -> None:
    async with watched(tmp_path, "x-1", small_export) as isvc:
        await isvc.apply(args=["--no-such-flag"])
        await isvc.until(reasons_seen("MinimumReplicasUnavailable"))
        await eventually(lambda: crashed(isvc.cluster))
        assert statuses(isvc.events) == statuses(recorded("crash", "create"))


async def crashed(cluster: Cluster) -> bool:
    pods = await cluster.api.list("v1", "pods", "ml")
    containers = [entry for pod in pods for entry in pod.get("status", {}).get("containerStatuses", [])]
    return any(entry["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff" for entry in containers)


async def test_an_autoscaled_service_becomes_ready_with_one_replica_as_recorded(tmp_path: Path, small_export: Path) -> None:
    async with watched(tmp_path, "x-1", small_export) as isvc:
        await isvc.apply(annotations={"serving.kserve.io/autoscalerClass": "hpa"})
        await isvc.until(ready)
        assert statuses(isvc.events) == statuses(recorded("hpa", "create"))
