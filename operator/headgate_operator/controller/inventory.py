"""Which children there are of each ModelDeployment, so that a look reads them by name instead of listing a namespace of thousands.

A status names the children it speaks of before they are written, so only leftovers are not in it: what a crash or an API error kept from
being deleted. Names alone are remembered here, and only to be read afresh: none is ever believed, and a name too many costs one read.
They come from one list of everything that carries our label, repeated now and then, from the watch, and from what earlier looks found.
"""

import asyncio
import functools
import logging
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from headgate_operator.api.names import OWNER_LABEL
from headgate_operator.controller.resources import INFERENCE_SERVICES, SERVING_RUNTIMES
from headgate_operator.kube.protocol import ApiError, KubeApi, Object, Resource

Key = tuple[str, str]

FRESH: Final = 1800.0
"""Seconds that one list counts. What the watch, earlier looks and the list before it missed stays unused for so long, and harms nobody."""

_log = logging.getLogger(__name__)


class Inventory:
    """Names of labelled children by kind and owner."""

    def __init__(self, namespaces: Collection[str] = (), *, clock: Callable[[], float] = time.monotonic) -> None:
        """Lists are of `namespaces`, or of all of them if it is empty; `clock` counts seconds."""
        self._namespaces: tuple[str | None, ...] = tuple(namespaces) or (None,)
        self._clock = clock
        self._names: dict[Resource, dict[Key, frozenset[str]]] = {INFERENCE_SERVICES: {}, SERVING_RUNTIMES: {}}
        self._listing = asyncio.Lock()
        self._listed_at: float | None = None

    async def names(self, api: KubeApi, resource: Resource, key: Key) -> frozenset[str]:
        """Return the names of that kind; ApiError if nothing was listed yet and cannot be."""
        if not self._is_fresh():
            async with self._listing:
                if not self._is_fresh():
                    await self._renew(api)
        return self._names[resource].get(key, frozenset())

    def heard(self, resource: Resource, metadata: Mapping[str, Any]) -> None:
        """Take note of a child that the watch showed."""
        if owner := (metadata.get("labels") or {}).get(OWNER_LABEL):
            self.read(resource, (metadata["namespace"], owner), metadata["name"], there=True)

    def read(self, resource: Resource, key: Key, name: str, *, there: bool) -> None:
        """Take note of whether something was there."""
        names = self._names[resource]
        if known := names.get(key, frozenset()) | {name} if there else names.get(key, frozenset()) - {name}:
            names[key] = known
        else:
            names.pop(key, None)

    def forget(self, key: Key) -> None:
        """Drop the children of an object that is gone: they go with it."""
        for names in self._names.values():
            names.pop(key, None)

    def _is_fresh(self) -> bool:
        return self._listed_at is not None and self._clock() - self._listed_at < FRESH

    async def _renew(self, api: KubeApi) -> None:
        """List; where that fails, what is known does for another while."""
        try:
            for resource in self._names:
                for namespace in self._namespaces:
                    await api.each(resource, namespace, functools.partial(self._listed, resource), label_selector=OWNER_LABEL)
        except ApiError as error:
            if self._listed_at is None:
                raise
            _log.warning("unused children of earlier versions may stay for another %d minutes: %s", FRESH // 60, error)
        self._listed_at = self._clock()

    def _listed(self, resource: Resource, child: Object) -> None:
        self.heard(resource, child["metadata"])
