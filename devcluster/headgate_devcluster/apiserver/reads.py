"""Get and list, with selectors and pages."""

import base64
import binascii
import json
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from headgate_devcluster.apiserver.errors import bad_request, not_found, too_large_version
from headgate_devcluster.apiserver.event_forms import in_version
from headgate_devcluster.apiserver.objects import Key, Object, key_of
from headgate_devcluster.apiserver.resources import ResourceType
from headgate_devcluster.apiserver.selectors import equal_label, field_matcher, label_matcher
from headgate_devcluster.apiserver.store import Store


@dataclass(frozen=True, kw_only=True)
class ListOptions:
    """What the query string says about a list or a watch."""

    label_selector: str = ""
    field_selector: str = ""
    limit: int = 0
    continue_token: str = ""
    not_older_than: int = 0


@dataclass(frozen=True)
class Page:
    """A part of a list. `revision` is that of the first page, so that a watch from it misses nothing."""

    items: list[Object]
    revision: int
    continue_token: str = ""
    remaining: int = 0


def read(store: Store, resource: ResourceType, namespace: str, name: str) -> Object:
    """Return an object in the resource's version; 404 if there is none."""
    obj = store.get(resource.storage, (namespace, name))
    if obj is None:
        raise not_found(resource, name)
    return in_version(obj, resource)


def matcher(resource: ResourceType, namespace: str | None, options: ListOptions) -> Callable[[Object], bool]:
    """Return a predicate on stored objects for one list or watch; 400 for a selector that cannot be read."""
    by_label, by_field = label_matcher(options.label_selector), field_matcher(options.field_selector, resource)

    def matches(obj: Object) -> bool:
        if namespace is not None and obj["metadata"].get("namespace", "") != namespace:
            return False
        return by_label(obj) and (not options.field_selector or by_field(in_version(obj, resource)))

    return matches


def page(store: Store, resource: ResourceType, namespace: str | None, options: ListOptions) -> Page:
    """Return the objects that match, at most `limit` of them; 410 for a continue token that is too old, 504 for a version yet to come."""
    if options.not_older_than > store.revision:
        raise too_large_version(options.not_older_than, store.revision)
    matches = matcher(resource, namespace, options)
    revision, start = (store.revision, None) if not options.continue_token else _read_token(options.continue_token)
    items = _candidates(store, resource, namespace, options) if start is None else _after(start, _as_of(store, resource, revision))
    found = [obj for obj in items if matches(obj)]
    if not options.limit or len(found) <= options.limit:
        return Page([in_version(obj, resource) for obj in found], revision)
    shown = found[: options.limit]
    remaining = 0 if options.label_selector or options.field_selector else len(found) - len(shown)
    return Page([in_version(obj, resource) for obj in shown], revision, _write_token(revision, key_of(shown[-1])), remaining)


def _candidates(store: Store, resource: ResourceType, namespace: str | None, options: ListOptions) -> list[Object]:
    """Return the objects to look at, in order: with a label that must have a certain value only those that have it."""
    label = equal_label(options.label_selector)
    return store.labelled(resource.storage, *label, namespace) if label else store.items(resource.storage, namespace)


def _after(start: Key, items: list[Object]) -> list[Object]:
    return items[bisect_right(items, start, key=key_of) :]


def _as_of(store: Store, resource: ResourceType, revision: int) -> list[Object]:
    """Return all objects as they were: every page of a list is of the same moment."""
    changes = store.history(resource.storage).since(revision)
    if not changes:
        return store.items(resource.storage)
    present = {key_of(obj): obj for obj in store.items(resource.storage)}
    for change in reversed(changes):
        if change.before is None:
            present.pop(key_of(change.obj), None)
        else:
            present[key_of(change.obj)] = change.before
    return [obj for _, obj in sorted(present.items())]


def _write_token(revision: int, last: Key) -> str:
    return base64.urlsafe_b64encode(json.dumps({"rv": revision, "start": last}).encode()).decode()


def _read_token(token: str) -> tuple[int, Key]:
    try:
        told = json.loads(base64.urlsafe_b64decode(token))
        return int(told["rv"]), (str(told["start"][0]), str(told["start"][1]))
    except (ValueError, KeyError, TypeError, IndexError, binascii.Error):
        raise bad_request("continue key is not valid") from None
