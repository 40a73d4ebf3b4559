"""What the server fills in for built-in kinds."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from headgate_devcluster.apiserver.custom import with_accepted_status
from headgate_devcluster.apiserver.objects import Object


def _namespace(obj: Object) -> Object:
    metadata = obj["metadata"]
    labels = {**(metadata.get("labels") or {}), "kubernetes.io/metadata.name": metadata["name"]}
    return obj | {
        "metadata": metadata | {"labels": labels},
        "spec": {"finalizers": ["kubernetes"]},
        "status": obj.get("status") or {"phase": "Active"},
    }


def _deployment(obj: Object) -> Object:
    spec = {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600} | _present(obj["spec"])
    return obj | {"spec": spec, "status": obj.get("status") or {}}


def _service(obj: Object) -> Object:
    spec = {"type": "ClusterIP", "sessionAffinity": "None"} | _present(obj.get("spec") or {})
    if "ports" in spec:
        spec["ports"] = [{"protocol": "TCP", "targetPort": port.get("port")} | _present(port) for port in spec["ports"]]
    return obj | {"spec": spec, "status": obj.get("status") or {"loadBalancer": {}}}


def _pod(obj: Object) -> Object:
    spec = {"restartPolicy": "Always", "terminationGracePeriodSeconds": 30} | _present(obj.get("spec") or {})
    return obj | {"spec": spec, "status": obj.get("status") or {"phase": "Pending"}}


def _present(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


DEFAULTS: Final[Mapping[tuple[str, str], Callable[[Object], Object]]] = {
    ("", "Namespace"): _namespace,
    ("apps", "Deployment"): _deployment,
    ("", "Service"): _service,
    ("", "Pod"): _pod,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): with_accepted_status,
}
"""By (group, kind)."""
