"""kopf, as event source and process shell and nothing more: every event puts a key on our work queue.

No high-level handlers, daemons, timers, peering, finalizers or annotations-as-state: they are edge-triggered, hold worker slots, and keep
state where nobody looks for it. Handlers are coroutines because kopf runs plain functions in threads, and the queue is not thread-safe.
"""

from collections.abc import Mapping
from typing import Any

import kopf

from headgate_operator.api.names import OWNER_LABEL
from headgate_operator.controller.observe import Key
from headgate_operator.controller.process import Process, StartError
from headgate_operator.controller.resources import HTTP_ROUTES, INFERENCE_SERVICES, MODEL_DEPLOYMENTS
from headgate_operator.controller.settings import Settings, SettingsError
from headgate_operator.kube.protocol import ApiError


def wire(process: Process, settings: Settings) -> kopf.OperatorRegistry:
    """Return the registry that connects a process with kopf: its start and stop, our credentials, and the events."""
    registry = kopf.OperatorRegistry()
    _wire_life(registry, process, settings)

    mine: set[Key] = set()
    """What the watch of this shard told of. Only a hint, like all that a watch says: a pass reads the labels afresh."""

    @kopf.on.event(MODEL_DEPLOYMENTS.group, MODEL_DEPLOYMENTS.version, MODEL_DEPLOYMENTS.plural, registry=registry, id="modeldeployments")
    async def model_deployment(type: str | None, namespace: str | None, name: str, **_: Any) -> None:  # noqa: A002
        if namespace:
            (mine.discard if type == "DELETED" else mine.add)((namespace, name))
            process.queue.add((namespace, name))

    async def child(namespace: str | None, labels: Mapping[str, str], **_: Any) -> None:
        owner = labels.get(OWNER_LABEL)
        if namespace and owner and (not settings.shard.selector or (namespace, owner) in mine):
            process.queue.add((namespace, owner))

    async def service(body: Mapping[str, Any], type: str | None, namespace: str | None, labels: Mapping[str, str], **_: Any) -> None:  # noqa: A002
        if type != "DELETED":
            process.inventory.heard(INFERENCE_SERVICES, body["metadata"])
        await child(namespace, labels)

    async def route(body: Mapping[str, Any], type: str | None, namespace: str | None, labels: Mapping[str, str], **_: Any) -> None:  # noqa: A002
        for key in process.claims.heard(dict(body), gone=type == "DELETED"):
            process.queue.add(key)
        await child(namespace, labels)

    for resource, handler in ((INFERENCE_SERVICES, service), (HTTP_ROUTES, route)):
        kopf.on.event(resource.group, resource.version, resource.plural, registry=registry, id=resource.plural)(handler)
    return registry


def _wire_life(registry: kopf.OperatorRegistry, process: Process, settings: Settings) -> None:
    """Connect start, stop and login.

    Kopf starts no watch before startup ends, so nothing is queued before we lead; it keeps SIGTERM to itself, so we drain in cleanup.
    """

    @kopf.on.startup(registry=registry, errors=kopf.ErrorsMode.PERMANENT)
    async def start(**_: Any) -> None:
        try:
            await process.start()
        except (ApiError, SettingsError, StartError) as error:
            raise kopf.PermanentError(str(error)) from error  # expected: kopf logs one line instead of a stack trace

    @kopf.on.cleanup(registry=registry, errors=kopf.ErrorsMode.IGNORED)  # a cleanup that fails would be retried for ever
    async def stop(**_: Any) -> None:
        await process.stop()

    @kopf.on.login(registry=registry)
    async def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        """A registry of our own has no login handler; the file is named by $KUBECONFIG, which `__main__` sets."""
        if settings.kubeconfig is None:
            return kopf.login_with_service_account(**kwargs)
        return kopf.login_with_kubeconfig(**kwargs)
