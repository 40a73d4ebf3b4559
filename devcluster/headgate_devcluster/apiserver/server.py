"""The API server double as a process or inside one: `async with ApiServer() as server: server.url`.

A development and test double, not Kubernetes: no CEL, one writer, everything in memory; authentication and RBAC
only if asked for. It listens on loopback only.
"""

import asyncio
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import yaml
from aiohttp import web

from headgate_devcluster.apiserver import custom
from headgate_devcluster.apiserver.admission import Webhooks
from headgate_devcluster.apiserver.answering import Answering
from headgate_devcluster.apiserver.builtin import BUILTINS, CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES
from headgate_devcluster.apiserver.checks import Validators
from headgate_devcluster.apiserver.deletion import Deletion
from headgate_devcluster.apiserver.garbage import GarbageCollection
from headgate_devcluster.apiserver.gate import Gate
from headgate_devcluster.apiserver.history import Change
from headgate_devcluster.apiserver.objects import Object
from headgate_devcluster.apiserver.resources import Catalogue, StorageKey, Target
from headgate_devcluster.apiserver.state import State
from headgate_devcluster.apiserver.store import HISTORY_SIZE, Store
from headgate_devcluster.apiserver.verbs import Verbs
from headgate_devcluster.apiserver.writes import WriteOptions, Writes
from headgate_operator.api import names, rules

HOST: Final = "127.0.0.1"
_MAX_BODY: Final = 3 * 1024 * 1024
_NAMESPACES_AT_START: Final = ("default", "kube-system")


MODEL_RULES: Final = {(names.GROUP, names.KIND): rules.violations}
"""What is CEL in the CRD of ModelDeployment."""


class ApiServer:
    """One API server; `validators` stand for CEL, `webhooks` for those of other programs, in `logs` the kubelet keeps those of Pods.

    With a folder for its `state` it goes on with what an earlier one left there; with `rbac` it asks
    who makes a request and enforces the Roles and bindings stored in it. Leaving the context closes every connection.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        state: Path | None = None,
        validators: Validators = MODEL_RULES,
        webhooks: Webhooks | None = None,
        history_size: int = HISTORY_SIZE,
        logs: Path | None = None,
        rbac: bool = False,
    ) -> None:
        self.store = Store(history_size=history_size)
        self.catalogue = Catalogue(BUILTINS)
        deletion = Deletion(self.store, self.catalogue)
        self._collection = GarbageCollection(self.store, deletion)
        self._gate = Gate(self.store, enforced=rbac)
        self._writes = Writes(self.store, validators, webhooks or {})
        verbs = Verbs(self.store, self._writes, deletion, self._gate.tokens, logs)
        self.answering = Answering(self.store, self.catalogue, verbs, self._gate)
        self._state = State(state, self.store) if state else None
        self._port, self._tasks = port, list[asyncio.Task[None]]()
        self._runner: web.AppRunner | None = None
        self.store.listen(self._follow_definitions)

    @property
    def url(self) -> str:
        """Where it listens, such as http://127.0.0.1:40123."""
        return f"http://{HOST}:{self._port}"

    @property
    def administrator(self) -> str:
        """The administrator's bearer token; empty without RBAC, where nobody has to say who he is."""
        return self._gate.administrator

    async def __aenter__(self) -> Self:
        self._fill()
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self.answering.answer)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self._tasks.append(asyncio.create_task(self._collection.run()))
        if self._state:
            self._tasks.append(asyncio.create_task(self._state.run()))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self.store.end_watches()
        if self._runner:
            await self._runner.cleanup()
        if self._state:
            self._state.close()

    def _fill(self) -> None:
        """Load what was kept; see to the definitions and namespaces every cluster has."""
        if self._state:
            self._state.load()
            self._state.follow()
            self._collection.survey()
            for definition in self.store.items(CUSTOM_RESOURCE_DEFINITIONS.storage):
                self._serve(definition)
        namespaces = ({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in _NAMESPACES_AT_START)
        options = WriteOptions(manager="kube-apiserver")
        for obj, resource in [
            *((item, NAMESPACES) for item in namespaces),
            *((item, CUSTOM_RESOURCE_DEFINITIONS) for item in own_definitions()),
        ]:
            if self.store.get(resource.storage, ("", obj["metadata"]["name"])) is None:
                self._writes.create(Target(resource, ""), obj, options)

    def _follow_definitions(self, storage: StorageKey, change: Change) -> None:
        if storage != CUSTOM_RESOURCE_DEFINITIONS.storage:
            return
        if change.deleted:
            spec = change.obj["spec"]
            self.catalogue.replace_custom(spec["group"], spec["names"]["plural"], ())
        else:
            self._serve(change.obj)

    def _serve(self, definition: Object) -> None:
        spec = definition["spec"]
        self.store.begin_history((spec["group"], spec["names"]["plural"]))
        self.catalogue.replace_custom(spec["group"], spec["names"]["plural"], custom.resource_types(definition))


def own_definitions() -> list[Object]:
    """Return the definitions that come with the double: KServe's and the Gateway API's kinds, without their schemas."""
    folder = files("headgate_devcluster.apiserver") / "crds"
    return [
        yaml.safe_load(entry.read_text("utf-8"))
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".yaml")
    ]
