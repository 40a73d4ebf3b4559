"""Where KServe's and the Gateway API's kinds live, and the words of theirs that we write or read."""

from typing import Final

ISVC_API: Final = "serving.kserve.io/v1beta1"
ISVC_KIND: Final = "InferenceService"
RUNTIME_API: Final = "serving.kserve.io/v1alpha1"
RUNTIME_KIND: Final = "ServingRuntime"
ROUTE_API: Final = "gateway.networking.k8s.io/v1"
ROUTE_KIND: Final = "HTTPRoute"

ISVC_LABEL: Final = "serving.kserve.io/inferenceservice"
"""KServe's label on the pods of an InferenceService."""
MODE_ANNOTATION: Final = "serving.kserve.io/deploymentMode"
VISIBILITY_LABEL: Final = "networking.kserve.io/visibility"
SOURCE_URI_ANNOTATION: Final = "internal.serving.kserve.io/storage-initializer-sourceuri"
"""KServe's annotation on the pod template: the model it will load."""
