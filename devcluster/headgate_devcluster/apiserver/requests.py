"""From a URL to what it asks for: which resource, which object, which options."""

from dataclasses import dataclass
from typing import cast, get_args

from aiohttp import web

from headgate_devcluster.apiserver.deletion import DeleteOptions, Propagation
from headgate_devcluster.apiserver.errors import NoSuchPathError, Refusal, bad_request, method_not_allowed, no_such_resource, not_found
from headgate_devcluster.apiserver.objects import Object
from headgate_devcluster.apiserver.reads import ListOptions
from headgate_devcluster.apiserver.resources import Catalogue, ResourceType
from headgate_devcluster.apiserver.watching import WatchOptions
from headgate_devcluster.apiserver.writes import WriteOptions

_OF_NAMESPACES = frozenset({"status", "finalize"})


@dataclass(frozen=True)
class Address:
    """What a path is about. `namespace` is None for a list over all namespaces, "" for cluster-scoped objects."""

    resource: ResourceType
    namespace: str | None
    name: str = ""
    subresource: str = ""

    @property
    def place(self) -> str:
        """The namespace for verbs that need exactly one."""
        if self.namespace is None:
            raise method_not_allowed()
        return self.namespace


def address(path: str, catalogue: Catalogue) -> Address:
    """Read a path below /api or /apis; 404 if no resource lives there, each kind of path with the words of the real server."""
    parts = path.strip("/").split("/")
    if parts[0] == "api":
        group, version, rest = "", parts[1] if len(parts) > 1 else "", parts[2:]
    else:
        group, version, rest = (*parts[1:3], "", "")[0], (*parts[1:3], "", "")[1], parts[3:]
    namespace: str | None = None
    if len(rest) > 2 and rest[0] == "namespaces" and rest[2] not in _OF_NAMESPACES:
        namespace, rest = rest[1], rest[2:]
    resource = catalogue.find(group, version, rest[0]) if rest else None
    if resource is None or (namespace is not None) > resource.namespaced:
        raise _nothing(group, version, catalogue)
    name, subresource = (*rest[1:], "", "")[:2]
    if subresource and subresource not in resource.subresources and not (subresource == "status" and resource.has_status):
        raise not_found(resource, name) if resource.custom else no_such_resource()
    if (len(rest) > 3 and not resource.custom) or (resource.namespaced and namespace is None and name):
        raise _nothing(group, version, catalogue)
    return Address(resource, namespace if resource.namespaced else "", name, subresource)


def _nothing(group: str, version: str, catalogue: Catalogue) -> Exception:
    built_in = any((item.group, item.version, item.custom) == (group, version, False) for item in catalogue)
    return no_such_resource() if built_in else NoSuchPathError()


def list_options(request: web.Request) -> ListOptions:
    """Read the options of a list."""
    query = request.query
    if problem := _bad_version(query.get("resourceVersion", "")):
        if is_watch(request):
            raise Refusal(500, "", problem)
        raise bad_request(f"invalid resource version: {problem}")
    return ListOptions(
        label_selector=query.get("labelSelector", ""),
        field_selector=query.get("fieldSelector", ""),
        limit=_number(query.get("limit")) or 0,
        continue_token=query.get("continue", ""),
        not_older_than=int(query.get("resourceVersion") or 0),
    )


def is_watch(request: web.Request) -> bool:
    """Say whether a GET of a collection is a watch."""
    return _truth(request.query.get("watch"))


def watch_options(request: web.Request) -> WatchOptions:
    """Read the options of a watch."""
    query = request.query
    return WatchOptions(
        resource_version=query.get("resourceVersion", ""),
        bookmarks=_truth(query.get("allowWatchBookmarks")),
        initial_events=_truth(query.get("sendInitialEvents")),
        timeout_seconds=_number(query.get("timeoutSeconds")),
    )


def write_options(request: web.Request, *, applies: bool = False) -> WriteOptions:
    """Read the options of a write; without fieldManager the first word of the user agent is the manager."""
    query = request.query
    manager = query.get("fieldManager", "")
    if applies and not manager:
        raise Refusal(422, "Invalid", 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch')
    validation = query.get("fieldValidation") or "Warn"
    if validation not in {"Strict", "Warn", "Ignore"}:
        raise Refusal(
            422,
            "Invalid",
            f'PatchOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "{validation}": '
            'supported values: "", "Ignore", "Strict", "Warn"',
        )
    return WriteOptions(
        manager=manager or request.headers.get("User-Agent", "unknown").partition("/")[0],
        force=_truth(query.get("force")),
        dry_run="dryRun" in query,
        field_validation=validation,
    )


def delete_options(request: web.Request, body: Object) -> DeleteOptions:
    """Read the options of a deletion from the body, else from the query string."""
    preconditions = body.get("preconditions") or {}
    told = "Orphan" if body.get("orphanDependents") else body.get("propagationPolicy") or request.query.get("propagationPolicy")
    if told not in {None, *get_args(Propagation)}:
        raise bad_request(f'invalid propagationPolicy: "{told}"; supported are "Background", "Foreground", "Orphan"')
    return DeleteOptions(
        uid=preconditions.get("uid"),
        resource_version=preconditions.get("resourceVersion"),
        propagation=cast("Propagation", told or "Background"),
        grace_seconds=body.get("gracePeriodSeconds", _number(request.query.get("gracePeriodSeconds"))),
        dry_run=bool(body.get("dryRun")) or "dryRun" in request.query,
    )


def _bad_version(text: str) -> str:
    """What is wrong with a resourceVersion; empty if nothing is."""
    if not text or text.isdigit():
        return ""
    return f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'


def _truth(word: str | None) -> bool:
    return (word or "").lower() in {"1", "true", "t"}


def _number(word: str | None) -> int | None:
    if not word:
        return None
    if not word.isdigit():
        raise bad_request(f'strconv.ParseInt: parsing "{word}": invalid syntax')
    return int(word)
