"""What a revision's InferenceService and runtime copy look like: rendered once, pinned in status, and never rendered again.

KServe copies labels and annotations onto pods, so a later release that rendered one label more would restart every model. Nothing here may
depend on what changes during a revision's life: replica bounds, roles, owners.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from headgate_operator.api.names import OWNER_LABEL, PARITY_HEADER, REVISION_ANNOTATION
from headgate_operator.api.spec import ModelDeploymentSpec, Predictor, ServingMode
from headgate_operator.api.status import Rendered
from headgate_operator.kserve.names import knative_name
from headgate_operator.kserve.resources import (
    ISVC_API,
    ISVC_KIND,
    MODE_ANNOTATION,
    RUNTIME_API,
    RUNTIME_KIND,
    TAGS_ANNOTATION,
    VISIBILITY_LABEL,
)

_MODEL_NAME_ENV = "MLSERVER_MODEL_NAME"


def render(
    spec: ModelDeploymentSpec,
    *,
    uri: str,
    name: str,
    namespace: str,
    isvc: str,
    revision: str,
    runtime: Mapping[str, Any],
    events: str | None = None,
) -> Rendered:
    """Return the pinned children of a revision.

    Args:
        spec: The manifest's spec.
        uri: Storage URI of the model, resolved if the manifest names an alias.
        name: The ModelDeployment's name.
        namespace: Its namespace, where the children live too.
        isvc: The name of both children (names.child_name); in Knative mode only of the runtime copy, for there is one InferenceService.
        revision: The revision's id.
        runtime: The ServingRuntime or ClusterServingRuntime that the manifest names, as it is in the cluster now.
        events: Where copies of requests and answers are sent. None to send none: KServe's agent would sit in the request path.
    """
    predictor = {"model": _model(spec, uri, spec.model.model_name or name, isvc, runtime), **_pod(spec.predictor), **_logger(spec, events)}
    return Rendered(
        inference_service={
            "apiVersion": ISVC_API,
            "kind": ISVC_KIND,
            "metadata": {"name": isvc, "namespace": namespace, **_identity(spec, name, namespace, revision)},
            "spec": {"predictor": predictor},
        },
        serving_runtime=_serving_runtime(name=name, namespace=namespace, isvc=isvc, runtime=runtime),
    )


def _identity(spec: ModelDeploymentSpec, name: str, namespace: str, revision: str) -> dict[str, Any]:
    """Return the metadata in which the modes differ."""
    given, mode = spec.predictor, {MODE_ANNOTATION: spec.serving.mode.value}
    labels, annotations = {**(given.labels or {}), OWNER_LABEL: name}, {**(given.annotations or {}), **mode}
    if spec.serving.mode is ServingMode.KNATIVE:
        marks = {REVISION_ANNOTATION: revision, TAGS_ANNOTATION: "true"}
        return {"name": knative_name(name, namespace), "labels": labels, "annotations": {**annotations, **marks}}
    # cluster-local: or KServe would make a route of its own to this version
    return {"labels": {**labels, VISIBILITY_LABEL: "cluster-local"}, "annotations": annotations}


def _pod(predictor: Predictor) -> dict[str, Any]:
    """Return the pod settings that the manifest sets, under KServe's names."""
    settings = {
        "serviceAccountName": predictor.service_account_name,
        "nodeSelector": predictor.node_selector,
        "tolerations": predictor.tolerations,
        "affinity": predictor.affinity,
        "containerConcurrency": predictor.container_concurrency,
    }
    return deepcopy({name: value for name, value in settings.items() if value is not None})


def _logger(spec: ModelDeploymentSpec, events: str | None) -> dict[str, Any]:
    if events is None:
        return {}
    join_on = spec.ground_truth.join_on if spec.ground_truth is not None else "x-request-id"
    headers = [_as_go_spells(header) for header in (join_on, PARITY_HEADER)]
    return {"logger": {"mode": "all", "url": events, "metadataHeaders": headers}}


def _as_go_spells(header: str) -> str:
    """Return the one spelling of a header that KServe's agent knows: `X-Request-Id`."""
    return "-".join(part.capitalize() for part in header.split("-"))


def _model(spec: ModelDeploymentSpec, uri: str, model_name: str, isvc: str, runtime: Mapping[str, Any]) -> dict[str, Any]:
    """Return the predictor's model; the request path carries `model_name`, the same for every version."""
    args = list(spec.predictor.args or ())
    env = [deepcopy(entry) for entry in spec.predictor.env or ()]
    if _takes_model_name_argument(runtime):
        args.append(f"--model_name={model_name}")  # after the runtime's own: KServe concatenates, and servers take the last
    if _is_mlserver(runtime):
        env = [entry for entry in env if entry.get("name") != _MODEL_NAME_ENV] + [{"name": _MODEL_NAME_ENV, "value": model_name}]
    model: dict[str, Any] = {
        "modelFormat": spec.model.format.model_dump(exclude_none=True),
        "runtime": isvc,
        "protocolVersion": spec.protocol.value,
        "storageUri": uri,
    }
    optional = {"args": args, "env": env, "resources": deepcopy(spec.predictor.resources)}
    return model | {key: value for key, value in optional.items() if value}


def _takes_model_name_argument(runtime: Mapping[str, Any]) -> bool:
    """KServe's own servers and ours name the model on the command line; an unknown server would not start with an unknown argument."""
    arguments = (argument for container in _containers(runtime) for argument in (*container.get("command", ()), *container.get("args", ())))
    return any("--model_name" in argument for argument in arguments)


def _is_mlserver(runtime: Mapping[str, Any]) -> bool:
    names = (entry.get("name", "") for container in _containers(runtime) for entry in container.get("env", ()))
    return any(name.startswith("MLSERVER_") for name in names)


def _containers(runtime: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(runtime.get("spec", {}).get("containers", ()))


def _serving_runtime(*, name: str, namespace: str, isvc: str, runtime: Mapping[str, Any]) -> dict[str, Any]:
    """Return the copy of the runtime, which nobody's InferenceService may select by itself: KServe prefers those of the namespace."""
    spec = deepcopy(dict(runtime["spec"]))
    for supported in spec.get("supportedModelFormats", ()):
        supported.pop("priority", None)
        supported["autoSelect"] = False
    annotations = {key: value for key, value in runtime["metadata"].get("annotations", {}).items() if key.startswith("serving.kserve.io/")}
    metadata: dict[str, Any] = {"name": isvc, "namespace": namespace, "labels": {OWNER_LABEL: name}}
    if annotations:
        metadata["annotations"] = annotations
    return {"apiVersion": RUNTIME_API, "kind": RUNTIME_KIND, "metadata": metadata, "spec": spec}
