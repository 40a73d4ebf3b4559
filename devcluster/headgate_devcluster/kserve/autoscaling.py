"""The HorizontalPodAutoscaler that KServe makes of an InferenceService, and what one does with its Deployment under little load."""

from headgate_devcluster.kserve.desired import child_meta, replica_bounds
from headgate_devcluster.kserve.names import AUTOSCALER, DEPLOYMENT, predictor
from headgate_devcluster.objects import Object

_DEFAULT_UTILIZATION = 80
_BEHAVIOR = {
    "scaleDown": {"policies": [{"periodSeconds": 15, "type": "Percent", "value": 100}], "selectPolicy": "Max"},
    "scaleUp": {
        "policies": [{"periodSeconds": 15, "type": "Pods", "value": 4}, {"periodSeconds": 15, "type": "Percent", "value": 100}],
        "selectPolicy": "Max",
        "stabilizationWindowSeconds": 0,
    },
}


def autoscaler(isvc: Object) -> Object:
    """The HorizontalPodAutoscaler of the Deployment."""
    part, (least, most) = isvc["spec"]["predictor"], replica_bounds(isvc)
    target = {"type": "Utilization", "averageUtilization": part.get("scaleTarget", _DEFAULT_UTILIZATION)}
    return {
        "apiVersion": AUTOSCALER.api_version,
        "kind": AUTOSCALER.kind,
        "metadata": child_meta(isvc),
        "spec": {
            "scaleTargetRef": {
                "apiVersion": DEPLOYMENT.api_version,
                "kind": DEPLOYMENT.kind,
                "name": predictor(isvc["metadata"]["name"]),
            },
            "minReplicas": least,
            "maxReplicas": most,
            "metrics": [{"type": "Resource", "resource": {"name": part.get("scaleMetric", "cpu"), "target": target}}],
            "behavior": _BEHAVIOR,
        },
    }


def wanted_replicas(scaler: Object, present: int) -> int:
    """As many as there are, within the bounds."""
    return min(max(present, int(scaler["spec"]["minReplicas"])), int(scaler["spec"]["maxReplicas"]))
