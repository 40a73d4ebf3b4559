"""KServe's controller in Standard mode: Deployment, Service and autoscaler of every InferenceService, and the status as recorded."""

import asyncio
from dataclasses import dataclass

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.kserve import autoscaling, desired, isvc_status
from headgate_devcluster.kserve.knative_controller import KnativeController
from headgate_devcluster.kserve.names import (
    AUTOSCALER,
    CLUSTER_RUNTIME,
    DEPLOYMENT,
    INFERENCE_SERVICE,
    ISVC_LABEL,
    MODE_ANNOTATION,
    RUNTIME,
    STOP_ANNOTATION,
    predictor,
)
from headgate_devcluster.kserve.runtimes import RuntimeMissingError, runtime_of
from headgate_devcluster.kserve.writes import Writes
from headgate_devcluster.objects import POD, SERVICE, Object, key, terminating, timestamp
from headgate_devcluster.reconcile import keeps_others, reconcile, unless_gone

AUTOSCALER_SECONDS = 3.0
"""How often the autoscaler looks. The real one takes 15 s, which would only make rollouts here slower."""


@dataclass
class KServeController:
    """All InferenceServices of the cluster."""

    api: ApiClient
    autoscaler_seconds: float = AUTOSCALER_SECONDS

    def __post_init__(self) -> None:
        self._writes = Writes(self.api)

    async def run(self) -> None:
        """Follow InferenceServices and what they depend on until cancelled."""
        kinds = [INFERENCE_SERVICE, RUNTIME, CLUSTER_RUNTIME, DEPLOYMENT, POD]
        async with asyncio.TaskGroup() as group:
            group.create_task(reconcile("kserve", self.api, kinds, self._sync))
            group.create_task(self._autoscale())
            group.create_task(KnativeController(self.api).run())

    async def _sync(self) -> None:
        for isvc in await self.api.list(INFERENCE_SERVICE.api_version, INFERENCE_SERVICE.plural):
            if _mode(isvc) == "Standard" and "predictor" in isvc["spec"]:
                with keeps_others(isvc):
                    await self._reconcile(isvc)

    async def _reconcile(self, isvc: Object) -> None:
        if not await self._writes.hold(isvc):
            return
        if isvc["metadata"].get("annotations", {}).get(STOP_ANNOTATION) == "true":
            await self._stop(isvc)
        else:
            await self._serve(isvc)

    async def _serve(self, isvc: Object) -> None:
        try:
            runtime = await runtime_of(self.api, isvc)
        except RuntimeMissingError as error:
            await self._writes.status(isvc, isvc_status.invalid(isvc, "Standard", error.reason, str(error)))
            return
        namespace, name = key(isvc)
        live = await self.api.get(DEPLOYMENT.api_version, DEPLOYMENT.plural, namespace, predictor(name))
        deployment = await self._writes.apply(isvc, self._with_replicas(isvc, desired.deployment(isvc, runtime), live), live)
        service = await self.api.get(SERVICE.api_version, SERVICE.plural, namespace, predictor(name))
        await self._writes.apply(isvc, desired.service(isvc), service)
        await self._keep_autoscaler(isvc)
        pods = await self.api.list(POD.api_version, POD.plural, namespace, label_selector=f"{ISVC_LABEL}={name}")
        await self._writes.status(isvc, isvc_status.serving(isvc, deployment, pods, timestamp()))

    async def _keep_autoscaler(self, isvc: Object) -> None:
        namespace, name = key(isvc)
        target = (AUTOSCALER.api_version, AUTOSCALER.plural, namespace, predictor(name))
        live = await self.api.get(*target)
        if desired.autoscaled(isvc):
            await self._writes.apply(isvc, autoscaling.autoscaler(isvc), live)
        elif live is not None:
            await self.api.delete(*target)

    def _with_replicas(self, isvc: Object, deployment: Object, live: Object | None) -> Object:
        least, _ = desired.replica_bounds(isvc)
        if desired.autoscaled(isvc):  # starts with one; from then on the autoscaler's
            least = live["spec"].get("replicas", 1) if live else 1
        return deployment | {"spec": deployment["spec"] | {"replicas": least}}

    async def _stop(self, isvc: Object) -> None:
        namespace, name = key(isvc)
        for kind in (DEPLOYMENT, SERVICE, AUTOSCALER):
            await self.api.delete(kind.api_version, kind.plural, namespace, predictor(name))
        await self._writes.status(isvc, isvc_status.stopped(isvc, "Standard", timestamp()))

    async def _autoscale(self) -> None:
        """Keep the replicas within their bounds, as the autoscaler does when there is little load."""
        while True:
            await asyncio.sleep(self.autoscaler_seconds)
            for scaler in await self.api.list(AUTOSCALER.api_version, AUTOSCALER.plural):
                if not terminating(scaler):
                    with unless_gone():
                        await self._scale(scaler)

    async def _scale(self, scaler: Object) -> None:
        namespace, name = key(scaler)
        target = (DEPLOYMENT.api_version, DEPLOYMENT.plural, namespace, scaler["spec"]["scaleTargetRef"]["name"])
        live = await self.api.get(*target)
        if live is None:
            return
        present = live["spec"].get("replicas", 1)
        wanted = autoscaling.wanted_replicas(scaler, present)
        if wanted != present:
            await self.api.merge_patch(*target, {"spec": {"replicas": wanted}})
        told = {"currentReplicas": (live.get("status") or {}).get("replicas", 0), "desiredReplicas": wanted}
        if told.items() - (scaler.get("status") or {}).items():
            own = (AUTOSCALER.api_version, AUTOSCALER.plural, namespace, name)
            await self.api.merge_patch(*own, {"status": told}, subresource="status")


def _mode(isvc: Object) -> str:
    return str(isvc["metadata"].get("annotations", {}).get(MODE_ANNOTATION, ""))
