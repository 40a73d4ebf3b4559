"""What a request asks for, in the words of RBAC: a verb on a resource. Faults, authorization and the record of calls all speak of it."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from headgate_devcluster.apiserver.requests import Address, is_watch

_VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch"}
READING: Final = frozenset({"get", "list", "watch"})


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request on a resource."""

    verb: str
    """get, list, watch, create, update, patch, delete or deletecollection."""
    group: str
    resource: str
    """The plural, such as `modeldeployments`."""
    subresource: str = ""
    namespace: str = ""
    """Empty for cluster-scoped objects and for a list over all namespaces."""
    name: str = ""
    client: str = ""
    """The User-Agent."""

    @property
    def path(self) -> str:
        """The resource as RBAC writes it: `modeldeployments/status`."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        return self.verb not in READING


def call_of(request: web.Request, address: Address) -> Call:
    """Return what a request on a resource asks for."""
    return Call(
        verb=_verb(request, address),
        group=address.resource.group,
        resource=address.resource.plural,
        subresource=address.subresource,
        namespace=address.namespace or "",
        name=address.name,
        client=request.headers.get("User-Agent", ""),
    )


def _verb(request: web.Request, address: Address) -> str:
    if request.method in {"GET", "HEAD"}:
        return "watch" if is_watch(request) else "get" if address.name else "list"
    if request.method == "DELETE":
        return "delete" if address.name else "deletecollection"
    return _VERBS.get(request.method, request.method.lower())
