"""Reading HTTPRoute objects: what of the Gateway API this gateway understands, and what it says about the rest.

One kind of match (path prefix), one kind of backend (Service in the route's own namespace), the two header modifiers per backend and the
mirrors of a rule are what Headgate's routes are made of. A route that asks for more is refused with `Accepted: False`, never half obeyed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from headgate_devcluster.gateway.table import MILLION, Backend, HeaderChanges, Mirror, Rule
from headgate_devcluster.objects import INGRESS_ANNOTATION

Object = Mapping[str, Any]

_MILLISECONDS = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_MIRROR = "RequestMirror"
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


def rules(route: Object) -> list[Rule]:
    """The route's rules in their order. Backends of weight 0 are left out, as Envoy Gateway does.

    Raises:
        UnsupportedRoute: something in it is not supported.
    """
    namespace, name = route["metadata"]["namespace"], route["metadata"]["name"]
    numbered = enumerate(route["spec"].get("rules", []))
    found = [part for number, rule in numbered for part in _rules(rule, f"httproute/{namespace}/{name}/rule/{number}", namespace)]
    if route["metadata"].get("annotations", {}).get(INGRESS_ANNOTATION) == "Knative":
        return [_named_by_service(rule) for rule in found]
    return found


def hostnames(route: Object) -> tuple[str, ...]:
    """The host names the route wants; `*` stands for all."""
    return tuple(route["spec"].get("hostnames") or ("*",))


def services(route: Object) -> list[tuple[str, str]]:
    """Namespace and name of every Service the route names, whatever its weight, mirrors included."""
    namespace = route["metadata"]["namespace"]
    found = []
    for rule in route["spec"].get("rules", []):
        mirrors = [change["requestMirror"]["backendRef"] for change in rule.get("filters", []) if change["type"] == _MIRROR]
        found += [(namespace, ref["name"]) for ref in (*rule.get("backendRefs", []), *mirrors)]
    return found


def envoy_duration(text: str) -> str:
    """Write a Gateway API duration such as `1m30s` the way Envoy reads it: `90s`, `0.25s`."""
    milliseconds = sum(int(number) * _MILLISECONDS[unit] for number, unit in re.findall(r"(\d+)(ms|h|m|s)", text))
    return f"{milliseconds / 1000:.3f}s"


def _rules(rule: Object, path: str, namespace: str) -> list[Rule]:
    mirrors = tuple(_mirror(change, f"{path}-mirror-{position}", namespace) for position, change in enumerate(rule.get("filters", [])))
    backends = tuple(
        _backend(ref, f"{path}/backend/{position}", namespace)
        for position, ref in enumerate(rule.get("backendRefs", []))
        if ref.get("weight", 1)
    )
    request_timeout = rule.get("timeouts", {}).get("request")
    timeout = envoy_duration(request_timeout) if request_timeout else None
    return [Rule(_prefix(match), backends, timeout, mirrors) for match in rule.get("matches") or [{}]]


def _prefix(match: Object) -> str:
    path = match.get("path", {"type": "PathPrefix", "value": "/"})
    if set(match) - {"path"} or path.get("type", "PathPrefix") != "PathPrefix":
        raise UnsupportedRoute("matches other than a path of type PathPrefix are not supported")
    return str(path.get("value", "/"))


def _named_by_service(rule: Rule) -> Rule:
    """Name clusters `<namespace>/<service>`, as Kourier does: the Service of a Knative revision has the revision's name."""
    return replace(rule, backends=tuple(replace(backend, cluster="/".join(backend.service)) for backend in rule.backends))


def _mirror(change: Object, cluster: str, namespace: str) -> Mirror:
    if change["type"] != _MIRROR:
        raise UnsupportedRoute(
            f"filter {change['type']} of a whole rule is not supported; allowed: {_MIRROR}; put header modifiers on each backendRef"
        )
    mirror = change["requestMirror"]
    part, whole = mirror.get("percent", 100), 100
    if fraction := mirror.get("fraction"):
        part, whole = fraction["numerator"], fraction.get("denominator", 100)
    if not 0 <= part <= whole:
        raise UnsupportedRoute(f"a mirror of {part} in {whole} is not supported; allowed: 0 up to {whole}")
    return Mirror(cluster, _service(mirror["backendRef"], namespace), round(MILLION * part / whole))


def _service(ref: Object, namespace: str) -> tuple[str, str]:
    if ref.get("kind", "Service") != "Service" or ref.get("namespace", namespace) != namespace:
        raise UnsupportedRoute(f"backend {ref.get('name')} is not a Service of the namespace {namespace}; no other backend is supported")
    return namespace, ref["name"]


def _backend(ref: Object, cluster: str, namespace: str) -> Backend:
    service = _service(ref, namespace)
    changes = {"RequestHeaderModifier": HeaderChanges(), "ResponseHeaderModifier": HeaderChanges()}
    for change in ref.get("filters", []):
        kind = change["type"]
        if kind not in _MODIFIERS:
            raise UnsupportedRoute(f"filter {kind} of a backendRef is not supported; allowed: {', '.join(_MODIFIERS)}")
        changes[kind] = _header_changes(change[_MODIFIERS[kind]])
    return Backend(cluster, service, ref.get("weight", 1), changes["RequestHeaderModifier"], changes["ResponseHeaderModifier"])


def _header_changes(modifier: Object) -> HeaderChanges:
    def pairs(key: str) -> tuple[tuple[str, str], ...]:
        return tuple((header["name"], header["value"]) for header in modifier.get(key, []))

    return HeaderChanges(pairs("set"), pairs("add"), tuple(modifier.get("remove", [])))
