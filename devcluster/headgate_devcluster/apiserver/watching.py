"""The watch verb: changes of one kind as they happen, one JSON document a line.

Bookmarks come at the end of what there was to begin with, as heartbeat, and shortly before the end of a watch that has told anything:
who begins the next one there misses nothing, and is told nothing twice.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from headgate_devcluster.apiserver.errors import Refusal, expired
from headgate_devcluster.apiserver.event_forms import in_version
from headgate_devcluster.apiserver.history import Change, Ending, Subscription
from headgate_devcluster.apiserver.objects import Object
from headgate_devcluster.apiserver.resources import ResourceType
from headgate_devcluster.apiserver.store import Store

BOOKMARK_SECONDS: Final = 30.0
"""The real server sends one about once a minute; kopf takes 70 s of silence for a dead connection."""
LAST_BOOKMARK_SECONDS: Final = 2.0
"""Before the end of a watch."""
_DEFAULT_SECONDS: Final = (1800, 3600)

WatchEvent = tuple[str, Object]


@dataclass(frozen=True, kw_only=True)
class WatchOptions:
    """What the query string says about a watch."""

    resource_version: str = ""
    bookmarks: bool = False
    initial_events: bool = False
    timeout_seconds: float | None = None

    @property
    def begins_with_everything(self) -> bool:
        """Whether everything there is comes first; asked for, or because there is no revision to go on from."""
        return self.initial_events or self.resource_version in {"", "0"}


async def events(
    store: Store, resource: ResourceType, matches: Callable[[Object], bool], namespace: str | None, options: WatchOptions
) -> AsyncGenerator[WatchEvent, None]:
    """Yield (type, object) until the time is up; one ERROR event with a Status if the resourceVersion is too old."""
    history = store.history(resource.storage)
    subscription = history.subscribe()
    try:
        try:
            past = _past(store, resource, matches, namespace, options)
        except Refusal as refusal:
            yield "ERROR", refusal.status
            return
        for event in past:
            yield event
        async for event in _live(store, resource, matches, subscription, options):
            yield event
    finally:
        history.unsubscribe(subscription)


def _past(
    store: Store, resource: ResourceType, matches: Callable[[Object], bool], namespace: str | None, options: WatchOptions
) -> list[WatchEvent]:
    """Return what comes before anything new: changes since a revision, or everything there is."""
    if not options.begins_with_everything:
        changes = store.history(resource.storage).since(int(options.resource_version))
        return [event for change in changes if (event := _event_of(change, resource, matches))]
    found: list[WatchEvent] = [("ADDED", in_version(obj, resource)) for obj in store.items(resource.storage, namespace) if matches(obj)]
    if options.bookmarks:
        found.append(_bookmark(store, resource, initial_events_end=True))
    return found


async def _live(
    store: Store, resource: ResourceType, matches: Callable[[Object], bool], subscription: Subscription, options: WatchOptions
) -> AsyncIterator[WatchEvent]:
    loop = asyncio.get_running_loop()
    seconds = options.timeout_seconds if options.timeout_seconds is not None else random.uniform(*_DEFAULT_SECONDS)  # noqa: S311 - no secret
    end, told = loop.time() + seconds, False
    while (left := end - loop.time()) > 0:
        last = left - LAST_BOOKMARK_SECONDS if told and left > LAST_BOOKMARK_SECONDS else left
        try:
            async with asyncio.timeout(min(last, BOOKMARK_SECONDS)):
                change = await subscription.get()
        except TimeoutError:
            if options.bookmarks and loop.time() < end:
                told = False
                yield _bookmark(store, resource)
            continue
        if isinstance(change, Ending):
            if change is Ending.EXPIRED:
                yield "ERROR", expired("The resourceVersion for the provided watch is too old.").status
            return
        if event := _event_of(change, resource, matches):
            told = True
            yield event


def _event_of(change: Change, resource: ResourceType, matches: Callable[[Object], bool]) -> WatchEvent | None:
    """Return what a watcher with a selector sees: an object that no longer matches is DELETED to it."""
    was = change.before is not None and matches(change.before)
    is_ = not change.deleted and matches(change.obj)
    if not was and not is_:
        return None
    shown = in_version(change.obj, resource)
    return ("MODIFIED" if was else "ADDED", shown) if is_ else ("DELETED", shown)


def _bookmark(store: Store, resource: ResourceType, *, initial_events_end: bool = False) -> WatchEvent:
    metadata: Object = {"resourceVersion": str(store.revision)}
    if initial_events_end:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    return "BOOKMARK", {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
