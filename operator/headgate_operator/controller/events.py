"""kopf, as process shell and as the source of events about ModelDeployments, and nothing more: each puts a key on our work queue.

No high-level handlers, daemons, timers, peering, finalizers or annotations-as-state: they are edge-triggered, hold worker slots, and keep
state where nobody looks for it. Handlers are coroutines because kopf runs plain functions in threads, and the queue is not thread-safe.
"""

from collections.abc import Mapping
from typing import Any

import kopf

from headgate_operator.controller.process import Process, StartError
from headgate_operator.controller.resources import MODEL_DEPLOYMENTS
from headgate_operator.controller.settings import Settings, SettingsError
from headgate_operator.kube.protocol import ApiError


def wire(process: Process, settings: Settings) -> kopf.OperatorRegistry:
    """Return the registry that connects a process with kopf: its start and stop, our credentials, and the events."""
    registry = kopf.OperatorRegistry()
    _wire_life(registry, process, settings)

    @kopf.on.event(MODEL_DEPLOYMENTS.group, MODEL_DEPLOYMENTS.version, MODEL_DEPLOYMENTS.plural, registry=registry, id="modeldeployments")
    async def model_deployment(type: str | None, meta: Mapping[str, Any], **_: Any) -> None:  # noqa: A002
        process.hearing.deployment(meta, type == "DELETED")

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
