"""One pod's life: start the server, probe it, start it again when it dies, end it gently when the pod is deleted."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp

from headgate_devcluster import process
from headgate_devcluster.errors import ClusterError, free_port
from headgate_devcluster.kserve.behaviour import Behaviour
from headgate_devcluster.kserve.command import CannotRunError, Command, command
from headgate_devcluster.objects import Object

_PROBE_TIMEOUT = aiohttp.ClientTimeout(total=5)
_PROBE_HEADERS = {"User-Agent": "kube-probe/1.35"}
_STARTING_PROBE_SECONDS = 0.1
_SERVING_PROBE_SECONDS = 5.0
_FAILURES_ALLOWED = 3
_FIRST_BACKOFF, _LONGEST_BACKOFF = 1.0, 10.0
_STEADY_SECONDS = 60.0
"""A server that ran so long starts again at once when it dies."""


@dataclass(frozen=True)
class ServerState:
    """What a Pod's status tells about its server."""

    port: int | None = None
    ready: bool = False
    restarts: int = 0
    waiting: str | None = None
    """Why there is no process, as a reason such as CrashLoopBackOff; None while there is one."""
    message: str = ""
    exit_code: int | None = None
    """Of the process before the present one."""


Report = Callable[[ServerState], Awaitable[None]]


@dataclass
class Server:
    """The server process of one pod."""

    pod: Object
    log: Path
    report: Report
    """Told every change of state, before anything that depends on it happens."""
    session: aiohttp.ClientSession
    proxy: str = ""
    """An HTTP proxy that knows the cluster's Services; the agent's way to its sink."""
    behaviour: Behaviour = field(default_factory=Behaviour)
    """What is ordered; may change at any time."""
    child: process.Child | None = None
    agent: process.Child | None = None
    state: ServerState = ServerState(waiting="ContainerCreating")

    def __post_init__(self) -> None:
        self._began = time.monotonic()
        self._ordered = asyncio.Event()

    async def run(self) -> None:
        """Keep the server running until cancelled; never returns before that unless it can never start."""
        try:
            start = command(self.pod)
        except CannotRunError as error:
            await self._tell(waiting=error.reason, message=str(error))
            return
        backoff = 0.0
        while True:
            began = time.monotonic()
            code = await self._run_once(start)
            backoff = 0.0 if time.monotonic() - began > _STEADY_SECONDS else min(_LONGEST_BACKOFF, backoff * 2 or _FIRST_BACKOFF)
            words = self.child.last_words() if self.child else ""
            await self._tell(port=None, ready=False, waiting="CrashLoopBackOff", message=words, exit_code=code)
            await asyncio.sleep(backoff)
            self.state = replace(self.state, restarts=self.state.restarts + 1)

    async def end(self, grace: float) -> None:
        """End the processes: SIGTERM, `grace` seconds, SIGKILL."""
        await asyncio.gather(*(child.stop(grace) for child in (self.agent, self.child) if child))

    async def _run_once(self, start: Command) -> int:
        """The process, and the agent before it, from start to end; returns the exit code of the one that ended first."""
        try:
            port = await self._launch(start)
        except ClusterError as error:
            await self.end(0)
            await self._tell(waiting="CreateContainerError", message=str(error))
            return -1
        self._began = time.monotonic()
        await self._tell(port=port, ready=False, waiting=None, message="")
        probing = asyncio.create_task(self._probe(f"http://127.0.0.1:{port}{start.ready_path}"))
        try:
            return await self._first_end()
        finally:
            probing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await probing

    async def _launch(self, start: Command) -> int:
        """Start what the pod runs; returns the port that requests go to."""
        name, port = self.pod["metadata"]["name"], free_port()
        self.child = await process.start(name, start.listening_on(port), log=self.log, env=start.env)
        if start.agent is None:
            return port
        front = free_port()
        own = dict.fromkeys(("HTTP_PROXY", "http_proxy"), self.proxy) | dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
        env = start.env | own
        self.agent = await process.start(f"{name} agent", start.agent_on(front, port), log=self.log.with_suffix(".agent.log"), env=env)
        return front

    async def _first_end(self) -> int:
        """Wait until one of the processes ends and end the other: neither serves alone."""
        children = [child for child in (self.child, self.agent) if child]
        ends = {asyncio.create_task(child.wait()): child for child in children}
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in ends:
                waiting.cancel()
        await asyncio.gather(*(child.stop(0) for child in children if child.running))
        return done.pop().result()

    async def _probe(self, url: str) -> None:
        """Follow readiness; one lost probe of a busy server changes nothing."""
        failures = 0
        while True:
            age = time.monotonic() - self._began
            if age >= self.behaviour.crash_seconds and self.child:
                self.child.signal(signal.SIGKILL)
            allowed = self.behaviour.may_be_ready(age)
            healthy = allowed and await self._healthy(url)
            failures = 0 if healthy else failures + 1
            if healthy != self.state.ready and (healthy or not allowed or failures >= _FAILURES_ALLOWED):
                await self._tell(ready=healthy)
            await self._until_next_probe()

    async def _until_next_probe(self) -> None:
        """Wait for the next probe, or for another behaviour to be ordered."""
        ordered = self.behaviour
        seldom = self.state.ready and ordered.usual
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SERVING_PROBE_SECONDS if seldom else _STARTING_PROBE_SECONDS):
                while self.behaviour == ordered:
                    self._ordered.clear()
                    await self._ordered.wait()

    def behave(self, wanted: Behaviour) -> None:
        """Behave so from now on."""
        self.behaviour = wanted
        self._ordered.set()

    async def _healthy(self, url: str) -> bool:
        try:
            async with self.session.get(url, timeout=_PROBE_TIMEOUT, headers=_PROBE_HEADERS) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def _tell(self, **changes: object) -> None:
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]
        await self.report(self.state)
