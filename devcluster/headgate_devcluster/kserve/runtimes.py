"""Which ServingRuntime an InferenceService's model runs on."""

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.kserve.names import CLUSTER_RUNTIME, RUNTIME
from headgate_devcluster.objects import Object


class RuntimeMissingError(Exception):
    """The InferenceService's model has no runtime; `reason` is KServe's word for it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


async def runtime_of(api: ApiClient, isvc: Object) -> Object | None:
    """The runtime of the model, one of the namespace before the cluster's; None if the predictor brings its own containers.

    Raises:
        RuntimeMissingError: there is none that may be used.
    """
    model = isvc["spec"]["predictor"].get("model")
    if model is None:
        return None
    name = model.get("runtime")
    if not name:
        raise RuntimeMissingError("NoSupportingRuntime", "No runtime is named, and the devcluster does not choose one by model format")
    own = await api.get(RUNTIME.api_version, RUNTIME.plural, isvc["metadata"]["namespace"], name)
    found: Object | None = own or await api.get(CLUSTER_RUNTIME.api_version, CLUSTER_RUNTIME.plural, None, name)
    if found is None:
        raise RuntimeMissingError("RuntimeNotRecognized", "Waiting for runtime to become available")
    if found["spec"].get("disabled"):
        raise RuntimeMissingError("RuntimeDisabled", "Specified runtime is disabled")
    return found
