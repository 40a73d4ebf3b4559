"""The watches of children, as tasks that live as long as the process leads.

kopf would do for them what it does for an object with handlers: several copies, a task and a dozen layers an event, for nothing more
than a key on our queue. Deployments are not watched at all: they carry KServe's labels, and what they do shows in the
InferenceService's status.
"""

import asyncio
import logging
from collections.abc import Collection
from typing import Final

from headgate_operator.api.names import OWNER_LABEL
from headgate_operator.controller.hearing import Hearing
from headgate_operator.controller.resources import HTTP_ROUTES, INFERENCE_SERVICES
from headgate_operator.kube.follow import Follower
from headgate_operator.kube.protocol import KubeApi

_AFTER_A_BUG: Final = 5.0

_log = logging.getLogger(__name__)


class ChildWatch:
    """Follows InferenceServices and HTTPRoutes in `namespaces`, or everywhere if there are none, and tells `hearing`.

    Foreign InferenceServices never arrive. Foreign HTTPRoutes do: one may have a hostname of ours.
    """

    def __init__(self, api: KubeApi, hearing: Hearing, namespaces: Collection[str] = ()) -> None:
        self._followers = [
            Follower(api, resource, namespace, changed, label=OWNER_LABEL, label_selector=selector)
            for namespace in (namespaces or (None,))
            for resource, changed, selector in (
                (INFERENCE_SERVICES, hearing.service, OWNER_LABEL),
                (HTTP_ROUTES, hearing.route, ""),
            )
        ]
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin."""
        self._tasks = [asyncio.create_task(_for_ever(follower), name="watch") for follower in self._followers]

    async def stop(self) -> None:
        """End."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _for_ever(follower: Follower) -> None:
    """Outlive bugs of ours: an operator that hears nothing any more looks healthy."""
    while True:
        try:
            await follower.run()
        except Exception:  # noqa: BLE001 (whatever it is, the others go on)
            _log.exception("a watch broke; it goes on in %g s", _AFTER_A_BUG)
            await asyncio.sleep(_AFTER_A_BUG)
