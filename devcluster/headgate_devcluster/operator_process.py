"""The operator as a process of its own, as it would run in a pod: production code and flags, only addresses differ."""

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from headgate_devcluster import process
from headgate_devcluster.errors import ClusterError, free_port
from headgate_devcluster.gateway.bootstrap import STATS_FLUSH_SECONDS
from headgate_devcluster.gateway.envoy import Addresses
from headgate_devcluster.gateway.httproute import GatewayRef
from headgate_devcluster.installed import OPERATOR_NAMESPACE

DOMAIN = "example.com"

_READY_DEADLINE = 60.0
_STOP_GRACE = 15.0
"""Longer than the operator's own drain of 10 s."""
_RESTART_SECONDS = 1.0


@dataclass
class OperatorProcess:
    """Starts the operator, starts it again when it ends by itself (as a Deployment would), stops it."""

    kubeconfig: Path
    namespace: str
    gateway: GatewayRef
    envoy: Addresses
    log: Path
    monitor: str | None = None
    """Address of the drift monitor."""
    health_url: str = ""
    """Of its readiness, since it was started."""
    _child: process.Child | None = None
    _keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id, None while it does not run."""
        return self._child.pid if self._child and self._child.running else None

    async def start(self) -> None:
        """Start it and wait until it is ready. One that runs already is left alone.

        Raises:
            ClusterError: it ended or was not ready in time.
        """
        if self.pid is not None:
            return
        child = await self._launch()
        try:
            async with asyncio.timeout(_READY_DEADLINE):
                await process.until_ready(child, self.health_url)
        except TimeoutError as error:
            await child.stop(0)
            msg = f"the operator was not ready within {_READY_DEADLINE:.0f} s: {child.last_words()} (log: {self.log})"
            raise ClusterError(msg) from error
        self._keeper = asyncio.create_task(self._keep())

    async def kill(self, number: int = signal.SIGKILL) -> None:
        """Send it a signal, wait for its end, and do not start it again."""
        await self._stop_keeping()
        if self._child:
            self._child.signal(number)
            async with asyncio.timeout(_STOP_GRACE):
                await self._child.wait()

    async def stop(self) -> None:
        """End it, gently first."""
        await self._stop_keeping()
        if self._child:
            await self._child.stop(_STOP_GRACE)

    async def _keep(self) -> None:
        while True:
            if self._child:
                await self._child.wait()
            await asyncio.sleep(_RESTART_SECONDS)
            await self._launch()

    async def _stop_keeping(self) -> None:
        if self._keeper:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None

    async def _launch(self) -> process.Child:
        port = free_port()
        self.health_url = f"http://127.0.0.1:{port}/readyz"
        self._child = await process.start("operator", self._arguments(port), log=self.log, env=self._environment())
        return self._child

    def _arguments(self, health_port: int) -> list[str]:
        flags = {
            "kubeconfig": str(self.kubeconfig),
            "namespace": self.namespace,
            "lease-namespace": OPERATOR_NAMESPACE,
            "gateway": f"{self.gateway.namespace}/{self.gateway.name}",
            "domain": DOMAIN,
            "envoy-address": self.envoy.admin,
            "envoy-flush": f"{STATS_FLUSH_SECONDS}s",
            "health-address": f"127.0.0.1:{health_port}",
            "log-format": "text",
        }
        flags |= {"monitor": self.monitor} if self.monitor else {}
        options = [part for flag, value in flags.items() for part in (f"--{flag}", value)]
        for allowed in ("cluster", "http://127.0.0.1"):  # everything here is on loopback, which no real operator is asked to reach
            options += ["--allow-url", allowed]
        return [sys.executable, "-m", "headgate_operator.controller", *options]

    def _environment(self) -> dict[str, str]:
        # In a real cluster DNS resolves the candidates' addresses; here only Envoy's cluster-local listener knows them.
        inherited = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        proxy = dict.fromkeys(("HTTP_PROXY", "http_proxy"), self.envoy.cluster_local)
        return inherited | proxy | dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
