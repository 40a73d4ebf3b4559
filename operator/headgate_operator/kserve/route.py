"""The HTTPRoute: one rule, always two backends. A version keeps its position for life.

Envoy Gateway names the clusters by position, and a changed position gives seconds of 503; it drops backends of weight 0, and their counters
with them. The filter on each backend makes it use one cluster a backend, without which nobody could tell the versions' requests apart.
A mirrored version is in a filter of the rule. Its cluster is `…/rule/0-mirror-0`, and where its Service is missing Envoy Gateway answers
every request of the rule with 500: so it is in the route only while it serves.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from headgate_operator.api.names import MIRROR_ANNOTATION, OWNER_LABEL, REJECTED_ANNOTATION, REVISION_HEADER, STABLE_ANNOTATION
from headgate_operator.api.spec import Gateway
from headgate_operator.kserve.children import Owner
from headgate_operator.kserve.names import predictor_name
from headgate_operator.kserve.resources import ROUTE_API, ROUTE_KIND

_PORT: Final = 80
_SUFFIX: Final = "-predictor"
_EVERYTHING: Final = [{"path": {"type": "PathPrefix", "value": "/"}}]
_MIRROR: Final = "RequestMirror"
_MIRROR_FIELD: Final = "requestMirror"
_MODIFIERS: Final = {"RequestHeaderModifier": "requestHeaderModifier", "ResponseHeaderModifier": "responseHeaderModifier"}


@dataclass(frozen=True, kw_only=True)
class RouteBackend:
    """One backend at its position."""

    isvc: str
    revision: str
    weight: int


@dataclass(frozen=True, kw_only=True)
class RouteMirror:
    """Who gets copies of the requests."""

    isvc: str
    revision: str
    percent: int


@dataclass(frozen=True, kw_only=True)
class RouteState:
    """Our HTTPRoute as it is in the cluster."""

    ours: bool
    accepted: bool
    """Our gateway reports Accepted and ResolvedRefs at the route's current generation."""
    slots: tuple[RouteBackend, RouteBackend] | None
    """None if it does not have the one rule and the two backends that we write, for all requests."""
    stable_id: str | None
    rejected_ids: tuple[str, ...]
    mirror: RouteMirror | None = None
    """None also where another filter than our one mirror keeps `slots` from being read."""


def http_route(
    *,
    name: str,
    namespace: str,
    owner: Owner,
    gateway: Gateway,
    hostnames: tuple[str, ...],
    slots: tuple[RouteBackend, RouteBackend],
    stable_id: str,
    rejected_ids: tuple[str, ...],
    request_timeout: timedelta,
    mirror: RouteMirror | None = None,
) -> dict[str, Any]:
    """Return the HTTPRoute to apply."""
    rule = {"backendRefs": [_backend(slot) for slot in slots], "timeouts": {"request": gateway_duration(request_timeout)}}
    annotations = {STABLE_ANNOTATION: stable_id, REJECTED_ANNOTATION: ",".join(rejected_ids)}
    if mirror is not None:
        rule["filters"] = [_mirror_filter(mirror)]
        annotations[MIRROR_ANNOTATION] = mirror.revision
    return {
        "apiVersion": ROUTE_API,
        "kind": ROUTE_KIND,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {OWNER_LABEL: name},
            "annotations": annotations,
            "ownerReferences": [owner.reference()],
        },
        "spec": {
            "parentRefs": [{"name": gateway.name, "namespace": gateway.namespace}],
            "hostnames": list(hostnames),
            "rules": [rule],
        },
    }


def _backend(slot: RouteBackend) -> dict[str, Any]:
    stamp = {"set": [{"name": REVISION_HEADER, "value": slot.revision}]}
    return {
        "kind": "Service",
        "name": predictor_name(slot.isvc),
        "port": _PORT,
        "weight": slot.weight,
        "filters": [{"type": kind, field: stamp} for kind, field in _MODIFIERS.items()],
    }


def _mirror_filter(mirror: RouteMirror) -> dict[str, Any]:
    reference = {"kind": "Service", "name": predictor_name(mirror.isvc), "port": _PORT}
    return {"type": _MIRROR, _MIRROR_FIELD: {"backendRef": reference, "percent": mirror.percent}}


def gateway_duration(duration: timedelta) -> str:
    """Write a duration as the Gateway API reads it: no days, at most five digits and four parts, the largest unit an hour."""
    rest = duration // timedelta(milliseconds=1)
    parts = []
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def default_hostname(name: str, namespace: str, domain: str) -> str:
    """Return the host name of a ModelDeployment that names none."""
    return f"{name}.{namespace}.{domain}"


def read_route(obj: Mapping[str, Any], *, owner: Owner, gateway: Gateway) -> RouteState:
    """Return what an HTTPRoute says and what the gateway says about it."""
    annotations = obj["metadata"].get("annotations", {})
    return RouteState(
        ours=owner.owns(dict(obj)),
        accepted=_accepted(obj, gateway),
        slots=_slots(obj),
        mirror=_read_mirror(obj),
        stable_id=annotations.get(STABLE_ANNOTATION) or None,
        rejected_ids=tuple(filter(None, annotations.get(REJECTED_ANNOTATION, "").split(","))),
    )


def _accepted(obj: Mapping[str, Any], gateway: Gateway) -> bool:
    namespace, generation = obj["metadata"].get("namespace"), obj["metadata"].get("generation", 0)
    ours = [
        parent
        for parent in obj.get("status", {}).get("parents", ())
        if (parent["parentRef"].get("name"), parent["parentRef"].get("namespace", namespace)) == (gateway.name, gateway.namespace)
    ]
    return bool(ours) and all(_true_now(parent, kind, generation) for parent in ours for kind in ("Accepted", "ResolvedRefs"))


def _true_now(parent: Mapping[str, Any], kind: str, generation: int) -> bool:
    return any(
        condition.get("type") == kind and condition.get("status") == "True" and condition.get("observedGeneration", 0) >= generation
        for condition in parent.get("conditions", ())
    )


def _slots(obj: Mapping[str, Any]) -> tuple[RouteBackend, RouteBackend] | None:
    spec = obj.get("spec", {})
    rules = spec.get("rules", [])
    if len(rules) != 1 or _diverts(rules[0]) or any(_narrows(reference) for reference in spec.get("parentRefs", ())):
        return None
    match list(_backends(rules[0].get("backendRefs", ()))):
        case [RouteBackend() as first, RouteBackend() as second]:
            return first, second
    return None


def _diverts(rule: Mapping[str, Any]) -> bool:
    """Whether something added to the rule keeps requests from its backends: API servers fill in only a match of everything.

    Our one mirror does not; who else's, or a second one, costs clients more than Headgate can answer for.
    """
    match rule.get("filters") or []:
        case []:
            foreign = False
        case [only]:
            foreign = _mirrored(only) is None
        case _:
            foreign = True
    return foreign or rule.get("matches") not in (None, [], _EVERYTHING)


def _read_mirror(obj: Mapping[str, Any]) -> RouteMirror | None:
    filters = [entry for rule in obj.get("spec", {}).get("rules", ()) for entry in rule.get("filters", ())]
    found = next((mirrored for entry in filters if (mirrored := _mirrored(entry)) is not None), None)
    if found is None:
        return None
    isvc, percent = found
    return RouteMirror(isvc=isvc, revision=obj["metadata"].get("annotations", {}).get(MIRROR_ANNOTATION, ""), percent=percent)


def _mirrored(entry: Mapping[str, Any]) -> tuple[str, int] | None:
    """Return InferenceService and percent of a mirror like ours."""
    mirror = entry.get(_MIRROR_FIELD, {}) if entry.get("type") == _MIRROR else {}
    reference = mirror.get("backendRef", {})
    ours = reference.get("name", "").endswith(_SUFFIX) and "namespace" not in reference and "fraction" not in mirror
    return (reference["name"].removesuffix(_SUFFIX), mirror.get("percent", 100)) if ours else None


def _narrows(parent: Mapping[str, Any]) -> bool:
    """Whether somebody took the route off all listeners of the gateway but one."""
    return "sectionName" in parent or "port" in parent


def _backends(references: Any) -> Iterator[RouteBackend | None]:
    for reference in references:
        revision = _stamped(reference)
        ours = reference.get("name", "").endswith(_SUFFIX) and revision is not None
        isvc = reference.get("name", "").removesuffix(_SUFFIX)
        yield RouteBackend(isvc=isvc, revision=revision or "", weight=reference.get("weight", 1)) if ours else None


def _stamped(reference: Mapping[str, Any]) -> str | None:
    """Return the revision that a backend's request filter stamps."""
    for entry in reference.get("filters", ()):
        for header in entry.get(_MODIFIERS["RequestHeaderModifier"], {}).get("set", ()):
            if header.get("name", "").lower() == REVISION_HEADER:
                return str(header.get("value"))
    return None
