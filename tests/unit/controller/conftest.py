"""A clock that jumps, and a small world: a real API server double in which the test plays KServe, the gateway and people."""

import asyncio
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from headgate_devcluster.access import write_kubeconfig
from headgate_devcluster.apiserver import ApiServer
from headgate_operator.api.crd import crd
from headgate_operator.api.spec import Gateway
from headgate_operator.api.status import ModelDeploymentStatus
from headgate_operator.controller.act import Actor
from headgate_operator.controller.allowed import parse_allow_list
from headgate_operator.controller.background import Background
from headgate_operator.controller.claims import Claims
from headgate_operator.controller.echoes import Echoes
from headgate_operator.controller.golden import GoldenQuestion
from headgate_operator.controller.inventory import Inventory
from headgate_operator.controller.monitoring import Monitoring
from headgate_operator.controller.notes import Notes
from headgate_operator.controller.observe import Observer, Snapshot
from headgate_operator.controller.parity import ParityCheck
from headgate_operator.controller.reconciler import Reconciler
from headgate_operator.controller.resources import (
    CLUSTER_SERVING_RUNTIMES,
    DEPLOYMENTS,
    HTTP_ROUTES,
    INFERENCE_SERVICES,
    MODEL_DEPLOYMENTS,
)
from headgate_operator.controller.settings import Settings
from headgate_operator.controller.telemetry import Telemetry
from headgate_operator.controller.workqueue import WorkQueue
from headgate_operator.kserve.resources import SOURCE_URI_ANNOTATION
from headgate_operator.kube.client import KubeClient
from headgate_operator.kube.connect import connect
from headgate_operator.kube.protocol import Object, Resource
from headgate_operator.rollout.observed import Reading

KEY = ("ml", "flight-delay")
GATEWAY = Gateway(name="kserve-ingress-gateway", namespace="kserve")
WRITES = frozenset({"apply", "replace_status", "patch", "delete", "create", "replace"})
CRDS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace")


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits for time to pass; tells the loop how long it would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("the loop would wait for ever")
        if not ready and timeout:
            self.now += timeout
        return ready


class _JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


@pytest.fixture
def on_fake_time() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a coroutine on a loop whose clock jumps to the next timer instead of waiting for it."""

    def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
            return runner.run(coroutine)

    return run


class RecordingApi:
    """The real client; writes down every call as (verb, kind, name), and fails or acts before the calls it is told to."""

    def __init__(self, api: KubeClient) -> None:
        self._api = api
        self.calls: list[tuple[str, str, str]] = []
        self.before: dict[tuple[str, str], Callable[[], Coroutine[Any, Any, None]]] = {}

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [(verb, kind) for verb, kind, _ in self.calls if verb in WRITES]

    def __getattr__(self, verb: str) -> Any:
        method = getattr(self._api, verb)

        async def call(resource: Resource, *args: Any, **options: Any) -> Any:
            name = args[0]["metadata"].get("name", "") if isinstance(args[0], dict) else args[-1]
            self.calls.append((verb, resource.kind, str(name)))
            hook = self.before.pop((verb, resource.kind), None)
            if hook is not None:
                await hook()
            return await method(resource, *args, **options)

        return call


class ScriptedCounters:
    """Stands in for the gateway's counters: says what the test wants."""

    def __init__(self) -> None:
        self.reading = Reading(error="nobody measures here")
        self.asked = 0

    async def read(self, *_: Any, **__: Any) -> Reading:
        self.asked += 1
        return self.reading


@dataclass
class World:
    """The API server, the operator's parts connected to it, and the hands of everybody else."""

    admin: KubeClient
    api: RecordingApi
    observer: Observer
    actor: Actor
    reconciler: Reconciler
    queue: WorkQueue[tuple[str, str]]
    telemetry: Telemetry
    counters: ScriptedCounters
    clock: list[datetime] = field(default_factory=list)

    async def manifest(self, uri: str = "s3://models/flight-delay/1", annotations: Mapping[str, str] | None = None, **spec: Any) -> Object:
        """Apply the ModelDeployment as a person would."""
        model = {"uri": uri, "format": {"name": "xgboost", "version": "3"}, "runtime": "headgate-xgboost"} | spec.pop("model", {})
        model = {name: value for name, value in model.items() if value is not None}
        obj = {
            "apiVersion": "headgate.dev/v1alpha1",
            "kind": "ModelDeployment",
            "metadata": {"name": KEY[1], "namespace": KEY[0], "annotations": dict(annotations or {})},
            "spec": {"model": model, "parity": {"mode": "Off"}} | spec,
        }
        return await self.admin.apply(MODEL_DEPLOYMENTS, obj, field_manager="person")

    async def kserve(self, available: int | None = None, only: str | None = None) -> None:
        """Make every InferenceService ready, or give it just so many available replicas."""
        for isvc in await self.admin.list(INFERENCE_SERVICES, KEY[0]):
            name = isvc["metadata"]["name"]
            if only is not None and name != only:
                continue
            count = isvc["spec"]["predictor"]["minReplicas"] if available is None else available
            ready = {"type": "Ready", "status": "True" if count else "False", "reason": "Test"}
            await self.admin.replace_status(INFERENCE_SERVICES, isvc | {"status": {"conditions": [ready]}})
            await self._deployment(f"{name}-predictor", isvc["spec"]["predictor"]["model"]["storageUri"], count)

    async def gateway(self) -> None:
        """Accept the route."""
        route = await self.get(HTTP_ROUTES, KEY[1])
        conditions = [
            {
                "type": kind, "status": "True", "reason": kind, "message": "",
                "observedGeneration": route["metadata"]["generation"], "lastTransitionTime": "2026-11-21T00:00:00Z",
            }
            for kind in ("Accepted", "ResolvedRefs")
        ]  # fmt: skip
        parent = {"parentRef": route["spec"]["parentRefs"][0], "controllerName": "test/gateway", "conditions": conditions}
        await self.admin.replace_status(HTTP_ROUTES, route | {"status": {"parents": [parent]}})

    async def settle(self, passes: int = 12) -> None:
        """Look until nothing is written any more, with KServe and the gateway doing their part in between."""
        for _ in range(passes):
            result = await self.reconciler.look(KEY)
            await self.kserve()
            if await self.admin.get(HTTP_ROUTES, *KEY) is not None:
                await self.gateway()
            if result != "written" and await self.reconciler.look(KEY) == "unchanged":
                return
        raise AssertionError(f"still writing after {passes} looks: {self.api.writes[-12:]}")

    async def get(self, resource: Resource, name: str = KEY[1]) -> Object:
        obj = await self.admin.get(resource, KEY[0], name)
        assert obj is not None, f"{resource.kind} {name} does not exist"
        return obj

    async def status(self) -> ModelDeploymentStatus:
        return ModelDeploymentStatus.model_validate((await self.get(MODEL_DEPLOYMENTS)).get("status") or {})

    async def snapshot(self) -> Snapshot:
        snapshot = await self.observer.observe(KEY)
        assert snapshot is not None
        return snapshot

    async def weights(self) -> dict[str, int]:
        """Weight by Service name in the route."""
        (rule,) = (await self.get(HTTP_ROUTES))["spec"]["rules"]
        return {ref["name"]: ref["weight"] for ref in rule["backendRefs"] if ref["weight"]}

    async def _deployment(self, name: str, uri: str, available: int) -> None:
        labels = {"app": name}
        template = {
            "metadata": {"labels": labels, "annotations": {SOURCE_URI_ANNOTATION: uri}},
            "spec": {"containers": [{"name": "kserve-container", "image": "x"}]},
        }
        spec = {"replicas": available, "selector": {"matchLabels": labels}, "template": template}
        meta = {"name": name, "namespace": KEY[0]}
        obj = await self.admin.apply(
            DEPLOYMENTS, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}, field_manager="kserve"
        )
        status = {"observedGeneration": obj["metadata"]["generation"], "replicas": available, "availableReplicas": available}
        await self.admin.replace_status(DEPLOYMENTS, obj | {"status": status})


@pytest.fixture
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """With the parameter `no rules` the API server lets through what a CRD of another release might."""
    options = {"validators": {}} if getattr(request, "param", "") == "no rules" else {}
    async with ApiServer(**options) as server:
        config = write_kubeconfig(tmp_path / "kubeconfig", server.url, namespace=KEY[0])
        admin = await connect(config)
        await admin.create(CRDS, crd())
        await admin.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": KEY[0]}})
        await admin.create(CLUSTER_SERVING_RUNTIMES, runtime())
        api = RecordingApi(admin)
        settings = Settings(gateway=GATEWAY, domain="example.com", allowed=parse_allow_list(["http://127.0.0.1"]))
        counters, queue, telemetry = ScriptedCounters(), WorkQueue[tuple[str, str]](), Telemetry()
        background = Background.of(settings, wake=queue.add)
        clock: list[datetime] = []
        parity = ParityCheck(api, GoldenQuestion(), background.registries, wake=queue.add)

        def now() -> datetime:
            return clock[-1] if clock else datetime.now(UTC)

        observer = Observer(
            api, settings, counters=counters, parity=parity, monitoring=Monitoring(None), background=background, claims=Claims(),
            inventory=Inventory(clock=lambda: now().timestamp()), clock=now,
        )  # fmt: skip
        actor = Actor(api, Notes(api), Echoes())
        reconciler = Reconciler(queue, observer, actor, background, settings=settings, telemetry=telemetry, spread=lambda: 0.0)
        yield World(admin, api, observer, actor, reconciler, queue, telemetry, counters, clock)
        queue.close()
        await background.close()
        await parity.close()
        await admin.close()


def runtime(name: str = "headgate-xgboost") -> Object:
    container = {"name": "kserve-container", "image": "headgate-serving", "args": ["--model_name={{.Name}}", "--model_dir=/mnt/models"]}
    return {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ClusterServingRuntime",
        "metadata": {"name": name},
        "spec": {
            "supportedModelFormats": [{"name": "xgboost", "version": "3"}],
            "protocolVersions": ["v1", "v2"],
            "containers": [container],
        },
    }
