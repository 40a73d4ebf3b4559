"""Names that KServe and Kubernetes gave: kinds, labels, annotations."""

from headgate_devcluster.objects import Kind, Object

INFERENCE_SERVICE = Kind("serving.kserve.io/v1beta1", "InferenceService", "inferenceservices")
RUNTIME = Kind("serving.kserve.io/v1alpha1", "ServingRuntime", "servingruntimes")
CLUSTER_RUNTIME = Kind("serving.kserve.io/v1alpha1", "ClusterServingRuntime", "clusterservingruntimes")
DEPLOYMENT = Kind("apps/v1", "Deployment", "deployments")
AUTOSCALER = Kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")

OWN_PREFIX = "devcluster.headgate.dev/"
"""Of annotations that only the devcluster knows."""

CONTAINER = "kserve-container"
AGENT_CONTAINER = "agent"
MODEL_FOLDER = "/mnt/models"
FINALIZER = "inferenceservice.finalizers"
ISVC_LABEL = "serving.kserve.io/inferenceservice"
AUTOSCALER_ANNOTATION = "serving.kserve.io/autoscalerClass"
MODE_ANNOTATION = "serving.kserve.io/deploymentMode"
STOP_ANNOTATION = "serving.kserve.io/stop"
SOURCE_ANNOTATION = "internal.serving.kserve.io/storage-initializer-sourceuri"
VISIBILITY_LABEL = "networking.kserve.io/visibility"
TAGS_ANNOTATION = "serving.kserve.io/enable-tag-routing"
REVISION_ANNOTATION = "deployment.kubernetes.io/revision"
TEMPLATE_ANNOTATION = "devcluster.headgate.dev/template-hash"
TEMPLATE_HASH_LABEL = "pod-template-hash"
LAST_APPLIED_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"

KNATIVE_REVISION = "serving.knative.dev/revision"
KNATIVE_SERVICE = "serving.knative.dev/service"
KNATIVE_GENERATION = "serving.knative.dev/configurationGeneration"

INGRESS_GATEWAY = {"name": "kserve-ingress-gateway", "namespace": "kserve"}
"""The gateway that KServe's settings name for its own routes."""

DOMAIN = "example.com"
"""Of the addresses outside the cluster."""

POD_FINALIZER = "devcluster.headgate.dev/kubelet"
"""Keeps a deleted Pod in the API until its process has ended, as the real kubelet does with a grace period."""

KSERVE_MANAGER = "kserve-controller-manager"
KUBELET_MANAGER = "devcluster-kubelet"


def predictor(isvc: str) -> str:
    """The name of the Deployment and the Service of an InferenceService."""
    return f"{isvc}-predictor"


def owned_by(owner: Object) -> list[Object]:
    """An owner reference to a controller, as KServe and Kubernetes write it."""
    meta = owner["metadata"]
    return [
        {
            "apiVersion": owner["apiVersion"],
            "kind": owner["kind"],
            "name": meta["name"],
            "uid": meta["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
