"""The truth about a version, read from three places, because none tells it alone (recorded from a real KServe controller).

The InferenceService's Ready stays True through a failing update, flaps while an autoscaler works, and knows nothing of a missing image;
its observedGeneration is the Deployment's. So: the Deployment for what is rolled out and available, the pods for why not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from headgate_operator.api.spec import ServingMode
from headgate_operator.api.status import Rendered
from headgate_operator.kserve.children import Owner
from headgate_operator.kserve.names import latest_host, predictor_host
from headgate_operator.kserve.resources import MODE_ANNOTATION, SOURCE_URI_ANNOTATION

_LONGEST_REASON = 400


@dataclass(frozen=True, kw_only=True)
class ServiceState:
    """One InferenceService and what runs for it."""

    name: str
    ours: bool
    deleting: bool
    min_replicas: int
    """predictor.minReplicas on the live object; KServe's default is 1."""
    available_replicas: int
    isvc_ready: bool
    rolled_out: bool
    """The Deployment's newest generation was seen by its controller, and its pods load the model that the InferenceService names."""
    not_ready: str
    """Why it is not ready, in words; empty if it is, or if nothing is known."""
    restarts: int
    """Container restarts over all its pods."""
    elastic: bool = False
    """Knative mode: replicas are added as requests come."""
    asleep: bool = False
    """Knative mode: its replicas were taken because nobody asks; it wakes with the next request."""


def read_service(
    isvc: Mapping[str, Any], *, deployment: Mapping[str, Any] | None, pods: Sequence[Mapping[str, Any]], owner: Owner
) -> ServiceState:
    """Return the state of a version from its InferenceService, its Deployment (if there is one yet) and its pods."""
    ready = condition(isvc, "Ready")
    is_ready = ready.get("status") == "True"
    current = deployment is not None and rolled_out(deployment, model_uri(isvc))
    return ServiceState(
        name=isvc["metadata"]["name"],
        ours=owner.owns(dict(isvc)),
        deleting="deletionTimestamp" in isvc["metadata"],
        min_replicas=isvc.get("spec", {}).get("predictor", {}).get("minReplicas", 1),
        available_replicas=(deployment or {}).get("status", {}).get("availableReplicas", 0),
        isvc_ready=is_ready,
        rolled_out=current,
        not_ready="" if is_ready and current else explanation(isvc, deployment, pods),
        restarts=restarts(pods),
    )


def restarts(pods: Sequence[Mapping[str, Any]]) -> int:
    """Return the container restarts over all pods."""
    return sum(status.get("restartCount", 0) for pod in pods for status in _containers(pod))


def condition(obj: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """Return an object's condition of that type, or an empty one."""
    return next((entry for entry in obj.get("status", {}).get("conditions", ()) if entry.get("type") == kind), {})


def predictor_address(isvc: Mapping[str, Any] | None, *, name: str, namespace: str) -> str:
    """Return where a version is asked inside of the cluster, without a path: as KServe says, else its Service on port 80.

    With headless Services KServe names the pods' port. Only a host of the version's own is believed.
    """
    host = predictor_host(name, namespace)
    try:
        told = urlsplit(((isvc or {}).get("status", {}).get("address") or {}).get("url") or "")
    except ValueError:
        return f"http://{host}"
    if told.scheme in ("http", "https") and told.hostname == host and told.username is None:
        return f"{told.scheme}://{told.netloc}"
    return f"http://{host}"


def candidate_host(rendered: Rendered, namespace: str) -> str:
    """Return the cluster-local host name at which a candidate can be asked before it has traffic."""
    metadata = rendered.inference_service["metadata"]
    knative = metadata.get("annotations", {}).get(MODE_ANNOTATION) == ServingMode.KNATIVE
    return (latest_host if knative else predictor_host)(metadata["name"], namespace)


def model_uri(isvc: Mapping[str, Any]) -> str | None:
    """Return the URI of the model that an InferenceService names."""
    uri: str | None = isvc.get("spec", {}).get("predictor", {}).get("model", {}).get("storageUri")
    return uri


def rolled_out(deployment: Mapping[str, Any], uri: str | None) -> bool:
    """Whether a Deployment's newest generation was seen by its controller, and its pods load that model."""
    current = deployment.get("status", {}).get("observedGeneration", 0) >= deployment["metadata"].get("generation", 1)
    return bool(current and uri is not None and uri in _loaded_uris(deployment))


def _loaded_uris(deployment: Mapping[str, Any]) -> set[str]:
    """Return what the pod template says it loads: KServe's annotation, or an argument of its storage initializer."""
    template = deployment.get("spec", {}).get("template", {})
    annotated = template.get("metadata", {}).get("annotations", {}).get(SOURCE_URI_ANNOTATION)
    initializers = template.get("spec", {}).get("initContainers", ())
    arguments = {argument for container in initializers for argument in container.get("args", ())}
    return arguments | {annotated} if annotated else arguments


def explanation(isvc: Mapping[str, Any], deployment: Mapping[str, Any] | None, pods: Sequence[Mapping[str, Any]]) -> str:
    """Return the most telling reason there is: what a pod says, else KServe's failure, else the conditions."""
    sources = (_pod_reasons(pods), _failure(isvc), _not_there(deployment), _condition_words(isvc))
    first = next((reason for reasons in sources for reason in reasons if reason), "")
    return first if len(first) <= _LONGEST_REASON else f"{first[: _LONGEST_REASON - 1]}…"


def _pod_reasons(pods: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for pod in pods:
        name = pod["metadata"]["name"]
        for container in _containers(pod):
            yield from _container_reasons(name, container)
        scheduled = condition(pod, "PodScheduled")
        if scheduled.get("status") == "False":
            yield _said(f"pod {name} cannot be scheduled", scheduled.get("message", ""))


def _container_reasons(pod: str, container: Mapping[str, Any]) -> Iterator[str]:
    waiting = container.get("state", {}).get("waiting", {})
    ended = container.get("state", {}).get("terminated") or container.get("lastState", {}).get("terminated") or {}
    where = f"container {container.get('name')} of pod {pod}"
    if ended.get("exitCode", 0) != 0:
        detail = ended.get("message") or ended.get("reason") or ""
        yield _said(f"{where} ended with exit code {ended['exitCode']}, restarted {container.get('restartCount', 0)} times", detail)
    if waiting.get("reason") not in {None, "ContainerCreating", "PodInitializing"}:
        yield _said(f"{where} waits: {waiting['reason']}", waiting.get("message", ""))


def _failure(isvc: Mapping[str, Any]) -> Iterator[str]:
    """KServe never clears lastFailureInfo, so it counts only while the model is not up to date."""
    model = isvc.get("status", {}).get("modelStatus", {})
    failure = model.get("lastFailureInfo", {})
    if failure and model.get("transitionStatus") != "UpToDate":
        yield _said(f"KServe: {failure.get('reason', 'failure')}", failure.get("message", ""))


def _not_there(deployment: Mapping[str, Any] | None) -> Iterator[str]:
    if deployment is None:
        yield "KServe has not created its Deployment yet"


def _condition_words(isvc: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("PredictorReady", "Ready"):
        entry = condition(isvc, kind)
        if entry.get("status") != "True" and entry.get("reason"):
            yield _said(f"{kind}: {entry['reason']}", entry.get("message", ""))


def _said(what: str, detail: str) -> str:
    return f"{what}: {' '.join(detail.split())}" if detail.strip() else what


def _containers(pod: Mapping[str, Any]) -> list[dict[str, Any]]:
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
