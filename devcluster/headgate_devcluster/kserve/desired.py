"""The Deployment and the Service that KServe makes of an InferenceService in Standard mode. Pure functions."""

from typing import Any

from headgate_devcluster.kserve import logger
from headgate_devcluster.kserve.names import (
    AUTOSCALER_ANNOTATION,
    CONTAINER,
    DEPLOYMENT,
    ISVC_LABEL,
    LAST_APPLIED_ANNOTATION,
    MODEL_FOLDER,
    OWN_PREFIX,
    SOURCE_ANNOTATION,
    owned_by,
    predictor,
)
from headgate_devcluster.objects import SERVICE, Object

_PROBE = {"tcpSocket": {"port": 8080}, "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_NOT_COPIED = frozenset({LAST_APPLIED_ANNOTATION})


def replica_bounds(isvc: Object) -> tuple[int, int]:
    """The least and the most replicas; both are 1 unless given, and the most is never below the least."""
    part = isvc["spec"]["predictor"]
    least = max(1, int(part.get("minReplicas", 1)))
    return least, max(least, int(part.get("maxReplicas") or least))


def autoscaled(isvc: Object) -> bool:
    """Whether an autoscaler decides about the replicas; KServe's default is yes."""
    return str(isvc["metadata"].get("annotations", {}).get(AUTOSCALER_ANNOTATION, "hpa")) == "hpa"


def deployment(isvc: Object, runtime: Object | None) -> Object:
    """The Deployment, without `replicas`: who decides about those differs. Labels and annotations are copied onto every pod.

    Args:
        isvc: the InferenceService.
        runtime: the ServingRuntime or ClusterServingRuntime of its model; None if it brings its own containers.
    """
    labels = _labels(isvc)
    annotations = _annotations(isvc)
    source = isvc["spec"]["predictor"].get("model", {}).get("storageUri")
    of_runtime = runtime["spec"].get("annotations", {}) if runtime else {}
    template_annotations = of_runtime | annotations | ({SOURCE_ANNOTATION: source} if source else {}) | logger.annotations(isvc)
    return {
        "apiVersion": DEPLOYMENT.api_version,
        "kind": DEPLOYMENT.kind,
        "metadata": child_meta(isvc),
        "spec": {
            "progressDeadlineSeconds": 600,
            "revisionHistoryLimit": 10,
            "selector": {"matchLabels": {"app": labels["app"]}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": {
                "metadata": {"labels": labels, "annotations": template_annotations},
                "spec": _pod_spec(isvc, runtime, source),
            },
        },
    }


def service(isvc: Object) -> Object:
    """The Service in front of the pods; with a logger, in front of their agents."""
    target = logger.AGENT_PORT if logger.annotations(isvc) else 8080
    labels = _labels(isvc)
    return {
        "apiVersion": SERVICE.api_version,
        "kind": SERVICE.kind,
        "metadata": child_meta(isvc),
        "spec": {
            "type": "ClusterIP",
            "selector": {"app": labels["app"]},
            "ports": [{"name": predictor(isvc["metadata"]["name"]), "port": 80, "protocol": "TCP", "targetPort": target}],
        },
    }


def container(isvc: Object, runtime: Object) -> Object:
    """The runtime's container with what the predictor adds: arguments behind the runtime's, environment and resources over them."""
    base = next(part for part in runtime["spec"]["containers"] if part["name"] == CONTAINER)
    model = isvc["spec"]["predictor"]["model"]
    merged = base | {key: value for key, value in model.items() if key in ("image", "command", "resources", "readinessProbe")}
    merged["args"] = [*base.get("args", []), *model.get("args", [])]
    environment = {entry["name"]: entry for entry in [*base.get("env", []), *model.get("env", [])]}
    merged["env"] = list(environment.values())
    filled: Object = _fill_in_name(merged, isvc["metadata"]["name"])
    return filled


def _pod_spec(isvc: Object, runtime: Object | None, source: str | None) -> Object:
    part = isvc["spec"]["predictor"]
    containers = [container(isvc, runtime)] if runtime else [dict(entry) for entry in part["containers"]]
    main = containers[0]
    main["env"] = [*main.get("env", []), {"name": "INFERENCE_SERVICE_NAME", "value": isvc["metadata"]["name"]}]
    main.setdefault("readinessProbe", _PROBE)
    spec: Object = {
        "containers": containers,
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
    }
    if "serviceAccountName" in part:
        spec["serviceAccountName"] = part["serviceAccountName"]
    if source:
        main["volumeMounts"] = [{"name": "kserve-provision-location", "mountPath": MODEL_FOLDER, "readOnly": True}]
        spec["volumes"] = [{"name": "kserve-provision-location", "emptyDir": {}}]
        spec["initContainers"] = [
            {
                "name": "storage-initializer",
                "image": "kserve/storage-initializer",
                "args": [source, MODEL_FOLDER],
                "volumeMounts": [{"name": "kserve-provision-location", "mountPath": MODEL_FOLDER}],
            }
        ]
    return spec


def _fill_in_name(value: Any, name: str) -> Any:
    if isinstance(value, str):
        return value.replace("{{.Name}}", name)
    if isinstance(value, list):
        return [_fill_in_name(entry, name) for entry in value]
    if isinstance(value, dict):
        return {key: _fill_in_name(entry, name) for key, entry in value.items()}
    return value


def child_meta(isvc: Object) -> Object:
    """The metadata that all children of an InferenceService have."""
    return {
        "name": predictor(isvc["metadata"]["name"]),
        "namespace": isvc["metadata"]["namespace"],
        "labels": _labels(isvc),
        "annotations": _annotations(isvc),
        "ownerReferences": owned_by(isvc),
    }


def _labels(isvc: Object) -> dict[str, str]:
    name = isvc["metadata"]["name"]
    own = {"app": f"isvc.{predictor(name)}", "component": "predictor", ISVC_LABEL: name}
    return {**isvc["metadata"].get("labels", {}), **own}


def _annotations(isvc: Object) -> dict[str, str]:
    copied = isvc["metadata"].get("annotations", {})
    return {key: value for key, value in copied.items() if key not in _NOT_COPIED and not key.startswith(OWN_PREFIX)}
