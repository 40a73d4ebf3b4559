"""The kinds of objects the controller reads and writes."""

from typing import Final

from headgate_operator.api.names import GROUP, KIND, PLURAL, VERSION
from headgate_operator.kube.protocol import Resource

MODEL_DEPLOYMENTS: Final = Resource(GROUP, VERSION, PLURAL, KIND)
INFERENCE_SERVICES: Final = Resource("serving.kserve.io", "v1beta1", "inferenceservices", "InferenceService")
SERVING_RUNTIMES: Final = Resource("serving.kserve.io", "v1alpha1", "servingruntimes", "ServingRuntime")
CLUSTER_SERVING_RUNTIMES: Final = Resource("serving.kserve.io", "v1alpha1", "clusterservingruntimes", "ClusterServingRuntime")
HTTP_ROUTES: Final = Resource("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")
DEPLOYMENTS: Final = Resource("apps", "v1", "deployments", "Deployment")
PODS: Final = Resource("", "v1", "pods", "Pod")
CONFIG_MAPS: Final = Resource("", "v1", "configmaps", "ConfigMap")
CRDS: Final = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition")
