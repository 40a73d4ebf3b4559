"""KServe's controller in Standard mode: a Deployment and a Service for every InferenceService, and the status as recorded."""

import asyncio
import hashlib
import json
from dataclasses import dataclass, field

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.kserve import desired, isvc_status
from headgate_devcluster.kserve.names import (
    CLUSTER_RUNTIME,
    DEPLOYMENT,
    FINALIZER,
    INFERENCE_SERVICE,
    ISVC_LABEL,
    KSERVE_MANAGER,
    MODE_ANNOTATION,
    RUNTIME,
    STOP_ANNOTATION,
    predictor,
)
from headgate_devcluster.objects import POD, SERVICE, Object, is_ready, key, merge_patch, terminating, timestamp
from headgate_devcluster.reconcile import reconcile

AUTOSCALER_SECONDS = 3.0
"""How often the autoscaler looks. The real one takes 15 s, which would only make rollouts here slower."""


class RuntimeMissingError(Exception):
    """The InferenceService's model has no runtime; `reason` is KServe's word for it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass
class KServeController:
    """All InferenceServices of the cluster."""

    api: ApiClient
    autoscaler_seconds: float = AUTOSCALER_SECONDS
    _applied: dict[tuple[str, str], str] = field(default_factory=dict)
    """Digest of what was last applied, by uid of the InferenceService and kind: an apply that changes nothing costs as much as any."""

    async def run(self) -> None:
        """Follow InferenceServices and what they depend on until cancelled."""
        kinds = [INFERENCE_SERVICE, RUNTIME, CLUSTER_RUNTIME, DEPLOYMENT, POD]
        async with asyncio.TaskGroup() as group:
            group.create_task(reconcile("kserve", self.api, kinds, self._sync))
            group.create_task(self._autoscale())

    async def _sync(self) -> None:
        for isvc in await self.api.list(INFERENCE_SERVICE.api_version, INFERENCE_SERVICE.plural):
            if isvc["metadata"].get("annotations", {}).get(MODE_ANNOTATION) == "Standard" and "predictor" in isvc["spec"]:
                await self._reconcile(isvc)

    async def _reconcile(self, isvc: Object) -> None:
        finalizers = isvc["metadata"].get("finalizers", [])
        if terminating(isvc):
            if FINALIZER in finalizers:
                left = [name for name in finalizers if name != FINALIZER]
                await self._patch(isvc, {"metadata": {"finalizers": left or None}})
            return
        if FINALIZER not in finalizers:
            await self._patch(isvc, {"metadata": {"finalizers": [*finalizers, FINALIZER]}})
        if isvc["metadata"].get("annotations", {}).get(STOP_ANNOTATION) == "true":
            await self._stop(isvc)
        else:
            await self._serve(isvc)

    async def _serve(self, isvc: Object) -> None:
        try:
            runtime = await self._runtime(isvc)
        except RuntimeMissingError as error:
            await self._write_status(isvc, isvc_status.invalid(isvc, error.reason, str(error)))
            return
        namespace, name = key(isvc)
        live = await self.api.get(DEPLOYMENT.api_version, DEPLOYMENT.plural, namespace, predictor(name))
        deployment = await self._apply(isvc, self._with_replicas(isvc, desired.deployment(isvc, runtime), live), live)
        service = await self.api.get(SERVICE.api_version, SERVICE.plural, namespace, predictor(name))
        await self._apply(isvc, desired.service(isvc), service)
        pods = await self.api.list(POD.api_version, POD.plural, namespace, label_selector=f"{ISVC_LABEL}={name}")
        await self._write_status(isvc, isvc_status.serving(isvc, deployment, sum(map(is_ready, pods)), timestamp()))

    def _with_replicas(self, isvc: Object, deployment: Object, live: Object | None) -> Object:
        least, _ = desired.replica_bounds(isvc)
        if desired.autoscaled(isvc):  # starts with one; from then on the autoscaler's
            least = live["spec"].get("replicas", 1) if live else 1
        return deployment | {"spec": deployment["spec"] | {"replicas": least}}

    async def _apply(self, isvc: Object, child: Object, live: Object | None) -> Object:
        slot = (isvc["metadata"]["uid"], child["kind"])
        digest = hashlib.sha256(json.dumps(child, sort_keys=True).encode()).hexdigest()
        if live is not None and self._applied.get(slot) == digest:
            return live
        applied: Object = await self.api.apply(child, field_manager=KSERVE_MANAGER)
        self._applied[slot] = digest
        return applied

    async def _runtime(self, isvc: Object) -> Object | None:
        model = isvc["spec"]["predictor"].get("model")
        if model is None:
            return None
        name = model.get("runtime")
        if not name:
            raise RuntimeMissingError("NoSupportingRuntime", "No runtime is named, and the devcluster does not choose one by model format")
        own = await self.api.get(RUNTIME.api_version, RUNTIME.plural, isvc["metadata"]["namespace"], name)
        found: Object | None = own or await self.api.get(CLUSTER_RUNTIME.api_version, CLUSTER_RUNTIME.plural, None, name)
        if found is None:
            raise RuntimeMissingError("RuntimeNotRecognized", "Waiting for runtime to become available")
        if found["spec"].get("disabled"):
            raise RuntimeMissingError("RuntimeDisabled", "Specified runtime is disabled")
        return found

    async def _stop(self, isvc: Object) -> None:
        namespace, name = key(isvc)
        for kind in (DEPLOYMENT, SERVICE):
            await self.api.delete(kind.api_version, kind.plural, namespace, predictor(name))
            self._applied.pop((isvc["metadata"]["uid"], kind.kind), None)
        await self._write_status(isvc, isvc_status.stopped(isvc, timestamp()))

    async def _autoscale(self) -> None:
        """Keep the replicas within their bounds, as the autoscaler does when there is little load."""
        while True:
            await asyncio.sleep(self.autoscaler_seconds)
            for isvc in await self.api.list(INFERENCE_SERVICE.api_version, INFERENCE_SERVICE.plural):
                if desired.autoscaled(isvc) and not terminating(isvc):
                    await self._scale(isvc)

    async def _scale(self, isvc: Object) -> None:
        namespace, name = key(isvc)
        target = (DEPLOYMENT.api_version, DEPLOYMENT.plural, namespace, predictor(name))
        live = await self.api.get(*target)
        if live is None:
            return
        least, most = desired.replica_bounds(isvc)
        wanted = min(max(live["spec"].get("replicas", 1), least), most)
        if wanted != live["spec"].get("replicas", 1):
            await self.api.merge_patch(*target, {"spec": {"replicas": wanted}})

    async def _write_status(self, isvc: Object, status: Object) -> None:
        if changes := merge_patch(isvc.get("status") or {}, status):
            await self._patch(isvc, {"status": changes}, subresource="status")

    async def _patch(self, isvc: Object, patch: Object, *, subresource: str = "") -> None:
        await self.api.merge_patch(INFERENCE_SERVICE.api_version, INFERENCE_SERVICE.plural, *key(isvc), patch, subresource=subresource)
