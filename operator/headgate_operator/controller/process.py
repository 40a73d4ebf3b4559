"""The operator's own life: server, client, lease, workers; started and stopped in order. Knows nothing of kopf.

Up: health server → API server answers → lease → workers. Down: no new work → drain → release the lease → close.
"""

import asyncio
import logging
import os
import socket
import sys
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from headgate_operator.controller.act import Actor
from headgate_operator.controller.audit.log import AuditLog
from headgate_operator.controller.audit.sinks import FileSink, Sink, StreamSink
from headgate_operator.controller.background import Background
from headgate_operator.controller.child_watch import ChildWatch
from headgate_operator.controller.claims import Claims
from headgate_operator.controller.echoes import Echoes
from headgate_operator.controller.golden import GoldenQuestion
from headgate_operator.controller.health import Health
from headgate_operator.controller.hearing import Hearing
from headgate_operator.controller.installed import outdated
from headgate_operator.controller.inventory import Inventory
from headgate_operator.controller.lease import Lease, LeaseLostError
from headgate_operator.controller.monitoring import Monitoring
from headgate_operator.controller.notes import Notes
from headgate_operator.controller.observe import Key, Observer
from headgate_operator.controller.parity import ParityCheck
from headgate_operator.controller.reconciler import Reconciler
from headgate_operator.controller.resources import HTTP_ROUTES, INFERENCE_SERVICES, MODEL_DEPLOYMENTS, SERVING_RUNTIMES
from headgate_operator.controller.scrape import Counters
from headgate_operator.controller.settings import DRAIN, Settings
from headgate_operator.controller.telemetry import Telemetry
from headgate_operator.controller.web_view import WebView
from headgate_operator.controller.workqueue import WorkQueue
from headgate_operator.kube.client import KubeClient
from headgate_operator.kube.connect import connect
from headgate_operator.kube.protocol import ApiError, Resource
from headgate_operator.kube.transport import Purpose

_NEEDED: Final = {
    MODEL_DEPLOYMENTS: "install it with `headgate crd | kubectl apply --server-side -f -`",
    INFERENCE_SERVICES: "install KServe",
    SERVING_RUNTIMES: "install KServe",
    HTTP_ROUTES: "install the Gateway API",
}
_RETRY_SECONDS: Final = 0.5
_CLOSE_SECONDS: Final = 3.0

_log = logging.getLogger(__name__)


class StartError(Exception):
    """The operator cannot start; one sentence says why."""


class Process:
    """Everything that runs, in one place."""

    def __init__(self, settings: Settings, *, end: Callable[[int], None] = os._exit) -> None:
        self.queue: WorkQueue[Key] = WorkQueue()
        self._claims = Claims()
        self._echoes = Echoes()
        self._inventory = Inventory(settings.namespaces)
        self.hearing = Hearing(
            self.queue, claims=self._claims, inventory=self._inventory, echoes=self._echoes, sharded=bool(settings.shard.selector)
        )  # fmt: skip
        self.telemetry = Telemetry()
        self.telemetry.watch(self.queue)
        self.failure: str | None = None
        """Why it could not start, for the person who started it."""
        self._settings = settings
        self._end = end
        self._health = Health(self.telemetry)
        self._counters = Counters(settings.providers, settings.allowed)
        self._monitoring = Monitoring(settings.monitor, token_file=settings.monitor_token_file)
        self._view = WebView(settings) if settings.web is not None else None
        self._background = Background.of(settings, wake=self.queue.add)
        self._api: KubeClient | None = None
        self._parity: ParityCheck | None = None
        self._audit: AuditLog | None = None
        self._lease: Lease | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._reconciler: Reconciler | None = None
        self._children: ChildWatch | None = None

    async def start(self) -> None:
        """Return once this process leads and works; `failure` and an exception say why it cannot."""
        try:
            await self._start()
        except Exception as error:
            self.failure = str(error) or type(error).__name__
            await self.stop()
            raise
        except asyncio.CancelledError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop in order and within bounds; never raises."""
        if self._children is not None:
            await self._children.stop()
        if self._reconciler is not None:
            await self._reconciler.stop(DRAIN.total_seconds())
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        await _bounded(self._release)
        closing = [self._background.close, self._counters.close, self._monitoring.close, self._disconnect, self._health.stop]
        if self._view is not None:
            closing.append(self._view.stop)
        closing += [part.close for part in (self._parity, self._audit) if part is not None]
        await asyncio.gather(*map(_bounded, closing))

    async def _start(self) -> None:
        settings = self._settings
        if settings.health is not None:
            port = await self._health.start(settings.health)
            _log.info("health and metrics on port %d", port)
        self._api = api = await connect(settings.kubeconfig, heard=self._count)
        await _wait_until_served(api, settings.start_timeout.total_seconds())
        self._health.ready = True
        if self._view is not None:
            _log.info("the web view is at http://%s/ui/", await self._view.start(api))
        if settings.leader_election:
            await self._lead(api)
        self.telemetry.leader.set(1)
        if self._view is not None:
            self._view.leads()
        if settings.audit_log is not None:  # only now: until here another operator may have written to it
            audit = self._audit = AuditLog(_sink(settings.audit_log), counted=self.telemetry.audited)
            self.telemetry.watch_audit(lambda: audit.waiting)
        self._parity = ParityCheck(api, GoldenQuestion(), self._background.registries, wake=self.queue.add)
        observer = Observer(
            api, settings, counters=self._counters, parity=self._parity, monitoring=self._monitoring, background=self._background,
            claims=self._claims, inventory=self._inventory,
        )  # fmt: skip
        self._reconciler = Reconciler(
            self.queue, observer, Actor(api, Notes(api), self._echoes), self._background, settings=settings, telemetry=self.telemetry,
            view=self._view, audit=self._audit,
        )  # fmt: skip
        self._reconciler.start()
        self._children = ChildWatch(api, self.hearing, settings.namespaces)
        self._children.start()

    async def _lead(self, api: KubeClient) -> None:
        identity = f"{socket.gethostname()}_{uuid.uuid4().hex[:8]}"
        self._lease = Lease(api, namespace=self._settings.lease_namespace, name=self._settings.lease_name, identity=identity)
        await self._lease.acquire()
        self._keeper = asyncio.create_task(self._keep(self._lease), name="lease keeper")

    async def _keep(self, lease: Lease) -> None:
        """End the process at once if leadership is lost: another one may be writing already."""
        try:
            await lease.keep()
        except LeaseLostError as error:
            _log.critical("%s; ending", error)
            self._end(1)
        except Exception:  # noqa: BLE001 (whatever it is, a leader that does not renew is none)
            _log.critical("the lease is not renewed any more; ending", exc_info=True)
            self._end(1)

    async def _release(self) -> None:
        if self._lease is not None:
            await self._lease.release()

    def _count(self, what: Purpose, status: int, seconds: float) -> None:
        self.telemetry.request(what.verb.lower(), what.resource or "discovery", status, seconds)

    async def _disconnect(self) -> None:
        if self._api is not None:
            await self._api.close()


def _sink(target: str) -> Sink:
    if target == "-":
        return StreamSink(sys.stdout.buffer)
    try:
        return FileSink(Path(target))
    except OSError as error:
        raise StartError(f"--audit-log {target} cannot be written: {error.strerror}") from error


async def _bounded(close: Callable[[], Awaitable[None]]) -> None:
    """Close one thing within its time: all of them together with the drain stay below the grace period of a pod."""
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await close()
    except Exception as error:  # noqa: BLE001 (a process that is told to end, ends)
        _log.warning("while stopping: %s", str(error) or type(error).__name__)


async def _wait_until_served(api: KubeClient, patience: float) -> None:
    """Wait until the API server answers and knows every kind we watch: without one of them kopf would idle for ever, silently."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    told = ""
    while why := await _missing(api):
        if loop.time() >= deadline:
            raise StartError(why)
        if why != told:
            _log.warning("%s; waiting", why)
        told = why
        await asyncio.sleep(_RETRY_SECONDS)


async def _missing(api: KubeClient) -> str:
    for resource, remedy in _NEEDED.items():
        try:
            if not await api.serves(resource):
                return f"the API server does not know {_full_name(resource)}: {remedy}"
        except ApiError as error:
            return str(error)
    try:
        return await outdated(api)
    except ApiError as error:
        return str(error)


def _full_name(resource: Resource) -> str:
    return f"{resource.plural}.{resource.group}/{resource.version}"
