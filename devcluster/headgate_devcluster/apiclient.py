"""A small client of the API server for the parts of the devcluster, the demo and tests. Plain dicts in, plain dicts out.

Objects name their kind, so writes need no more than the object; reads name the resource as in a URL. Every call has a timeout; only a
connection that was refused or broke is tried again, and only for calls that may be repeated.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from headgate_devcluster.access import Access

Object = dict[str, Any]
Objects = list[Object]  # the client has a method of that name
TIMEOUT_SECONDS: Final = 30.0
ATTEMPTS: Final = 4
BACKOFF_SECONDS: Final = 0.2
WATCH_SECONDS: Final = 300
_PAGE: Final = 500
_TOKEN_SECONDS: Final = 24 * 3600
_MAX_LINE: Final = 16 * 1024 * 1024


class ApiError(Exception):
    """The server refused, or did not answer. `status` is the HTTP code, 0 if there was no answer; `reason` is the server's word."""

    def __init__(self, message: str, *, status: int = 0, reason: str = "") -> None:
        super().__init__(message)
        self.status, self.reason = status, reason


class ApiClient:
    """`async with ApiClient(url) as api`: closes its connections at the end. A bare URL is one without authentication."""

    def __init__(self, access: Access | str, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._access = Access(access) if isinstance(access, str) else access
        self._url, self._timeout = self._access.url.rstrip("/"), aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None
        self._plurals: dict[tuple[str, str], tuple[str, bool]] = {}

    async def __aenter__(self) -> Self:
        headers = {"User-Agent": "headgate-devcluster/1", **self._access.headers()}
        connector = aiohttp.TCPConnector(ssl=self._access.trust())
        self._session = aiohttp.ClientSession(trust_env=False, headers=headers, read_bufsize=_MAX_LINE, connector=connector)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()

    async def get(self, api_version: str, plural: str, namespace: str | None, name: str) -> Object | None:
        """Return an object, or None if it does not exist."""
        try:
            return await self._call("GET", _path(api_version, plural, namespace, name), repeatable=True)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def list(
        self, api_version: str, plural: str, namespace: str | None = None, *, label_selector: str = "", field_selector: str = ""
    ) -> Objects:
        """Return all objects that match, however many pages that takes."""
        items, _ = await self._pages(_path(api_version, plural, namespace), _selectors(label_selector, field_selector))
        return items

    async def serves(self, api_version: str, kind: str) -> bool:
        """Whether the server knows the kind."""
        try:
            await self._plural_of(api_version, kind)
        except ApiError as error:
            if error.status == 404:
                return False
            raise
        return True

    async def create(self, obj: Object) -> Object:
        """Create an object; ApiError 409 if the name is taken."""
        return await self._call("POST", await self._path_of(obj, collection=True), body=obj)

    async def replace(self, obj: Object) -> Object:
        """PUT an object; with a resourceVersion that is not current ApiError 409."""
        return await self._call("PUT", await self._path_of(obj), body=obj)

    async def replace_status(self, obj: Object) -> Object:
        """PUT the status of an object; with a resourceVersion that is not current ApiError 409."""
        return await self._call("PUT", await self._path_of(obj) + "/status", body=obj)

    async def apply(self, obj: Object, *, field_manager: str, force: bool = True, subresource: str = "") -> Object:
        """Create or update by server-side apply."""
        path = await self._path_of(obj) + (f"/{subresource}" if subresource else "")
        query = {"fieldManager": field_manager, "force": str(force).lower()}
        return await self._call("PATCH", path, query=query, body=obj, content_type="application/apply-patch+yaml", repeatable=True)

    async def merge_patch(
        self, api_version: str, plural: str, namespace: str | None, name: str, patch: Mapping[str, Any], *, subresource: str = ""
    ) -> Object:
        """Merge-patch an object: null removes a key."""
        path = _path(api_version, plural, namespace, name) + (f"/{subresource}" if subresource else "")
        return await self._call("PATCH", path, body=patch, content_type="application/merge-patch+json")

    async def token(self, namespace: str, service_account: str) -> str:
        """Return a token of a ServiceAccount, good for a day."""
        path = _path("v1", "serviceaccounts", namespace, service_account) + "/token"
        answer = await self._call(
            "POST", path, body={"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 86400}}
        )
        return str(answer["status"]["token"])

    async def delete(
        self, api_version: str, plural: str, namespace: str | None, name: str, *, uid: str | None = None, grace_seconds: int | None = None
    ) -> bool:
        """Delete an object in the background, exactly the one with this uid if given; False if there is none.

        A Pod on a node stays, marked as deleted, for its grace period unless `grace_seconds` is 0, which is the kubelet's word that its
        processes are gone.
        """
        body: Object = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        if grace_seconds is not None:
            body["gracePeriodSeconds"] = grace_seconds
        if uid:
            body["preconditions"] = {"uid": uid}
        try:
            await self._call("DELETE", _path(api_version, plural, namespace, name), body=body)
        except ApiError as error:
            if error.status == 404:
                return False
            raise
        return True

    async def watch(
        self, api_version: str, plural: str, namespace: str | None = None, *, label_selector: str = "", field_selector: str = ""
    ) -> AsyncIterator[tuple[str, Object]]:
        """Yield (ADDED | MODIFIED | DELETED, object) for ever, first ADDED for what exists.

        After a lost connection or a forgotten resourceVersion it lists again and yields the differences, deletions included. Raises
        ApiError if the server refuses, or cannot be reached several times in a row.
        """
        path, selectors = _path(api_version, plural, namespace), _selectors(label_selector, field_selector)
        known: dict[str, Object] = {}
        while True:
            items, revision = await self._pages(path, selectors)
            for event in _differences(known, items):
                yield event
            async for kind, obj in self._stream(path, selectors, revision):
                if kind == "DELETED":
                    known.pop(obj["metadata"]["uid"], None)
                else:
                    known[obj["metadata"]["uid"]] = obj
                yield kind, obj

    async def _stream(self, path: str, selectors: Mapping[str, str], revision: str) -> AsyncIterator[tuple[str, Object]]:
        """Yield changes until the connection breaks or the server asks to list again; reconnect when the watch's time is up."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=90)
        while True:
            query = {
                **selectors,
                "watch": "true",
                "allowWatchBookmarks": "true",
                "resourceVersion": revision,
                "timeoutSeconds": str(WATCH_SECONDS),
            }
            try:
                async with self._open.get(self._url + path, params=query, timeout=timeout) as response:
                    await _require_ok(response)
                    async for line in response.content:
                        event = json.loads(line)
                        if event["type"] == "ERROR":
                            return
                        revision = event["object"]["metadata"]["resourceVersion"]
                        if event["type"] != "BOOKMARK":
                            yield event["type"], event["object"]
            except (aiohttp.ClientError, TimeoutError, json.JSONDecodeError):  # the last: cut in the middle of a line
                return

    async def _pages(self, path: str, selectors: Mapping[str, str]) -> tuple[Objects, str]:
        items: Objects = []
        query = {**selectors, "limit": str(_PAGE)}
        while True:
            page = await self._call("GET", path, query=query, repeatable=True)
            kind, version = page["kind"].removesuffix("List"), page["apiVersion"]
            items += [{"apiVersion": version, "kind": kind} | item for item in page["items"]]
            if not (token := page["metadata"].get("continue")):
                return items, page["metadata"]["resourceVersion"]
            query["continue"] = token

    async def _path_of(self, obj: Object, *, collection: bool = False) -> str:
        plural, namespaced = await self._plural_of(obj["apiVersion"], obj["kind"])
        namespace = obj["metadata"].get("namespace", "default") if namespaced else None
        return _path(obj["apiVersion"], plural, namespace, "" if collection else obj["metadata"]["name"])

    async def _plural_of(self, api_version: str, kind: str) -> tuple[str, bool]:
        """Return the plural of a kind and whether it is namespaced, as discovery tells."""
        if (api_version, kind) not in self._plurals:
            root = "api" if "/" not in api_version else "apis"
            found = await self._call("GET", f"/{root}/{api_version}", repeatable=True)
            for entry in found["resources"]:
                if "/" not in entry["name"]:
                    self._plurals[api_version, entry["kind"]] = entry["name"], entry["namespaced"]
        if (api_version, kind) not in self._plurals:
            raise ApiError(f"the server knows no kind {kind} in {api_version}; is its CustomResourceDefinition installed?", status=404)
        return self._plurals[api_version, kind]

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        repeatable: bool = False,
    ) -> Object:
        data = json.dumps(body, allow_nan=False).encode() if body is not None else None
        headers = {"Content-Type": content_type} if data is not None else {}
        for attempt in range(ATTEMPTS):
            try:
                async with self._open.request(
                    method, self._url + path, params=query, data=data, headers=headers, timeout=self._timeout
                ) as response:
                    await _require_ok(response)
                    return await response.json()  # type: ignore[no-any-return]
            except (aiohttp.ClientError, TimeoutError) as error:
                unsent = isinstance(error, aiohttp.ClientConnectorError)
                if attempt == ATTEMPTS - 1 or not (repeatable or unsent):
                    raise ApiError(f"{method} {self._url}{path}: {error or type(error).__name__}") from error
                await asyncio.sleep(BACKOFF_SECONDS * 2**attempt)
        raise AssertionError("unreachable")

    @property
    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise ApiError("the client is not open; use `async with ApiClient(url) as api`")
        return self._session


def _path(api_version: str, plural: str, namespace: str | None, name: str = "") -> str:
    root = "apis" if "/" in api_version else "api"
    parts = [root, api_version, *(("namespaces", namespace) if namespace else ()), plural, name]
    return "/" + "/".join(filter(None, parts))


def _selectors(label_selector: str, field_selector: str) -> dict[str, str]:
    told = {"labelSelector": label_selector, "fieldSelector": field_selector}
    return {name: value for name, value in told.items() if value}


def _differences(known: dict[str, Object], items: list[Object]) -> list[tuple[str, Object]]:
    """Bring what is known up to date with a list; return the events that were missed."""
    events: list[tuple[str, Object]] = []
    present = {item["metadata"]["uid"]: item for item in items}
    events += [("DELETED", known.pop(uid)) for uid in [*known] if uid not in present]
    for uid, item in present.items():
        before = known.get(uid)
        if before is None or before["metadata"]["resourceVersion"] != item["metadata"]["resourceVersion"]:
            events.append(("ADDED" if before is None else "MODIFIED", item))
        known[uid] = item
    return events


async def _require_ok(response: aiohttp.ClientResponse) -> None:
    if response.status < 400:
        return
    text = await response.text()
    try:
        status = json.loads(text)
    except ValueError:
        status = {"message": text.strip()}
    raise ApiError(status.get("message") or response.reason or "", status=response.status, reason=status.get("reason", ""))
