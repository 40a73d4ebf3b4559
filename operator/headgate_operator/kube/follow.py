"""List, then watch, for ever: every change of a kind of object, also those that happened while nobody could watch.

Of each object no more than its version and one label is kept. So after a watch that went too far back (410) a new list tells what is
gone, which no server remembers then, and shows only what is new.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import aclosing
from typing import Final, Never

from headgate_operator.kube.protocol import ApiError, KubeApi, Object, Resource, UnavailableError

_GONE: Final = 410
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 30.0
_LIST_AFTER: Final = 5
"""Failures in a row."""

_log = logging.getLogger(__name__)

Changed = Callable[[Object, bool], None]
"""Is given an object, and whether it is gone. Of one whose deletion was missed there is only its name, namespace and label."""

_Place = tuple[str, str]


class Follower:
    """Follows one kind, in one namespace or everywhere (None). A missed deletion is told with the value that `label` had."""

    def __init__(
        self, api: KubeApi, resource: Resource, namespace: str | None, changed: Changed, *, label: str, label_selector: str = ""
    ) -> None:
        self._api = api
        self._resource = resource
        self._namespace = namespace
        self._changed = changed
        self._label = label
        self._selector = label_selector
        self._known: dict[_Place, tuple[str, str]] = {}
        self._since = ""
        self._failures = 0

    async def run(self) -> Never:
        """Follow until cancelled. After an error it goes on where it was, at once and then ever more slowly."""
        while True:
            try:
                if not self._since:
                    await self._list()
                await self._watch()
            except ApiError as error:
                self._fail(error)
            await asyncio.sleep(_wait(self._failures))  # also after a watch that ended well, for one may end as soon as it begins

    def _fail(self, error: ApiError) -> None:
        """Tell of the first of several failures; begin with a list where going on cannot help, and now and then where it should.

        An API server whose etcd was restored may for a long time be unable to go on from a version of the future.
        """
        self._failures += 1
        if not isinstance(error, UnavailableError) or self._failures % _LIST_AFTER == 0:
            self._since = ""
        if self._failures == 1 and error.status != _GONE:
            _log.warning("%s; changes come late until that works again", error)

    def _works(self) -> None:
        if self._failures > 1:
            _log.info("%s are followed again", self._resource.plural)
        self._failures = 0

    async def _list(self) -> None:
        listed: set[_Place] = set()

        def see(obj: Object) -> None:
            listed.add(_place(obj))
            self._hear(obj)

        self._since = await self._api.each(self._resource, self._namespace, see, label_selector=self._selector, anew=listed.clear)
        for place in self._known.keys() - listed:
            _, value = self._known.pop(place)
            namespace, name = place
            self._changed({"metadata": {"namespace": namespace, "name": name, "labels": {self._label: value} if value else {}}}, True)

    async def _watch(self) -> None:
        changes = self._api.watch(self._resource, self._namespace, since=self._since, label_selector=self._selector)
        async with aclosing(changes):
            async for kind, obj in changes:
                self._works()
                if kind == "DELETED":
                    self._known.pop(_place(obj), None)
                    self._changed(obj, True)
                elif kind != "BOOKMARK":
                    self._hear(obj)
                self._since = obj["metadata"]["resourceVersion"]

    def _hear(self, obj: Object) -> None:
        metadata = obj["metadata"]
        seen = (metadata["resourceVersion"], (metadata.get("labels") or {}).get(self._label, ""))
        if self._known.get(_place(obj)) != seen:
            self._known[_place(obj)] = seen
            self._changed(obj, False)


def _place(obj: Object) -> _Place:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _wait(failures: int) -> float:
    """Return seconds with jitter: 0.2, 0.4, … 30."""
    return min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(max(failures - 1, 0), 16)) * random.uniform(0.75, 1.25)  # noqa: S311 (no secret)
