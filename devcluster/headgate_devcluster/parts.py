"""The parts of a running cluster and how they are, for `headgate dev status`."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import aiohttp

from headgate_devcluster.objects import POD, Object

READY: Final = "ready"
_PROBE_TIMEOUT: Final = aiohttp.ClientTimeout(total=3)


@dataclass(frozen=True)
class Part:
    """One part of a running cluster."""

    name: str
    pid: int | None
    address: str = ""
    """Where it listens; empty if it does not."""
    health: str = READY
    """`ready`, or what is the matter."""


async def probed(name: str, pid: int | None, address: str, probe: str) -> Part:
    """Return a part whose health is what an HTTP GET of `probe` answers."""
    if pid is None:
        return Part(name, None, address, "not running")
    try:
        async with aiohttp.ClientSession(timeout=_PROBE_TIMEOUT) as session, session.get(probe) as answer:
            return Part(name, pid, address, READY if answer.ok else f"answers {answer.status}")
    except (aiohttp.ClientError, TimeoutError):
        return Part(name, pid, address, "does not answer")


def pods(listed: Iterable[Object], pids: dict[str, int], ports: str) -> list[Part]:
    """Return the model servers by their Pods; `ports` is the annotation with a server's port."""
    return [_pod(pod, pids, ports) for pod in listed]


def _pod(pod: Object, pids: dict[str, int], ports: str) -> Part:
    meta, status = pod["metadata"], pod.get("status") or {}
    port = (meta.get("annotations") or {}).get(ports)
    ready = any(item["type"] == "Ready" and item["status"] == "True" for item in status.get("conditions") or ())
    name = f"{POD.plural}/{meta['name']}"
    return Part(name, pids.get(meta["name"]), f"http://127.0.0.1:{port}" if port else "", READY if ready else _trouble(status))


def _trouble(status: Object) -> str:
    for container in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        waiting = (container.get("state") or {}).get("waiting")
        if waiting:
            return str(waiting.get("reason", "waiting"))
    return "not ready"
