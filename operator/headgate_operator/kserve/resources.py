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
TAGS_ANNOTATION: Final = "serving.kserve.io/enable-tag-routing"
"""Gives Knative's latest ready revision an address of its own, also without traffic."""
KNATIVE_REVISION_LABEL: Final = "serving.knative.dev/revision"
KNATIVE_SERVICE_LABEL: Final = "serving.knative.dev/service"
"""Knative's labels on the Deployments of its revisions, the first one also on their pods."""
VISIBILITY_LABEL: Final = "networking.kserve.io/visibility"
SOURCE_URI_ANNOTATION: Final = "internal.serving.kserve.io/storage-initializer-sourceuri"
"""KServe's annotation on the pod template: the model it will load."""
