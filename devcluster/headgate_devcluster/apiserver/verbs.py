"""The HTTP verbs on resources: what a request asks for, handed to reads, writes and deletion, and the answer."""

from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from headgate_devcluster.apiserver import pod_logs, reads, requests, tables, watching
from headgate_devcluster.apiserver.authentication import Tokens
from headgate_devcluster.apiserver.bodies import parse
from headgate_devcluster.apiserver.deletion import Deletion
from headgate_devcluster.apiserver.errors import (
    NoSuchPathError,
    bad_request,
    method_not_allowed,
    unsupported_media_type,
    verb_not_supported,
)
from headgate_devcluster.apiserver.objects import Object, to_json
from headgate_devcluster.apiserver.patches import json_patched, merge_patched
from headgate_devcluster.apiserver.protobuf_kinds import parse_protobuf
from headgate_devcluster.apiserver.requests import Address
from headgate_devcluster.apiserver.resources import Target
from headgate_devcluster.apiserver.scaling import rescaled, scale_of
from headgate_devcluster.apiserver.store import Store
from headgate_devcluster.apiserver.strategic import strategic_patched
from headgate_devcluster.apiserver.watching import WatchEvent
from headgate_devcluster.apiserver.writes import Patch, Writes, Written

JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
STRATEGIC_PATCH: Final = "application/strategic-merge-patch+json"
APPLY_PATCH: Final = "application/apply-patch+yaml"
PROTOBUF: Final = "application/vnd.kubernetes.protobuf"
_BELOW: Final = frozenset({("GET", "log"), ("POST", "token"), ("GET", "scale"), ("PUT", "scale"), ("PATCH", "scale")})


class Verbs:
    """GET, POST, PUT, PATCH and DELETE on every resource."""

    def __init__(self, store: Store, writes: Writes, deletion: Deletion, tokens: Tokens, logs: Path | None) -> None:
        self._store, self._writes, self._deletion, self._tokens, self._logs = store, writes, deletion, tokens, logs

    async def answer(self, request: web.Request, address: Address) -> web.StreamResponse:
        """Answer a request on a resource."""
        if address.resource.custom:
            _require_custom_verb(request, address)
        if address.subresource in address.resource.subresources:
            return await self._below(request, address)
        match request.method:
            case "GET" if address.name:
                return self._get(request, address)
            case "GET" if requests.is_watch(request):
                return await self._watch(request, address)
            case "GET":
                return self._list(request, address)
            case "POST" if not address.name or address.resource.custom:
                return self._create(request, address, await body_of(request))
            case "PUT" if address.name:
                written = self._writes.replace(_target(address), await body_of(request), requests.write_options(request))
                return _written(request, address, written)
            case "PATCH" if address.name:
                return self._patch(request, address, await request.read())
            case "DELETE":
                return self._delete(request, address, await body_of(request) if request.body_exists else {})
        raise method_not_allowed()

    async def _below(self, request: web.Request, address: Address) -> web.StreamResponse:
        """Answer a request on what lives below an object, status apart."""
        if (request.method, address.subresource) not in _BELOW:
            raise method_not_allowed()
        obj = reads.read(self._store, address.resource, address.place, address.name)
        match request.method, address.subresource:
            case "GET", "log":
                return await self._log(request, address)
            case "POST", "token":
                return _json(self._tokens.issue(obj, await body_of(request)), 201)
            case "GET", "scale":
                return _json(scale_of(obj))
            case "PUT", "scale":
                scale = await body_of(request)
                return self._rescale(request, address, lambda _: scale)
            case _:  # PATCH of a scale
                patch = _patch_of(request.content_type, parse(await request.read(), request.content_type), address)
                return self._rescale(request, address, patch)

    def _get(self, request: web.Request, address: Address) -> web.Response:
        obj = reads.read(self._store, address.resource, address.place, address.name)
        return _answer(request, address, obj)

    async def _log(self, request: web.Request, address: Address) -> web.StreamResponse:
        if self._logs is None:
            raise bad_request("this server runs no Pods: there are no logs")
        log, key = self._logs / f"{address.name}.log", (address.place, address.name)
        if not pod_logs.follows(request.query):
            return web.Response(body=pod_logs.tail(log, request.query), content_type="text/plain")
        lines = pod_logs.written(log, request.query, lambda: self._store.get(address.resource.storage, key) is not None)
        first = await anext(lines)  # a refusal comes before the headers
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        with suppress(ConnectionError):
            await response.write(first)
            async with aclosing(lines):
                async for text in lines:
                    await response.write(text)
        return response

    def _list(self, request: web.Request, address: Address) -> web.Response:
        resource = address.resource
        page = reads.page(self._store, resource, address.namespace if resource.namespaced else None, requests.list_options(request))
        metadata: Object = {"resourceVersion": str(page.revision)}
        if page.continue_token:
            metadata["continue"] = page.continue_token
        if page.remaining:
            metadata["remainingItemCount"] = page.remaining
        if tables.is_wanted(request.headers.get("Accept", "")):
            return _json(tables.table(page.items, resource, metadata, request.query.get("includeObject", "Metadata")))
        # only items of custom kinds say what they are
        items = page.items if resource.custom else [_without_kind(obj) for obj in page.items]
        return _json({"kind": resource.list_kind, "apiVersion": resource.api_version, "metadata": metadata, "items": items})

    def _create(self, request: web.Request, address: Address, body: Any) -> web.Response:
        namespace = address.namespace
        if namespace is None:  # a POST without a namespace in the path
            raise method_not_allowed()
        written = self._writes.create(Target(address.resource, namespace), body, requests.write_options(request))
        return _written(request, address, written)

    def _patch(self, request: web.Request, address: Address, body: bytes) -> web.Response:
        target, kind = _target(address), request.content_type
        if kind == APPLY_PATCH:
            options = requests.write_options(request, applies=True)
            return _written(request, address, self._writes.apply(target, parse(body, kind), options))
        patch = _patch_of(kind, parse(body, kind) if kind.endswith("json") else None, address)
        return _written(request, address, self._writes.patch(target, patch, requests.write_options(request)))

    def _rescale(self, request: web.Request, address: Address, change: Patch) -> web.Response:
        target = Target(address.resource, address.place, address.name)
        return _json(scale_of(self._writes.patch(target, rescaled(change), requests.write_options(request)).obj))

    def _delete(self, request: web.Request, address: Address, body: Any) -> web.Response:
        resource, options = address.resource, requests.delete_options(request, body if isinstance(body, dict) else {})
        if address.subresource:
            raise method_not_allowed()
        if address.name:
            return _json(self._deletion.delete(resource, address.place, address.name, options))
        found = reads.page(self._store, resource, address.place if resource.namespaced else None, requests.list_options(request))
        for obj in found.items:
            self._deletion.delete(resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"], options)
        return _json({"kind": resource.list_kind, "apiVersion": resource.api_version, "metadata": {}, "items": found.items})

    async def _watch(self, request: web.Request, address: Address) -> web.StreamResponse:
        resource, options = address.resource, requests.watch_options(request)
        namespace = address.namespace if resource.namespaced else None
        matches = reads.matcher(resource, namespace, requests.list_options(request))
        as_table = tables.is_wanted(request.headers.get("Accept", ""))
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Cache-Control": "no-cache, private"})
        await response.prepare(request)
        events = watching.events(self._store, resource, matches, namespace, options)
        with suppress(ConnectionError):
            async with aclosing(events):
                await _stream(response, events, lambda obj: tables.row_table(obj, resource) if as_table else obj)
        return response


async def _stream(response: web.StreamResponse, events: AsyncIterator[WatchEvent], shown: Any) -> None:
    async for kind, obj in events:
        told = shown(obj) if kind in {"ADDED", "MODIFIED", "DELETED"} else obj
        await response.write(to_json({"type": kind, "object": told}) + b"\n")


def _require_custom_verb(request: web.Request, address: Address) -> None:
    """Refuse what the real server's handler of custom resources does not do. A POST to a name is for it one to the collection."""
    verb = {"POST": "create", "DELETE": "delete"}.get(request.method)
    if address.subresource == "status" and verb is not None:
        raise verb_not_supported(address.resource, verb)
    if address.namespace is None and request.method != "GET":
        raise NoSuchPathError
    if not address.name and request.method in {"PUT", "PATCH"}:
        raise bad_request("name must be provided")


def _without_kind(obj: Object) -> Object:
    return {name: value for name, value in obj.items() if name not in {"apiVersion", "kind"}}


def _patch_of(content_type: str, patch: Any, address: Address) -> Patch:
    if content_type == MERGE_PATCH:
        if not isinstance(patch, dict):
            raise bad_request("a merge patch must be a JSON object")
        return lambda obj: merge_patched(obj, patch)
    if content_type == JSON_PATCH:
        return lambda obj: json_patched(obj, patch)
    if content_type == STRATEGIC_PATCH and not address.resource.custom:
        return lambda obj: strategic_patched(obj, patch, address.resource.schema)
    accepted = [JSON_PATCH, MERGE_PATCH, *([] if address.resource.custom else [STRATEGIC_PATCH]), APPLY_PATCH]
    raise unsupported_media_type(accepted)


def _target(address: Address) -> Target:
    return Target(address.resource, address.place, address.name, address.subresource)


async def body_of(request: web.Request) -> Any:
    """Return the JSON value of a request's body; 415 for what cannot be read, 400 for what makes no sense."""
    if request.content_type == PROTOBUF:
        return parse_protobuf(await request.read()) if request.body_exists else {}
    if request.content_type not in {"application/json", "application/yaml", "application/octet-stream", "text/plain"}:
        raise unsupported_media_type(["application/json", "application/yaml"])
    body = await request.read()
    return parse(body, request.content_type) if body else {}


def _written(request: web.Request, address: Address, written: Written) -> web.Response:
    response = _answer(request, address, written.obj, status=201 if written.created else 200)
    for warning in written.warnings:
        escaped = warning.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{escaped}"')
    return response


def _answer(request: web.Request, address: Address, obj: Object, status: int = 200) -> web.Response:
    if tables.is_wanted(request.headers.get("Accept", "")):
        obj = tables.table(
            [obj], address.resource, {"resourceVersion": obj["metadata"]["resourceVersion"]}, request.query.get("includeObject", "Metadata")
        )
    return _json(obj, status)


def _json(body: Object, status: int = 200) -> web.Response:
    return web.Response(body=to_json(body), status=status, content_type="application/json")
