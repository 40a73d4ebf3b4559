"""The cluster: one process tree that comes up together and goes down together.

The API server, the KServe stand-in and the gateway's controller run in this process; Envoy, the model servers and the operator are its
children. A real API server, with nothing else that runs Pods or routes, can take the double's place: then the operator works under its own
ServiceAccount with the rights of `manifests/rbac`. Nothing is left behind however it ends: an exception while starting, Ctrl-C, or the
death of this process.
"""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from headgate_devcluster.access import Access, write_kubeconfig
from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.apiserver import ApiServer
from headgate_devcluster.apiserver.state import StateError
from headgate_devcluster.control import start_control
from headgate_devcluster.errors import ClusterError, require_free, writing_to
from headgate_devcluster.faults import ClusterFaults
from headgate_devcluster.gateway.controller import GatewayController
from headgate_devcluster.gateway.envoy import Envoy, start_envoy
from headgate_devcluster.installed import GATEWAY, install, operator_token
from headgate_devcluster.kserve.admission import WEBHOOKS
from headgate_devcluster.kserve.controller import KServeController
from headgate_devcluster.kserve.deployment_controller import DeploymentController
from headgate_devcluster.kserve.kubelet import Kubelet
from headgate_devcluster.lock import ClusterFacts, locked, write_facts
from headgate_devcluster.monitor_process import MonitorProcess, start_monitor
from headgate_devcluster.objects import POD, PORT_ANNOTATION
from headgate_devcluster.operator_process import OperatorProcess
from headgate_devcluster.parts import Part, pods, probed
from headgate_devcluster.rebooted import mark_pods_stopped


class Cluster:
    """A running cluster, as an async context manager.

    Args:
        folder: where everything it writes goes; it may contain spaces. One cluster a folder at a time.
        namespace: the one that users and the operator work in.
        operator: whether to start the operator; `start_operator` does it later.
        monitor: whether to start a drift monitor, which the operator then asks.
        gateway_port: the port of the gateway on 127.0.0.1; 0 for a free one.
        api_port: the port of the API server, likewise.
        api_server: an API server that runs already, as its administrator; None to start the double.
        operator_api: the address at which the operator reaches that server, if not at its own: that of a proxy.
        persistent: whether the double goes on with the objects that an earlier cluster left in the folder.
        fresh: whether to remove those objects first.
        rbac: whether the double enforces the Roles stored in it; the operator then works under its own ServiceAccount.
        progress: is told each part that is ready.

    Raises:
        ClusterError: on entering, if it cannot come up; nothing is left running then.
    """

    def __init__(
        self,
        folder: Path,
        *,
        namespace: str = "ml",
        operator: bool = True,
        monitor: bool = False,
        gateway_port: int = 0,
        api_port: int = 0,
        api_server: Access | None = None,
        operator_api: str = "",
        persistent: bool = False,
        fresh: bool = False,
        rbac: bool = False,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.folder = folder.absolute()
        self.namespace = namespace
        self.kubeconfig = self.folder / "kubeconfig"
        self._with_operator, self._with_monitor = operator, monitor
        self._monitor: MonitorProcess | None = None
        self._gateway_port, self._api_port = gateway_port, api_port
        self._given, self._operator_api = api_server, operator_api
        self._state = self.folder / "state" if persistent else None
        self._fresh, self._rbac, self._progress = fresh, rbac, progress
        self._server: ApiServer | None = None
        self._control_url = ""
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as starting:
            await self._start(starting)
            self._stack = starting.pop_all()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._stack.aclose()

    @property
    def api_url(self) -> str:
        """Of the API server."""
        return self._access.url

    @property
    def gateway_url(self) -> str:
        """Of Envoy's public listener; the Host header chooses the route."""
        return self._envoy.addresses.public

    @property
    def envoy_admin_url(self) -> str:
        """Of Envoy's admin page, `/stats/prometheus` included."""
        return self._envoy.addresses.admin

    @property
    def cluster_local_proxy(self) -> str:
        """An HTTP proxy that knows `<service>.<namespace>.svc.cluster.local`."""
        return self._envoy.addresses.cluster_local

    @property
    def monitor_url(self) -> str | None:
        """Of the drift monitor; None if there is none."""
        return self._monitor.url if self._monitor else None

    async def start_operator(self) -> None:
        """Start the operator unless it runs, and wait until it is ready."""
        await self._operator.start()

    async def kill_operator(self, number: int = signal.SIGKILL) -> None:
        """Send the operator a signal and wait for its end; it is not started again by itself."""
        await self._operator.kill(number)

    def pids(self) -> dict[str, int]:
        """The child processes that run now: `envoy`, `operator`, and every server by the name of its Pod."""
        own = {"envoy": self._envoy.child.pid} | ({"operator": self._operator.pid} if self._operator.pid else {})
        watching = {"monitor": self._monitor.child.pid} if self._monitor and self._monitor.child.running else {}
        return own | watching | self._kubelet.pids()

    async def parts(self) -> list[Part]:
        """Every part of the cluster with its process, its address and its health."""
        own, envoy, operator = os.getpid(), self._envoy, self._operator
        listed = await self.api.list(POD.api_version, POD.plural)
        return [
            await probed("api-server", own, self.api_url, f"{self.api_url}/readyz"),
            Part("kserve", own),
            await probed("envoy", envoy.child.pid if envoy.child.running else None, self.gateway_url, f"{self.envoy_admin_url}/ready"),
            await probed("operator", operator.pid, operator.health_url.removesuffix("/readyz"), operator.health_url),
            *pods(listed, self._kubelet.pids(), PORT_ANNOTATION),
        ]

    def facts(self) -> ClusterFacts:
        """What another process needs to use this cluster."""
        return ClusterFacts(
            pid=os.getpid(),
            api_url=self.api_url,
            kubeconfig=str(self.kubeconfig),
            gateway_url=self.gateway_url,
            envoy_admin_url=self.envoy_admin_url,
            cluster_local_proxy=self.cluster_local_proxy,
            namespace=self.namespace,
            control_url=self._control_url,
        )

    async def _start(self, stack: AsyncExitStack) -> None:
        """Bring the parts up in order; `stack` takes them down in the opposite one: operator, servers, Envoy, API server."""
        stack.enter_context(locked(self.folder))
        self._access = self._given or await self._start_double(stack)
        self.api = await stack.enter_async_context(ApiClient(self._access))
        await install(self.api, self.namespace)
        if self._state:
            await mark_pods_stopped(self.api)
        self._progress(f"API server at {self.api_url}")
        with writing_to(self.folder):
            write_kubeconfig(self.kubeconfig, self._access, namespace=self.namespace)
        self._envoy: Envoy = await start_envoy(self.folder / "envoy", public_port=self._gateway_port)
        stack.push_async_callback(self._envoy.stop)
        self._progress(f"gateway at {self.gateway_url}")
        self._kubelet = Kubelet(self.api, self.folder / "logs", self._envoy.addresses.cluster_local)
        gateway = GatewayController(self.api, self._envoy, GATEWAY)
        for part in (self._envoy, gateway, self._kubelet, DeploymentController(self.api), KServeController(self.api)):
            _run_until_closed(stack, part.run(), type(part).__name__)
        if self._with_monitor:
            self._monitor = await start_monitor(self.folder / "monitor", self.folder / "logs" / "monitor.log")
            stack.push_async_callback(self._monitor.stop)
            self._progress(f"monitor at {self._monitor.url}")
        self._operator = OperatorProcess(
            await self._operator_kubeconfig(), self.namespace, GATEWAY, self._envoy.addresses, self.folder / "logs" / "operator.log",
            self.monitor_url,
        )  # fmt: skip
        stack.push_async_callback(self._operator.stop)
        if self._server is not None:  # what happens to another API server is not ours to disturb
            self.faults = ClusterFaults(
                self._server, self.pids, lambda: _run_until_closed(stack, self._envoy.restart(), "restart of the gateway")
            )
            stack.callback(self.faults.clear)
            self._control_url = await start_control(self, stack)
        if self._with_operator:
            await self._operator.start()
            self._progress(f"operator, process {self._operator.pid}")
        write_facts(self.folder, self.facts())

    async def _start_double(self, stack: AsyncExitStack) -> Access:
        require_free(self._api_port, "API server")
        if self._fresh and self._state:
            with writing_to(self._state):
                shutil.rmtree(self._state, ignore_errors=True)
        try:
            server = ApiServer(port=self._api_port, logs=self.folder / "logs", state=self._state, rbac=self._rbac, webhooks=WEBHOOKS)
            self._server = await stack.enter_async_context(server)
        except StateError as error:
            raise ClusterError(str(error)) from error
        return Access(self._server.url, self._server.administrator)

    async def _operator_kubeconfig(self) -> Path:
        """Who the operator is: on an API server that asks, its own ServiceAccount."""
        if not self._access.token:
            return self.kubeconfig
        account = replace(self._access, token=await operator_token(self.api))
        if self._operator_api:
            account = Access(self._operator_api, account.token)
        return write_kubeconfig(self.folder / "operator.kubeconfig", account, namespace=self.namespace)


def _run_until_closed(stack: AsyncExitStack, work: Coroutine[Any, Any, None], name: str) -> None:
    """Run a controller beside everything else. One that fails takes the whole cluster's task with it rather than stop silently."""
    owner = asyncio.current_task()
    task = asyncio.create_task(work, name=name)

    def failed(done: asyncio.Task[None]) -> None:
        if not done.cancelled() and done.exception() is not None and owner is not None:
            owner.cancel(f"{name} failed: {done.exception()}")

    async def stop() -> None:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()):
            msg = f"{name} of the devcluster failed: {error}"
            raise ClusterError(msg) from error

    task.add_done_callback(failed)
    stack.push_async_callback(stop)
