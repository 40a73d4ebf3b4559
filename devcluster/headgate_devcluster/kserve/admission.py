"""What KServe's admission webhooks refuse, in KServe's words, as recorded: pure functions.

They accept more than one would think: an unknown model format, a `models:/` URI, a name too long for its children. Those are never ready.
"""

from collections.abc import Callable

from headgate_devcluster.apiserver.admission import Denial, Webhooks
from headgate_devcluster.kserve.names import AUTOSCALER_ANNOTATION, MODE_ANNOTATION
from headgate_devcluster.objects import Object

_DEFAULTER = "inferenceservice.kserve-webhook-server.defaulter"
_VALIDATOR = "inferenceservice.kserve-webhook-server.validator"
_FRAMEWORKS = ("sklearn", "xgboost", "tensorflow", "pytorch", "triton", "onnx", "huggingface", "pmml", "lightgbm", "paddle", "model")
_LOGGER_MODES = ("all", "request", "response")
_UTILIZATION_METRICS = ("cpu", "memory")

_PANIC = "panic: runtime error: index out of range [0] with length 0 [recovered]"
_NOT_ONE = (
    "exactly one of [Name, SKLearn, XGBoost, Tensorflow, PyTorch, Triton, ONNX, HuggingFace, PMML, LightGBM, Paddle, Model, StorageUris, "
    "StorageContainerName, WorkerSpec, PodSpec] must be specified in PredictorSpec"
)


def admission(isvc: Object, old: Object | None) -> Denial | None:
    """Say why KServe refuses an InferenceService; None if it takes it."""
    if not _implementations(isvc):
        return Denial(_DEFAULTER, _PANIC, code=500)
    said = next(filter(None, (rule(isvc) for rule in _RULES)), "") or _of_change(isvc, old)
    return Denial(_VALIDATOR, said) if said else None


WEBHOOKS: Webhooks = {("serving.kserve.io", "InferenceService"): admission}


def _predictor(isvc: Object) -> Object:
    part: Object = (isvc.get("spec") or {}).get("predictor") or {}
    return part


def _implementations(isvc: Object) -> list[str]:
    return [name for name in (*_FRAMEWORKS, "containers") if _predictor(isvc).get(name)]


def _one_implementation(isvc: Object) -> str:
    return _NOT_ONE if len(_implementations(isvc)) > 1 else ""


def _replicas(isvc: Object) -> str:
    part = _predictor(isvc)
    least, most = part.get("minReplicas") or 0, part.get("maxReplicas") or 0
    return "'MinReplicas' cannot be greater than MaxReplicas" if most and least > most else ""


def _logger(isvc: Object) -> str:
    mode = (_predictor(isvc).get("logger") or {}).get("mode", "all")
    return "" if mode in _LOGGER_MODES else "invalid logger type"


def _autoscaler(isvc: Object) -> str:
    """Only where the class is written out: KServe leaves its default unchecked."""
    annotations, part = isvc["metadata"].get("annotations") or {}, _predictor(isvc)
    if (annotations.get(MODE_ANNOTATION), annotations.get(AUTOSCALER_ANNOTATION)) != ("Standard", "hpa"):
        return ""
    metric, target = part.get("scaleMetric", "cpu"), part.get("scaleTarget")
    if metric not in _UTILIZATION_METRICS:
        return f"[{metric}] is not a supported metric"
    if target is not None and not 1 <= target <= 100:
        return "the target utilization percentage should be a [1-100] integer"
    return ""


def _canary(isvc: Object) -> str:
    if (isvc["spec"].get("canary") or []) and not _predictor(isvc).get("model"):
        return "canary requires a stable predictor with a model (multi-model serving is not supported with canary)"
    return ""


def _of_change(isvc: Object, old: Object | None) -> str:
    before = ((old or {}).get("status") or {}).get("deploymentMode")
    wanted = (isvc["metadata"].get("annotations") or {}).get(MODE_ANNOTATION, before)
    if before and wanted != before:
        return f"update rejected: deploymentMode cannot be changed from '{before}' to '{wanted}'"
    return ""


_RULES: tuple[Callable[[Object], str], ...] = (_one_implementation, _replicas, _logger, _autoscaler, _canary)
