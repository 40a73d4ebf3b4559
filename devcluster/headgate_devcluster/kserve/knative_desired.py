"""What KServe and Knative make of an InferenceService in Knative mode. Pure functions.

Left out are the objects in between (Knative's Service, Configuration, Route and Revision, for which no definitions are installed): a
revision is its Deployment and its Service, and the ingress is what Knative's Gateway API ingress makes, HTTPRoutes.
"""

import hashlib
import json
from collections.abc import Iterable

from headgate_devcluster.kserve import desired
from headgate_devcluster.kserve.names import (
    DOMAIN,
    INGRESS_GATEWAY,
    ISVC_LABEL,
    KNATIVE_GENERATION,
    KNATIVE_REVISION,
    KNATIVE_SERVICE,
    STOP_ANNOTATION,
    TAGS_ANNOTATION,
    VISIBILITY_LABEL,
    owned_by,
    predictor,
)
from headgate_devcluster.kserve.revisions import TEMPLATE_ANNOTATION
from headgate_devcluster.objects import HTTP_ROUTE, INGRESS_ANNOTATION, LOCAL_SUFFIX, SERVICE, Kind, Object

# Read by KServe itself; Knative's traffic and everything else that leaves the pods alone.
_NOT_ON_PODS = frozenset({STOP_ANNOTATION, TAGS_ANNOTATION})


def template(isvc: Object, runtime: Object | None) -> Object:
    """The pod template. Replica bounds are annotations on it, so changing them makes a new revision, as changing anything else does."""
    found: Object = desired.deployment(isvc, runtime)["spec"]["template"]
    least, most = desired.replica_bounds(isvc)
    scale = {"autoscaling.knative.dev/min-scale": str(least), "autoscaling.knative.dev/max-scale": str(most)}
    kept = {name: value for name, value in found["metadata"]["annotations"].items() if name not in _NOT_ON_PODS}
    return found | {"metadata": found["metadata"] | {"annotations": kept | scale}}


def digest(made: Object) -> str:
    """What tells templates apart."""
    return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:16]


def revision_deployment(isvc: Object, runtime: Object | None, number: int) -> Object:
    """The Deployment of a new revision, at its least replicas."""
    service = predictor(isvc["metadata"]["name"])
    name = f"{service}-{number:05d}"
    labels = {
        "app": name,
        "component": "predictor",
        ISVC_LABEL: isvc["metadata"]["name"],
        KNATIVE_REVISION: name,
        KNATIVE_SERVICE: service,
        KNATIVE_GENERATION: str(number),
    }
    made = template(isvc, runtime)
    child = desired.deployment(isvc, runtime)
    spec = child["spec"] | {
        "replicas": desired.replica_bounds(isvc)[0],
        "selector": {"matchLabels": {KNATIVE_REVISION: name}},
        "template": made | {"metadata": made["metadata"] | {"labels": made["metadata"]["labels"] | labels}},
    }
    meta = child["metadata"] | {"name": f"{name}-deployment", "labels": labels, "annotations": {TEMPLATE_ANNOTATION: digest(made)}}
    return child | {"metadata": meta, "spec": spec}


def service(isvc: Object, name: str, revision: str) -> Object:
    """A Service in front of one revision's pods."""
    port = {"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080}
    return _child(isvc, SERVICE, name) | {"spec": {"type": "ClusterIP", "selector": {KNATIVE_REVISION: revision}, "ports": [port]}}


def placeholder(isvc: Object, name: str) -> Object:
    """The Service that gives a cluster-local name to what the ingress serves."""
    gateway = f"{INGRESS_GATEWAY['name']}.{INGRESS_GATEWAY['namespace']}{LOCAL_SUFFIX}"
    return _child(isvc, SERVICE, name) | {"spec": {"type": "ExternalName", "externalName": gateway, "ports": [{"port": 80}]}}


def route(isvc: Object, name: str, hosts: Iterable[str], shares: Iterable[tuple[str, int]]) -> Object:
    """The HTTPRoute from host names to revisions; a request carries the name of the revision it goes to."""
    rule = {"backendRefs": [_backend(revision, percent) for revision, percent in shares if percent]}
    found = _child(isvc, HTTP_ROUTE, name)
    found["metadata"]["annotations"] = {INGRESS_ANNOTATION: "Knative"}
    return found | {"spec": {"parentRefs": [INGRESS_GATEWAY], "hostnames": list(hosts), "rules": [rule]}}


def hosts(isvc: Object, *names: str) -> list[str]:
    """The host names under which `names` are reached, those outside the cluster only if the InferenceService is public."""
    namespace = isvc["metadata"]["namespace"]
    inside = [f"{name}.{namespace}{LOCAL_SUFFIX}" for name in names]
    if isvc["metadata"].get("labels", {}).get(VISIBILITY_LABEL) == "cluster-local":
        return inside
    return [f"{name}.{namespace}.{DOMAIN}" for name in names] + inside


def _child(isvc: Object, kind: Kind, name: str) -> Object:
    labels = {ISVC_LABEL: isvc["metadata"]["name"], KNATIVE_SERVICE: predictor(isvc["metadata"]["name"])}
    meta = {"name": name, "namespace": isvc["metadata"]["namespace"], "labels": labels, "ownerReferences": owned_by(isvc)}
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": meta}


def _backend(revision: str, percent: int) -> Object:
    stamp = {"set": [{"name": "Knative-Serving-Revision", "value": revision}]}
    filters = [{"type": "RequestHeaderModifier", "requestHeaderModifier": stamp}]
    return {"group": "", "kind": "Service", "name": revision, "port": 80, "weight": percent, "filters": filters}
