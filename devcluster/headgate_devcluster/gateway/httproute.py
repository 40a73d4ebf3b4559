"""Reading HTTPRoute objects: what of the Gateway API this gateway understands, and what it says about the rest.

One kind of match (path prefix), one kind of backend (Service in the route's own namespace) and the two header modifiers per backend are
what Headgate's routes are made of. A route that asks for more is refused with `Accepted: False`, never half obeyed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headgate_devcluster.gateway.table import Backend, HeaderChanges, Rule, VirtualHost

Object = Mapping[str, Any]

_MILLISECONDS = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_MODIFIERS = {"RequestHeaderModifier": "requestHeaderModifier", "ResponseHeaderModifier": "responseHeaderModifier"}


class UnsupportedRoute(Exception):  # noqa: N818 - a finding about the object, reported in its status
    """The route asks for something this gateway does not do; the message names it."""


@dataclass(frozen=True)
class GatewayRef:
    """The gateway that routes name as their parent."""

    namespace: str
    name: str

    def parent_refs(self, route: Object) -> list[dict[str, Any]]:
        """The route's references to this gateway, as written."""
        return [dict(ref) for ref in route.get("spec", {}).get("parentRefs", []) if self._is_me(ref, route)]

    def _is_me(self, ref: Object, route: Object) -> bool:
        namespace = ref.get("namespace", route["metadata"]["namespace"])
        return ref.get("kind", "Gateway") == "Gateway" and (namespace, ref["name"]) == (self.namespace, self.name)


def virtual_host(route: Object) -> VirtualHost:
    """The route as a virtual host. Backends of weight 0 are left out, as Envoy Gateway does.

    Raises:
        UnsupportedRoute: something in it is not supported.
    """
    namespace, name = route["metadata"]["namespace"], route["metadata"]["name"]
    spec = route["spec"]
    rules = [_rules(rule, f"httproute/{namespace}/{name}/rule/{number}", namespace) for number, rule in enumerate(spec.get("rules", []))]
    by_length = sorted((rule for group in rules for rule in group), key=lambda rule: -len(rule.prefix))
    return VirtualHost(f"{namespace}/{name}", tuple(spec.get("hostnames") or ("*",)), tuple(by_length))


def services(route: Object) -> list[tuple[str, str]]:
    """Namespace and name of every Service the route names, whatever its weight."""
    namespace = route["metadata"]["namespace"]
    return [(namespace, ref["name"]) for rule in route["spec"].get("rules", []) for ref in rule.get("backendRefs", [])]


def envoy_duration(text: str) -> str:
    """Write a Gateway API duration such as `1m30s` the way Envoy reads it: `90s`, `0.25s`."""
    milliseconds = sum(int(number) * _MILLISECONDS[unit] for number, unit in re.findall(r"(\d+)(ms|h|m|s)", text))
    return f"{milliseconds / 1000:.3f}s"


def _rules(rule: Object, path: str, namespace: str) -> list[Rule]:
    if rule.get("filters"):
        raise UnsupportedRoute("filters of a whole rule are not supported; put header modifiers on each backendRef")
    backends = tuple(
        _backend(ref, f"{path}/backend/{position}", namespace)
        for position, ref in enumerate(rule.get("backendRefs", []))
        if ref.get("weight", 1)
    )
    request_timeout = rule.get("timeouts", {}).get("request")
    timeout = envoy_duration(request_timeout) if request_timeout else None
    return [Rule(_prefix(match), backends, timeout) for match in rule.get("matches") or [{}]]


def _prefix(match: Object) -> str:
    path = match.get("path", {"type": "PathPrefix", "value": "/"})
    if set(match) - {"path"} or path.get("type", "PathPrefix") != "PathPrefix":
        raise UnsupportedRoute("matches other than a path of type PathPrefix are not supported")
    return str(path.get("value", "/"))


def _backend(ref: Object, cluster: str, namespace: str) -> Backend:
    if ref.get("kind", "Service") != "Service" or ref.get("namespace", namespace) != namespace:
        raise UnsupportedRoute(f"backend {ref.get('name')} is not a Service of the namespace {namespace}; no other backend is supported")
    changes = {"RequestHeaderModifier": HeaderChanges(), "ResponseHeaderModifier": HeaderChanges()}
    for change in ref.get("filters", []):
        kind = change["type"]
        if kind not in _MODIFIERS:
            raise UnsupportedRoute(f"filter {kind} is not supported; allowed: {', '.join(_MODIFIERS)}")
        changes[kind] = _header_changes(change[_MODIFIERS[kind]])
    return Backend(
        cluster, (namespace, ref["name"]), ref.get("weight", 1), changes["RequestHeaderModifier"], changes["ResponseHeaderModifier"]
    )


def _header_changes(modifier: Object) -> HeaderChanges:
    def pairs(key: str) -> tuple[tuple[str, str], ...]:
        return tuple((header["name"], header["value"]) for header in modifier.get(key, []))

    return HeaderChanges(pairs("set"), pairs("add"), tuple(modifier.get("remove", [])))
