"""KServe, kubelets and the gateway as one client that writes statuses and nothing else: no pod runs, so the operator alone is measured."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from headgate_devcluster.apiclient import ApiClient, ApiError
from headgate_devcluster.objects import Object
from headgate_operator.api.names import OWNER_LABEL
from headgate_operator.kserve.resources import SOURCE_URI_ANNOTATION

_AT_A_TIME = 8
_ATTEMPTS = 8
_SERVICES = ("serving.kserve.io/v1beta1", "inferenceservices")
_ROUTES = ("gateway.networking.k8s.io/v1", "httproutes")
_EPOCH = "2026-01-01T00:00:00Z"
_Work = Callable[[], Awaitable[None]]


class StandIn:
    """Makes every version ready and accepts every route as soon as it hears of it, and notes when it did."""

    def __init__(self, api: ApiClient, namespace: str) -> None:
        self._api, self._namespace = api, namespace
        self._places = asyncio.Semaphore(_AT_A_TIME)
        self._tasks: set[asyncio.Task[None]] = set()
        self.services: dict[str, float] = {}
        """When each InferenceService was first heard of, by name."""
        self.owners: dict[str, str] = {}
        """The ModelDeployment of each of them."""
        self.weights: dict[str, int] = {}
        """The present weight of slot 1 of each route."""
        self.zero_at: dict[str, float] = {}
        """When that became 0 after it was more."""
        self.refused = ""
        """What the API server last said to a write that it did not take."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["StandIn"]:
        """Work for as long as the block lasts."""
        watches = [asyncio.create_task(self._watch(*kind)) for kind in (_SERVICES, _ROUTES)]
        try:
            yield self
        finally:
            for task in (*watches, *self._tasks):
                task.cancel()
            await asyncio.gather(*watches, *self._tasks, return_exceptions=True)

    async def _watch(self, version: str, plural: str) -> None:
        async for event, obj in self._api.watch(version, plural, self._namespace):
            if event == "DELETED":
                continue
            work = self._heard_service(obj) if plural == "inferenceservices" else self._heard_route(obj)
            if work is not None:
                task = asyncio.create_task(self._done(work))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _done(self, work: _Work) -> None:
        """Try until it is done, or what it is about is gone: a version that is not served for want of one answer waits for ever."""
        async with self._places:
            for attempt in range(_ATTEMPTS):
                try:
                    await work()
                    return
                except ApiError as error:
                    if error.status == 404:
                        return
                    self.refused = str(error)
                await asyncio.sleep(0.2 * 2**attempt)

    def _heard_service(self, isvc: Object) -> _Work | None:
        name = isvc["metadata"]["name"]
        if name in self.services:
            return None
        self.services[name] = time.monotonic()
        self.owners[name] = isvc["metadata"].get("labels", {}).get(OWNER_LABEL, "")
        return None if "status" in isvc else partial(self._serve, isvc)

    def _heard_route(self, route: Object) -> _Work | None:
        name, refs = route["metadata"]["name"], route["spec"]["rules"][0]["backendRefs"]
        weight = refs[1].get("weight", 1)
        if weight == 0 and self.weights.get(name):
            self.zero_at[name] = time.monotonic()
        self.weights[name] = weight
        seen = [entry["conditions"][0].get("observedGeneration") for entry in route.get("status", {}).get("parents", ())]
        return None if seen == [route["metadata"]["generation"]] else partial(self._accept, route)

    async def _serve(self, isvc: Object) -> None:
        name, uri = isvc["metadata"]["name"], isvc["spec"]["predictor"]["model"]["storageUri"]
        deployment = await self._api.apply(_deployment(f"{name}-predictor", self._namespace, uri), field_manager="bench")
        status = {"observedGeneration": deployment["metadata"]["generation"], "replicas": 3, "readyReplicas": 3, "availableReplicas": 3}
        await self._api.replace_status(deployment | {"status": status})
        ready = {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": _EPOCH}]}
        await self._api.merge_patch(*_SERVICES, self._namespace, name, {"status": ready}, subresource="status")

    async def _accept(self, route: Object) -> None:
        generation = route["metadata"]["generation"]
        conditions = [
            {"type": kind, "status": "True", "reason": kind, "message": "", "observedGeneration": generation, "lastTransitionTime": _EPOCH}
            for kind in ("Accepted", "ResolvedRefs")
        ]
        parent = {"parentRef": route["spec"]["parentRefs"][0], "controllerName": "bench.headgate.dev/gateway", "conditions": conditions}
        await self._api.merge_patch(
            *_ROUTES, self._namespace, route["metadata"]["name"], {"status": {"parents": [parent]}}, subresource="status"
        )


def _deployment(name: str, namespace: str, uri: str) -> Object:
    labels = {"app": name}
    template = {
        "metadata": {"labels": labels, "annotations": {SOURCE_URI_ANNOTATION: uri}},
        "spec": {"containers": [{"name": "kserve-container", "image": "none"}]},
    }
    spec = {"replicas": 3, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace}, "spec": spec}
