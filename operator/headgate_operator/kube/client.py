"""The API verbs on a real API server."""

import random
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote

import orjson

from headgate_operator.kube.errors import error_from, status_object
from headgate_operator.kube.protocol import Object, Resource, UnavailableError
from headgate_operator.kube.transport import JSON, Answer, Purpose, Transport

PAGE_SIZE: Final = 200
_LIST_ATTEMPTS: Final = 2
_GONE: Final = 410
_WATCH_SECONDS: Final = (300, 600)
"""After so long a watch is begun anew: at random, or all of them would come back to a restarted API server at once, again and again."""


@dataclass(frozen=True)
class Greeting:
    """What an API server says about itself."""

    version: str
    """Such as `v1.35.4`; empty if it does not say."""
    date: datetime | None
    """What time it was there, in whole seconds; None if it does not say."""
    asked: datetime
    """What time it was here when it was asked."""
    answered: datetime
    """And when its answer was there."""


class KubeClient:
    """`KubeApi` over HTTP. Reads are tried three times; writes once: whoever works from a queue looks again before repeating one."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Object | None:
        """Return the object, or None if it does not exist; NotFoundError if the server does not know the kind."""
        what = Purpose("GET", resource.plural, _where(namespace, name))
        answer = await self._transport.read(_path(resource, namespace, name), what)
        if answer.status == 404 and status_object(answer.body):
            return None
        return _object(answer, what)

    async def list(self, resource: Resource, namespace: str | None, *, label_selector: str = "") -> Sequence[Object]:
        """Return all objects that match, however many pages that takes."""
        for _ in range(_LIST_ATTEMPTS):
            items: list[Object] = []
            if await self._walk(resource, namespace, items.append, label_selector) is not None:
                return items
        raise _expired(resource)

    async def each(
        self,
        resource: Resource,
        namespace: str | None,
        see: Callable[[Object], None],
        *,
        label_selector: str = "",
        anew: Callable[[], None] = lambda: None,
    ) -> str:
        """Show every object that matches to `see`, holding one page at a time, and return the list's resourceVersion.

        `anew` is told before a list that expired between pages is begun anew.
        """
        for _ in range(_LIST_ATTEMPTS):
            if (version := await self._walk(resource, namespace, see, label_selector)) is not None:
                return version
            anew()
        raise _expired(resource)

    async def watch(
        self, resource: Resource, namespace: str | None, *, since: str, label_selector: str = ""
    ) -> AsyncGenerator[tuple[str, Object]]:
        """Yield what changes after a resourceVersion, as (ADDED, MODIFIED, DELETED or BOOKMARK, object), until the server ends it.

        ApiError with status 410 if nobody remembers that far back: list again.
        """
        what, seconds = Purpose("WATCH", resource.plural, namespace or "everywhere"), random.randint(*_WATCH_SECONDS)  # noqa: S311 (no secret)
        query = {
            "watch": "true", "resourceVersion": since, "allowWatchBookmarks": "true", "timeoutSeconds": str(seconds),
            "labelSelector": label_selector,
        }  # fmt: skip
        given = {key: value for key, value in query.items() if value}
        async with aclosing(self._transport.lines(_path(resource, namespace), what, given, seconds=seconds)) as lines:
            async for line in lines:
                event = _parsed(line, what)
                if event.get("type") == "ERROR":
                    raise error_from(event["object"].get("code", 0), orjson.dumps(event["object"]), str(what))
                yield event["type"], event["object"]

    async def apply(self, resource: Resource, obj: Object, *, field_manager: str) -> Object:
        """Server-side apply with force. With uid and resourceVersion it updates exactly that object, with NO_VERSION it only creates."""
        query = {"fieldManager": field_manager, "force": "true"}
        return await self._write("PATCH", resource, obj, query=query, content_type="application/apply-patch+yaml")

    async def replace_status(self, resource: Resource, obj: Object) -> Object:
        """PUT the whole status with the object's resourceVersion; ConflictError if it changed since."""
        return await self._write("PUT", resource, obj, suffix="/status")

    async def patch(self, resource: Resource, namespace: str, name: str, patch: Mapping[str, Any]) -> Object:
        """Merge-patch, for metadata only."""
        what = Purpose("PATCH", resource.plural, _where(namespace, name))
        path = _path(resource, namespace, name)
        return _object(await self._transport.call("PATCH", path, what, body=patch, content_type="application/merge-patch+json"), what)

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        """Delete exactly the object with that uid, in the background; no error if it is gone."""
        what = Purpose("DELETE", resource.plural, _where(namespace, name))
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", "preconditions": {"uid": uid}}
        answer = await self._transport.call("DELETE", _path(resource, namespace, name), what, body=body)
        if answer.status not in {404, 409}:  # 409: another object has the name now
            _object(answer, what)

    async def create(self, resource: Resource, obj: Object) -> Object:
        """Create; ConflictError if the name is taken."""
        namespace = obj["metadata"].get("namespace")
        what = Purpose("CREATE", resource.plural, _where(namespace, obj["metadata"].get("name", "")))
        return _object(await self._transport.call("POST", _path(resource, namespace), what, body=obj), what)

    async def replace(self, resource: Resource, obj: Object) -> Object:
        """PUT the whole object with its resourceVersion."""
        return await self._write("PUT", resource, obj)

    async def serves(self, resource: Resource) -> bool:
        """Whether the server knows the kind."""
        what = Purpose("GET", "", _group_path(resource))
        answer = await self._transport.read(_group_path(resource), what)
        if answer.status == 404:
            return False
        return any(known.get("name") == resource.plural for known in _object(answer, what).get("resources", ()))

    async def greet(self) -> Greeting:
        """Return which release the server is, and what time it is there."""
        what = Purpose("GET", "", "/version")
        asked = datetime.now(UTC)
        answer = await self._transport.call("GET", "/version", what)
        answered = datetime.now(UTC)
        return Greeting(str(_object(answer, what).get("gitVersion", "")), _date(answer.date), asked, answered)

    async def close(self) -> None:
        """Release connections."""
        await self._transport.close()

    async def _walk(self, resource: Resource, namespace: str | None, see: Callable[[Object], None], label_selector: str) -> str | None:
        """Show the items of all pages and return the list's version; None if it expired in between and must be started again."""
        what = Purpose("LIST", resource.plural, namespace or "everywhere")
        token = ""
        while True:
            query = {"limit": str(PAGE_SIZE), "labelSelector": label_selector, "continue": token}
            answer = await self._transport.read(_path(resource, namespace), what, {key: value for key, value in query.items() if value})
            if answer.status == _GONE and token:
                return None
            page = _object(answer, what)
            for item in page.get("items") or ():
                see({"apiVersion": resource.api_version, "kind": resource.kind} | item)  # the items of built-in lists come without these
            metadata = page.get("metadata") or {}
            token = metadata.get("continue") or ""
            if not token:
                return str(metadata.get("resourceVersion", ""))

    async def _write(
        self,
        method: str,
        resource: Resource,
        obj: Object,
        *,
        query: Mapping[str, str] | None = None,
        suffix: str = "",
        content_type: str = JSON,
    ) -> Object:
        namespace, name = obj["metadata"].get("namespace"), obj["metadata"]["name"]
        what = Purpose(method, resource.plural + suffix, _where(namespace, name))
        path = _path(resource, namespace, name) + suffix
        return _object(await self._transport.call(method, path, what, body=obj, query=query, content_type=content_type), what)


def _object(answer: Answer, what: Purpose) -> Object:
    if not 200 <= answer.status < 300:
        raise error_from(answer.status, answer.body, str(what))
    return _parsed(answer.body, what, answer.status)


def _parsed(body: bytes, what: Purpose, status: int = 200) -> Object:
    try:
        parsed = orjson.loads(body)
    except ValueError as error:
        raise UnavailableError(f"{what}: the answer is not JSON; is this address an API server?", status) from error
    if not isinstance(parsed, dict):
        raise UnavailableError(f"{what}: the answer is not an object; is this address an API server?", status)
    return parsed


def _date(header: str) -> datetime | None:
    try:
        return parsedate_to_datetime(header).astimezone(UTC)
    except ValueError:
        return None


def _expired(resource: Resource) -> UnavailableError:
    return UnavailableError(f"LIST {resource.plural}: the list expired while it was read, {_LIST_ATTEMPTS} times", _GONE)


def _group_path(resource: Resource) -> str:
    return f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"


def _path(resource: Resource, namespace: str | None, name: str = "") -> str:
    parts = [_group_path(resource), f"namespaces/{quote(namespace, safe='')}" if namespace else "", resource.plural, quote(name, safe="")]
    return "/".join(filter(None, parts))


def _where(namespace: str | None, name: str) -> str:
    return f"{namespace}/{name}" if namespace else name
