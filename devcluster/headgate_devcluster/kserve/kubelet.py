"""The kubelet: a server process for every Pod, and the Pod's status from what becomes of it."""

import asyncio
import logging
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.kserve.behaviour import Behaviour, behaviour
from headgate_devcluster.kserve.names import INFERENCE_SERVICE, ISVC_LABEL, POD_FINALIZER
from headgate_devcluster.kserve.server import Report, Server, ServerState
from headgate_devcluster.objects import POD, PORT_ANNOTATION, Object, key, terminating, timestamp
from headgate_devcluster.reconcile import reconcile, unless_gone

PRE_STOP_SECONDS = 2.0
"""Between a Pod's deletion and SIGTERM, unless its preStop hook says otherwise: by then no request can reach it any more."""

_INIT = "Init:"
_TERMINATION_GRACE = 10.0
_SHUTDOWN_GRACE = 4.0

logger = logging.getLogger(__name__)


@dataclass
class _Running:
    server: Server
    task: asyncio.Task[None]
    ending: asyncio.Task[None] | None = None


@dataclass
class Kubelet:
    """All server processes of the cluster."""

    api: ApiClient
    logs: Path
    cluster_local_proxy: str = ""
    """An HTTP proxy that knows the cluster's Services."""
    pre_stop_seconds: float = PRE_STOP_SECONDS
    _running: dict[str, _Running] = field(default_factory=dict)
    """By uid of the Pod."""

    async def run(self) -> None:
        """Follow the Pods until cancelled, then end every process."""
        async with aiohttp.ClientSession() as self._session:
            try:
                await reconcile("kubelet", self.api, [POD, INFERENCE_SERVICE], self._sync)
            finally:
                await asyncio.shield(self._end_all())

    def pids(self) -> dict[str, int]:
        """The process of each pod that has one, by the pod's name."""
        children = [running.server.child for running in self._running.values()]
        return {child.name: child.pid for child in children if child and child.running}

    async def _sync(self) -> None:
        pods = [pod for pod in await self.api.list(POD.api_version, POD.plural) if POD_FINALIZER in pod["metadata"].get("finalizers", [])]
        present = {pod["metadata"]["uid"] for pod in pods}
        for pod in pods:
            self._look_at(pod)
        await self._order(pods)
        for uid in [uid for uid, running in self._running.items() if uid not in present and running.ending is None]:
            self._running[uid].ending = asyncio.create_task(self._end(uid, 0.0))

    def _look_at(self, pod: Object) -> None:
        uid = pod["metadata"]["uid"]
        if uid not in self._running:
            server = Server(pod, self.logs / f"{pod['metadata']['name']}.log", self._reporter(pod), self._session, self.cluster_local_proxy)
            self._running[uid] = _Running(server, asyncio.create_task(server.run()))
        running = self._running[uid]
        if terminating(pod) and running.ending is None:
            running.ending = asyncio.create_task(self._retire(pod))

    async def _order(self, pods: list[Object]) -> None:
        """Tell the servers how to behave: as their InferenceService is annotated, or as their Pod is, which comes first."""
        services = await self.api.list(INFERENCE_SERVICE.api_version, INFERENCE_SERVICE.plural)
        ordered = {key(isvc): isvc["metadata"].get("annotations", {}) for isvc in services}
        for pod in pods:
            meta = pod["metadata"]
            told = ordered.get((meta["namespace"], meta.get("labels", {}).get(ISVC_LABEL, "")), {}) | meta.get("annotations", {})
            try:
                wanted = behaviour(told)
            except ValueError as error:
                logger.warning("pod %s behaves as usual: %s", meta["name"], error)
                wanted = Behaviour()
            if (running := self._running.get(meta["uid"])) and running.server.behaviour != wanted:
                running.server.behave(wanted)

    async def _retire(self, pod: Object) -> None:
        """End a deleted Pod's process once no request can reach it any more, then let the Pod go."""
        uid, meta = pod["metadata"]["uid"], pod["metadata"]
        if self._running[uid].server.state.ready:
            await asyncio.sleep(_pre_stop(pod, self.pre_stop_seconds))
        await self._end(uid, _TERMINATION_GRACE)
        left = [name for name in meta["finalizers"] if name != POD_FINALIZER]
        with unless_gone():
            target = (POD.api_version, POD.plural, meta["namespace"], meta["name"])
            await self.api.merge_patch(*target, {"metadata": {"uid": uid, "finalizers": left or None}})
            await self.api.delete(*target, uid=uid, grace_seconds=0)

    async def _end(self, uid: str, grace: float) -> None:
        running = self._running[uid]
        running.task.cancel()
        await asyncio.wait([running.task])
        await running.server.end(grace)
        self._running.pop(uid, None)

    async def _end_all(self) -> None:
        for running in self._running.values():
            running.task.cancel()
            if running.ending:
                running.ending.cancel()
        tasks = [task for running in self._running.values() for task in (running.task, running.ending) if task]
        if tasks:
            await asyncio.wait(tasks)
        await asyncio.gather(*(running.server.end(_SHUTDOWN_GRACE) for running in self._running.values()))
        self._running.clear()

    def _reporter(self, pod: Object) -> Report:
        meta = pod["metadata"]

        async def report(state: ServerState) -> None:
            with unless_gone():
                target = (POD.api_version, POD.plural, meta["namespace"], meta["name"])
                if state.port:
                    await self.api.merge_patch(*target, {"metadata": {"annotations": {PORT_ANNOTATION: str(state.port)}}})
                await self.api.merge_patch(*target, {"status": pod_status(pod, state, timestamp())}, subresource="status")

        return report


def _pre_stop(pod: Object, otherwise: float) -> float:
    hook = pod["spec"]["containers"][0].get("lifecycle", {}).get("preStop", {})
    return float(hook.get("sleep", {}).get("seconds", otherwise))


def pod_status(pod: Object, state: ServerState, now: str) -> Object:
    """A Pod's status for a state of its server."""
    running, initialized = state.waiting is None, not (state.waiting or "").startswith(_INIT)
    ready = str(state.ready)
    flags = {"PodScheduled": "True", "Initialized": str(initialized), "ContainersReady": ready, "Ready": ready}
    serving, *beside = [_container_status(container, state, now) for container in pod["spec"]["containers"]]
    status: Object = {
        "phase": "Running" if running or state.restarts else "Pending",
        "podIP": "127.0.0.1",
        "hostIP": "127.0.0.1",
        "conditions": [{"type": kind, "status": value, "lastTransitionTime": now} for kind, value in flags.items()],
        "containerStatuses": [serving, *beside],
    }
    if not initialized:
        failed = replace(state, waiting=(state.waiting or "").removeprefix(_INIT))
        status["initContainerStatuses"] = [_container_status(pod["spec"]["initContainers"][0], failed, now)]
        serving["state"] = {"waiting": {"reason": "PodInitializing"}}
    return status


def _container_status(container: Object, state: ServerState, now: str) -> Object:
    running = {"running": {"startedAt": now}}
    status: Object = {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": "",
        "ready": state.ready,
        "started": state.waiting is None,
        "restartCount": state.restarts,
        "state": {"waiting": {"reason": state.waiting, "message": state.message}} if state.waiting else running,
    }
    if state.exit_code is not None:
        code = state.exit_code if state.exit_code >= 0 else 128 - state.exit_code  # as a shell counts signals
        status["lastState"] = {"terminated": {"exitCode": code, "reason": "Error", "finishedAt": now}}
    return status
