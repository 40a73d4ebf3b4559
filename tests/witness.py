"""What must hold at every moment of a rollout, whatever is killed or broken meanwhile: every write is seen through watches.

Weights sum to 100; what was refused has none; stable never asks for fewer replicas than were frozen; no pod is replaced or restarted.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from headgate_operator.api.names import API_VERSION, REJECTED_ANNOTATION, REVISION_HEADER
from tests.scene import NAME, Scene
from tests.waiting import settled

WRITES = ("create", "update", "patch", "delete")
_RENEWALS = ("leases",)


@dataclass
class Witness:
    """What was seen."""

    stables: list[str] = field(default_factory=list)
    """Every stable revision on record, in order."""
    routes: list[dict[str, int]] = field(default_factory=list)
    """The weights of every write of the route, by revision."""
    complaints: list[str] = field(default_factory=list)
    crashed: set[str] = field(default_factory=set)
    """InferenceServices whose servers were killed on purpose."""
    _frozen: tuple[str, int] = ("", 0)
    _pods: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def on_model(self, kind: str, obj: Any) -> None:
        stable = obj.get("status", {}).get("stable") or {}
        self._frozen = (stable.get("isvc", ""), stable.get("frozenMin") or 0)
        if stable and self.stables[-1:] != [stable["id"]]:
            self.stables.append(stable["id"])

    def on_route(self, kind: str, obj: Any) -> None:
        if kind == "DELETED" or obj["metadata"]["name"] != NAME:
            return
        weights = {
            stamp(backend): backend["weight"] for rule in obj["spec"]["rules"] for backend in rule["backendRefs"] if backend["weight"]
        }
        if self.routes[-1:] != [weights]:
            self.routes.append(weights)
        if sum(weights.values()) != 100:
            self.complaints.append(f"the weights are {weights}")
        refused = set(obj["metadata"].get("annotations", {}).get(REJECTED_ANNOTATION, "").split(","))
        if refused & weights.keys():
            self.complaints.append(f"of {refused}, which are refused, one has weight: {weights}")

    def on_service(self, kind: str, obj: Any) -> None:
        isvc, frozen = self._frozen
        asked = obj["spec"]["predictor"].get("minReplicas", 1)
        if obj["metadata"]["name"] == isvc and kind != "DELETED" and asked < frozen:
            self.complaints.append(f"{isvc}, which is stable, asks for {asked} replicas, {frozen} were frozen")

    def on_pod(self, kind: str, obj: Any) -> None:
        isvc = obj["metadata"]["labels"].get("serving.kserve.io/inferenceservice", "")
        self._pods[isvc].add(obj["metadata"]["uid"])
        restarts = sum(status.get("restartCount", 0) for status in obj.get("status", {}).get("containerStatuses", ()))
        if isvc not in self.crashed and (len(self._pods[isvc]) > 1 or restarts):
            self.complaints.append(f"{isvc} has had {len(self._pods[isvc])} pods, the last with {restarts} restarts")


def stamp(backend: Any) -> str:
    """The revision of a backend; its name if somebody took the stamp off."""
    for entry in backend.get("filters", ()):
        for header in entry.get("requestHeaderModifier", {}).get("set", ()):
            if header["name"] == REVISION_HEADER:
                return str(header["value"])
    return str(backend["name"])


@asynccontextmanager
async def witnessed(scene: Scene) -> AsyncIterator[Witness]:
    """Watch until the block ends; then complain of what must never be, if it was."""
    witness = Witness()
    watched: list[tuple[str, str, Callable[[str, Any], None]]] = [
        (API_VERSION, "modeldeployments", witness.on_model),
        ("gateway.networking.k8s.io/v1", "httproutes", witness.on_route),
        ("serving.kserve.io/v1beta1", "inferenceservices", witness.on_service),
        ("v1", "pods", witness.on_pod),
    ]

    async def follow(api_version: str, plural: str, told: Callable[[str, Any], None]) -> None:
        async for kind, obj in scene.cluster.api.watch(api_version, plural, "ml"):
            told(kind, obj)

    async with background(*(follow(*one) for one in watched)):
        yield witness
    assert not witness.complaints, witness.complaints


@asynccontextmanager
async def background(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run something beside the block; its failure is the block's."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error


async def at_rest(scene: Scene, seconds: float = 3.0) -> None:
    """Wait until the operator writes nothing for a while but its lease; it must come to that."""
    await settled(lambda: len(written(scene)), quiet=seconds, seconds=120)


def written(scene: Scene) -> list[Any]:
    """What clients other than the devcluster and the test wrote, leases apart."""
    calls = scene.cluster.faults.audit.of(verbs=WRITES)
    return [one for one in calls if not one.call.client.startswith("headgate-devcluster") and one.call.path not in _RENEWALS]
