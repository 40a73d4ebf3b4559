"""What the gateway reports about an HTTPRoute and about itself: Gateway API conditions. Pure functions."""

from collections.abc import Mapping
from typing import Any

from headgate_devcluster.gateway.hosts import Hosts, Name
from headgate_devcluster.gateway.httproute import GatewayRef, services
from headgate_devcluster.gateway.table import Endpoint
from headgate_devcluster.objects import Object, key

CONTROLLER = "devcluster.headgate.dev/gateway"
GATEWAY_CLASS = "headgate-devcluster"

Told = tuple[str, str, str]
"""A condition's status, reason and message."""


def route_status(route: Object, gateway: GatewayRef, hosts: Hosts, endpoints: Mapping[Name, tuple[Endpoint, ...]], now: str) -> Object:
    """The route's status after Envoy has loaded it at its present generation.

    Args:
        route: the HTTPRoute.
        gateway: ours; what other gateways wrote is kept.
        hosts: what became of all routes.
        endpoints: by Service, of every Service there is.
        now: the time for conditions that changed.
    """
    wanted = _acceptance(route, hosts) | _references(route, endpoints)
    foreign = [parent for parent in route.get("status", {}).get("parents", []) if parent["controllerName"] != CONTROLLER]
    own = [
        {"parentRef": ref, "controllerName": CONTROLLER, "conditions": _conditions(wanted, route, _before(route, ref), now)}
        for ref in gateway.parent_refs(route)
    ]
    return {"parents": [*foreign, *own]}


def gateway_status(gateway: Object, port: int, attached_routes: int, now: str) -> Object:
    """The Gateway's status: where it listens and that it works."""
    wanted = {
        "Accepted": ("True", "Accepted", "The Gateway has been scheduled by the devcluster"),
        "Programmed": ("True", "Programmed", f"Envoy listens on 127.0.0.1:{port}"),
    }
    listeners = [
        {
            "name": listener["name"],
            "attachedRoutes": attached_routes,
            "supportedKinds": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}],
            "conditions": [],
        }
        for listener in gateway["spec"].get("listeners", [])
    ]
    return {
        "addresses": [{"type": "IPAddress", "value": "127.0.0.1"}],
        "conditions": _conditions(wanted, gateway, gateway.get("status", {}).get("conditions", []), now),
        "listeners": listeners,
    }


def _acceptance(route: Object, hosts: Hosts) -> dict[str, Told]:
    name, accepted = key(route), ("True", "Accepted", "Route is accepted")
    if refusal := hosts.refused.get(name):
        return {"Accepted": ("False", "UnsupportedValue", refusal)}
    if not (lost := hosts.conflicts.get(name)):
        return {"Accepted": accepted}
    told = f"older routes serve {', '.join(lost)}; choose another host name or path"
    if name in hosts.silent:
        return {"Accepted": ("False", "HostnameConflict", told)}
    return {"Accepted": accepted, "PartiallyInvalid": ("True", "HostnameConflict", told)}


def _references(route: Object, endpoints: Mapping[Name, tuple[Endpoint, ...]]) -> dict[str, Told]:
    named = set(services(route))
    if missing := sorted(named - endpoints.keys()):
        return {"ResolvedRefs": ("False", "BackendNotFound", f"Service {'/'.join(missing[0])} not found")}
    told = {"ResolvedRefs": ("True", "ResolvedRefs", "Resolved all the Object references for the Route")}
    if empty := sorted(name for name in named if not endpoints[name]):
        told["BackendsAvailable"] = ("False", "EndpointsNotFound", f"Service {'/'.join(empty[0])} has no ready endpoints")
    return told


def _before(route: Object, ref: Mapping[str, Any]) -> list[Object]:
    parents = route.get("status", {}).get("parents", [])
    mine = (parent for parent in parents if parent["controllerName"] == CONTROLLER and parent["parentRef"] == ref)
    return next((list(parent["conditions"]) for parent in mine), [])


def _conditions(wanted: Mapping[str, tuple[str, str, str]], obj: Object, before: list[Object], now: str) -> list[Object]:
    """Conditions at the object's generation; the time of one that keeps its status is kept."""
    since = {(entry["type"], entry["status"]): entry["lastTransitionTime"] for entry in before}
    return [
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "observedGeneration": obj["metadata"]["generation"],
            "lastTransitionTime": since.get((kind, status), now),
        }
        for kind, (status, reason, message) in wanted.items()
    ]
