"""What is served beside resources: health, version, discovery and OpenAPI."""

from typing import Final

from aiohttp import web

from headgate_devcluster.apiserver import discovery, openapi, openapi_v2
from headgate_devcluster.apiserver.errors import NoSuchPathError, method_not_allowed
from headgate_devcluster.apiserver.objects import Object, to_json
from headgate_devcluster.apiserver.resources import Catalogue

_AGGREGATED: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

_READ_ONLY: Final = (["version"], ["api"], ["api", "v1"])
"""What the real server asks about the method; the rest of discovery answers any."""


def answer(request: web.Request, catalogue: Catalogue) -> web.Response | None:
    """Answer what is no resource, None if it may be one.

    Raises:
        NoSuchPathError: nothing lives at this path.
        Refusal: it can only be read.
    """
    parts = request.path.strip("/").split("/")
    _require_readable(request.method, parts)
    match parts:
        case ["healthz" | "livez" | "readyz"]:
            return web.Response(text="ok")
        case ["version"]:
            return _json(discovery.VERSION)
        case ["openapi", *rest]:
            return _openapi(rest, catalogue)
        case ["api"] | ["apis"]:
            return _roots(request, parts[0], catalogue)
        case ["api", version]:
            found = discovery.resources("", version, catalogue)
        case ["apis", group]:
            found = discovery.group(group, catalogue)
        case ["apis", group, version]:
            found = discovery.resources(group, version, catalogue)
        case ["api" | "apis", *_]:
            return None
        case _:
            found = None
    if found is None:
        raise NoSuchPathError
    return _json(found)


def _require_readable(method: str, parts: list[str]) -> None:
    if method != "GET" and parts in _READ_ONLY:
        raise method_not_allowed()


def _openapi(path: list[str], catalogue: Catalogue) -> web.Response:
    if path == ["v2"]:
        return web.Response(body=openapi_v2.DOCUMENT, headers={"Content-Type": openapi_v2.CONTENT_TYPE})
    found = openapi.document(path, catalogue)
    if found is None:
        raise NoSuchPathError
    return _json(found)


def _roots(request: web.Request, root: str, catalogue: Catalogue) -> web.Response:
    if _AGGREGATED in request.headers.get("Accept", ""):
        names = [""] if root == "api" else dict.fromkeys(item.group for item in catalogue if item.group)
        return web.Response(body=to_json(discovery.aggregated(names, catalogue)), headers={"Content-Type": _AGGREGATED})
    if root == "api":
        addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": request.host}]
        return _json({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses})
    return _json(discovery.groups(catalogue))


def _json(body: Object) -> web.Response:
    return web.Response(body=to_json(body), content_type="application/json")
