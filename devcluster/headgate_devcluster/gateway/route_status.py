"""What the gateway reports about an HTTPRoute and about itself: Gateway API conditions. Pure functions."""

from collections.abc import Iterable, Mapping
from typing import Any

from headgate_devcluster.gateway.httproute import GatewayRef, services
from headgate_devcluster.objects import Object

CONTROLLER = "devcluster.headgate.dev/gateway"
GATEWAY_CLASS = "headgate-devcluster"


def route_status(route: Object, gateway: GatewayRef, existing: Iterable[tuple[str, str]], refusal: str | None, now: str) -> Object:
    """The route's status after Envoy has loaded it at its present generation.

    Args:
        route: the HTTPRoute.
        gateway: ours; what other gateways wrote is kept.
        existing: namespace and name of every Service there is.
        refusal: what the gateway does not support about the route, None if it serves it.
        now: the time for conditions that changed.
    """
    accepted = ("False", "UnsupportedValue", refusal) if refusal else ("True", "Accepted", "Route is accepted")
    missing = sorted(set(services(route)) - set(existing))
    resolved = ("True", "ResolvedRefs", "Resolved all the Object references for the Route")
    if missing:
        resolved = ("False", "BackendNotFound", f"Service {'/'.join(missing[0])} not found")
    wanted = {"Accepted": accepted, "ResolvedRefs": resolved}
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
