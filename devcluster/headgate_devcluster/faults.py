"""Breaking a running cluster on purpose: `cluster.faults`.

    async with Cluster(folder) as cluster:
        cluster.faults.inject(Fault(effect=Effect.ERROR, code=409, verbs=frozenset({"update"}), limit=3))
        cluster.faults.inject(Fault(effect=Effect.CRASH, moment=Moment.AFTER, skip=7, limit=1))  # kill the operator at its eighth call
        cluster.faults.inject(BlindWatches("modeldeployments", seconds=2))
        ...
        cluster.faults.clear()

What lasts has an id, is listed by `active` and ends by itself after its seconds, or with `remove` or `clear`. What happens in an instant
(a crash, a cut) has none. `audit` says which calls the API server answered.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from headgate_devcluster.apiserver import ApiServer
from headgate_devcluster.apiserver.audit import Audit
from headgate_devcluster.apiserver.faults import Fault
from headgate_devcluster.errors import ClusterError


@dataclass(frozen=True)
class CutWatches:
    """End the watches of a resource (of all, if empty); their clients may go on from where they were."""

    resource: str = ""


@dataclass(frozen=True)
class BlindWatches:
    """Let the watches of a resource (of all, if empty) see nothing for a while, then answer 410: what happened meanwhile is missed."""

    resource: str = ""
    seconds: float = 5.0


@dataclass(frozen=True)
class CrashPod:
    """Kill the server of a Pod; the kubelet starts it again."""

    name: str


@dataclass(frozen=True)
class FreezeGateway:
    """Stop Envoy in its tracks, connections open and nothing answered; for ever without seconds."""

    seconds: float | None = None


@dataclass(frozen=True)
class RestartGateway:
    """End Envoy and start it again on the same ports: requests in flight are lost, and all its counters begin anew."""


@dataclass(frozen=True)
class PauseOperator:
    """Stop the operator in its tracks (SIGSTOP), as a node that lost its network; for ever without seconds."""

    seconds: float | None = None


@dataclass(frozen=True)
class KillOperator:
    """Kill the operator (SIGKILL); it is started again a second later, as a Deployment would."""


Disturbance = Fault | CutWatches | BlindWatches | CrashPod | FreezeGateway | RestartGateway | PauseOperator | KillOperator
DISTURBANCES: Final = (Fault, CutWatches, BlindWatches, CrashPod, FreezeGateway, RestartGateway, PauseOperator, KillOperator)

Pids = Callable[[], Mapping[str, int]]


@dataclass(frozen=True)
class Active:
    """Something that is broken now."""

    id: str
    what: Disturbance
    seconds_left: float | None
    seen: int = 0
    """Requests that a fault was about."""
    struck: int = 0
    """Requests that met it."""


@dataclass
class _Lasting:
    what: Disturbance
    end: Callable[[], None]
    timer: asyncio.TimerHandle | None


@dataclass
class ClusterFaults:
    """What is broken in one cluster. `pids` names its processes, as `Cluster.pids` does."""

    server: ApiServer
    pids: Pids
    restart_gateway: Callable[[], None]
    """Begins to restart Envoy."""
    _lasting: dict[str, _Lasting] = field(default_factory=dict)
    _count: int = 0

    def __post_init__(self) -> None:
        self.server.answering.crash = self._crash

    @property
    def audit(self) -> Audit:
        """The calls that the API server answered."""
        return self.server.answering.audit

    def inject(self, what: Disturbance) -> str | None:
        """Break something; return the id of what lasts, None for what happens in an instant.

        Raises:
            ClusterError: what is to be broken does not run.
        """
        match what:
            case Fault():
                return self.server.answering.faults.add(what)
            case CutWatches(resource):
                self.server.store.end_watches(resource)
            case CrashPod(name):
                self._signal(name, signal.SIGKILL)
            case KillOperator():
                self._signal("operator", signal.SIGKILL)
            case RestartGateway():
                self.restart_gateway()
            case BlindWatches(resource, seconds):
                return self._blind(what, resource, seconds)
            case FreezeGateway(seconds):
                return self._stop(what, "envoy", seconds)
            case PauseOperator(seconds):
                return self._stop(what, "operator", seconds)
        return None

    def active(self) -> list[Active]:
        """Return what is broken now."""
        faults, now = self.server.answering.faults, asyncio.get_running_loop().time()
        requests = [
            Active(item.id, item.fault, None if item.ends is None else item.ends - faults.clock(), item.seen, item.struck)
            for item in faults.active()
        ]
        lasting = [Active(name, item.what, item.timer.when() - now if item.timer else None) for name, item in self._lasting.items()]
        return requests + lasting

    def remove(self, name: str) -> bool:
        """Mend one thing; False if nothing with this id is broken (any more)."""
        if lasting := self._lasting.pop(name, None):
            if lasting.timer:
                lasting.timer.cancel()
            lasting.end()
            return True
        return self.server.answering.faults.remove(name)

    def clear(self) -> None:
        """Mend everything."""
        for name in tuple(self._lasting):
            self.remove(name)
        self.server.answering.faults.clear()

    def _blind(self, what: Disturbance, resource: str, seconds: float) -> str:
        store = self.server.store
        histories = [history for _, history in store.watched(resource)]
        for history in histories:
            history.mute()

        def end() -> None:
            for history in histories:
                history.expire(store.revision)

        return self._keep(what, end, seconds)

    def _stop(self, what: Disturbance, process: str, seconds: float | None) -> str:
        pid = self._signal(process, signal.SIGSTOP)

        def end() -> None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

        return self._keep(what, end, seconds)

    def _keep(self, what: Disturbance, end: Callable[[], None], seconds: float | None) -> str:
        self._count += 1
        name = f"d{self._count}"
        loop = asyncio.get_running_loop()
        timer = loop.call_later(seconds, self.remove, name) if seconds is not None else None
        self._lasting[name] = _Lasting(what, end, timer)
        return name

    def _crash(self) -> None:
        with suppress(ClusterError):  # it may be down already, by an earlier crash
            self._signal("operator", signal.SIGKILL)

    def _signal(self, process: str, number: int) -> int:
        pid = self.pids().get(process)
        if pid is None:
            running = ", ".join(sorted(self.pids()))
            msg = f"no process {process} runs in this cluster; there are {running}"
            raise ClusterError(msg)
        os.kill(pid, number)
        return pid
