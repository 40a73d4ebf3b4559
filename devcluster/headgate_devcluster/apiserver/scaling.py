"""The `scale` subresource: replicas of an object, seen and set as an autoscaling/v1 Scale whatever its kind."""

from collections.abc import Callable
from typing import Any

from headgate_devcluster.apiserver.errors import bad_request
from headgate_devcluster.apiserver.json_paths import values
from headgate_devcluster.apiserver.objects import Object


def scale_of(obj: Object) -> Object:
    """Return the Scale of an object."""
    metadata, spec = obj["metadata"], obj.get("spec") or {}
    labels = values(obj, ".spec.selector.matchLabels")
    status: Object = {"replicas": (obj.get("status") or {}).get("replicas", 0)}
    if labels:
        status["selector"] = ",".join(f"{name}={value}" for name, value in sorted(labels[0].items()))
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: metadata[name] for name in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")},
        "spec": {"replicas": spec.get("replicas", 0)},
        "status": status,
    }


def rescaled(change: Callable[[Object], Any]) -> Callable[[Object], Any]:
    """Return a patch of an object from a patch of its Scale; 409 comes from the resourceVersion that the Scale carries."""

    def patch(obj: Object) -> Object:
        scale = change(scale_of(obj))
        replicas = (scale.get("spec") or {}).get("replicas", 0)
        if not isinstance(replicas, int) or isinstance(replicas, bool) or replicas < 0:
            raise bad_request(f"spec.replicas of a Scale must be a number of at least 0, not {replicas!r}")
        version = (scale.get("metadata") or {}).get("resourceVersion") or obj["metadata"]["resourceVersion"]
        return obj | {"metadata": obj["metadata"] | {"resourceVersion": version}, "spec": obj["spec"] | {"replicas": replicas}}

    return patch
