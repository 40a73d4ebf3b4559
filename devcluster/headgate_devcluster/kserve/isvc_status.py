"""The status KServe writes on an InferenceService, lies included: pure functions, as recorded.

`Ready` follows the Deployment's Available condition, so it stays True while new pods fail to start; `observedGeneration` is the
Deployment's; `modelStatus` knows only whether some pod is ready; `components.predictor.url` and the active state are never taken back.
"""

from collections.abc import Sequence

from headgate_devcluster.kserve.names import DOMAIN, predictor
from headgate_devcluster.objects import Object, is_ready


def serving(isvc: Object, deployment: Object, pods: Sequence[Object], now: str) -> Object:
    """The status while the InferenceService is meant to run."""
    before, meta = isvc.get("status") or {}, isvc["metadata"]
    name, namespace = meta["name"], meta["namespace"]
    found = predictor_condition(deployment)
    ready = found["status"] == "True"
    conditions = [
        {"type": "IngressReady", "status": "True"},
        {"type": "PredictorReady", **found},
        {"type": "Ready", "status": "True"} if ready else {"type": "Ready", **found},
        {"type": "Stopped", "status": "False", "severity": "Info"},
    ]
    address = {"url": f"http://{predictor(name)}-{namespace}.{DOMAIN}"}
    status: Object = {
        "address": {"url": f"http://{predictor(name)}.{namespace}.svc.cluster.local"},
        "components": {"predictor": address if ready else before.get("components", {}).get("predictor", {})},
        "conditions": stamped(conditions, before, now),
        "deploymentMode": "Standard",
        "modelStatus": _model_status(before.get("modelStatus", {}), ready, pods),
        "url": f"http://{name}-{namespace}.{DOMAIN}",
    }
    if observed := deployment.get("status", {}).get("observedGeneration"):
        status["observedGeneration"] = observed
    return status


def stopped(isvc: Object, mode: str, now: str) -> Object:
    """The status while the stop annotation is set: nearly everything vanishes."""
    conditions = [
        {"type": "PredictorReady", "status": "False", "reason": "Stopped"},
        {"type": "Ready", "status": "False", "reason": "Stopped"},
        {"type": "Stopped", "status": "True", "severity": "Info"},
    ]
    return {
        "conditions": stamped(conditions, isvc.get("status") or {}, now),
        "deploymentMode": mode,
        "modelStatus": {"transitionStatus": ""},
    }


def invalid(isvc: Object, mode: str, reason: str, message: str) -> Object:
    """The status when no runtime can be found: accepted, and never becoming ready."""
    return (isvc.get("status") or {}) | {
        "deploymentMode": mode,
        "modelStatus": {
            "lastFailureInfo": {"reason": reason, "message": message},
            "states": {"activeModelState": "", "targetModelState": "FailedToLoad"},
            "transitionStatus": "InvalidSpec",
        },
    }


def predictor_condition(deployment: Object) -> dict[str, str]:
    """What PredictorReady says, without its type and time: a Deployment that is not available wins over one that makes progress."""
    conditions = {entry["type"]: entry for entry in deployment.get("status", {}).get("conditions", [])}
    available = conditions.get("Available")
    if available is None:
        return {"status": "False"}
    source = available
    if available["status"] == "True" and conditions.get("Progressing", {}).get("reason") == "NewReplicaSetAvailable":
        source = conditions["Progressing"]
    return {"status": available["status"], "reason": source["reason"], "message": source["message"]}


def load_failure(pod: Object) -> Object | None:
    """What KServe takes for a failed load. Of pods it watches the init containers only, so a server that crashes is told by nobody."""
    for container in pod.get("status", {}).get("initContainerStatuses", ()):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") == "CrashLoopBackOff":
            return {"reason": "ModelLoadFailed", "message": waiting.get("message", "")}
    return None


def _model_status(before: Object, ready: bool, pods: Sequence[Object]) -> Object:
    ready_pods = sum(map(is_ready, pods))
    failure = {key: value for key, value in before.items() if key == "lastFailureInfo"}  # never cleared
    if ready and ready_pods:
        return failure | {
            "copies": {"failedCopies": 0, "totalCopies": ready_pods},
            "states": {"activeModelState": "Loaded", "targetModelState": "Loaded"},
            "transitionStatus": "UpToDate",
        }
    if ready_pods and before.get("states"):
        return before
    active = before.get("states", {}).get("activeModelState", "")
    if found := next(filter(None, map(load_failure, pods[:1])), None):  # of one pod, whichever comes first
        return {
            "copies": {"failedCopies": 0},
            "lastFailureInfo": found,
            "states": {"activeModelState": active, "targetModelState": "FailedToLoad"},
            "transitionStatus": "BlockedByFailedLoad",
        }
    return failure | {
        "copies": {"failedCopies": 0},
        "states": {"activeModelState": active, "targetModelState": "Pending"},
        "transitionStatus": "InProgress",
    }


def stamped(conditions: list[dict[str, str]], before: Object, now: str) -> list[dict[str, str]]:
    """Conditions with their times. Knative's rule, which KServe uses: the time moves when anything in one does, not only its status."""
    found = []
    for condition in conditions:
        old: Object = next((entry for entry in before.get("conditions", []) if entry["type"] == condition["type"]), {})
        same = {key: value for key, value in old.items() if key != "lastTransitionTime"} == condition
        found.append({"lastTransitionTime": old["lastTransitionTime"] if same else now, **condition})
    return found
