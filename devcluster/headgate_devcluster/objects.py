"""Kinds of objects and the few verbs the controllers here use on them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]
"""A Kubernetes object as JSON."""


@dataclass(frozen=True)
class Kind:
    """A kind of object and where it lives in the API."""

    api_version: str
    kind: str
    plural: str


SERVICE = Kind("v1", "Service", "services")
POD = Kind("v1", "Pod", "pods")
HTTP_ROUTE = Kind("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes")

PORT_ANNOTATION = "devcluster.headgate.dev/port"
"""On a Pod: the loopback port its server listens on. One machine has no pod addresses; the gateway reads this instead."""

INGRESS_ANNOTATION = "devcluster.headgate.dev/ingress"
"""On an HTTPRoute: `Knative` if it stands for Knative's own ingress, whose Envoy names clusters after revisions, not positions."""

LOCAL_SUFFIX = ".svc.cluster.local"
"""Of the names that Services have inside the cluster."""


def key(obj: Object) -> tuple[str, str]:
    """Namespace and name."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def terminating(obj: Object) -> bool:
    """Whether the object has been deleted and only waits for its finalizers."""
    return "deletionTimestamp" in obj["metadata"]


def is_ready(pod: Object) -> bool:
    """Whether the pod may get requests."""
    conditions = pod.get("status", {}).get("conditions", [])
    return not terminating(pod) and any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def timestamp() -> str:
    """The present time as Kubernetes writes it, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def merge_patch(before: Object, after: Object) -> Object:
    """The JSON merge patch that turns `before` into `after`; empty if they are equal. A key that goes has to be named as null."""
    patch: Object = {}
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            if changes := merge_patch(old, new):
                patch[name] = changes
        elif old != new:
            patch[name] = new
    return patch
