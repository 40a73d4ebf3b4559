"""The revision a manifest asks for: its id, its names and its pinned rendering, or why it cannot be started."""

from collections.abc import Mapping
from typing import Any

from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import ModelDeploymentSpec
from headgate_operator.api.status import Candidate, HistoryEntry, ModelDeploymentStatus, Rendered
from headgate_operator.controller.monitoring import monitor_url
from headgate_operator.controller.resources import CLUSTER_SERVING_RUNTIMES, SERVING_RUNTIMES
from headgate_operator.controller.rule_check import RuleCheck
from headgate_operator.kserve.names import NamespaceTooLongError, child_name
from headgate_operator.kserve.render import render
from headgate_operator.kube.protocol import KubeApi, Object
from headgate_operator.rollout.observed import Wanted
from headgate_operator.rollout.resolve import resolve
from headgate_operator.rollout.revision import revision_id, revision_inputs, same
from headgate_operator.rollout.upstream import RegistryReport


async def read_wanted(
    api: KubeApi, obj: Object, spec: ModelDeploymentSpec, status: ModelDeploymentStatus, *,
    rules: RuleCheck, monitor: str | None, registry: RegistryReport | None,
) -> Wanted:  # fmt: skip
    """Return the wanted revision. The serving runtime is read only if the revision was never rendered before."""
    name, namespace = obj["metadata"]["name"], obj["metadata"]["namespace"]
    model = resolve(spec.model, status.registry, registry)
    uri, problem = model.uri, model.problem or rules.problem(obj)
    inputs = revision_inputs(spec, uri=uri)
    id_ = revision_id(inputs)
    try:
        isvc = child_name(name, id_, namespace)
    except NamespaceTooLongError as error:
        isvc, problem = name, (Reason.INVALID_SPEC, str(error))
    rendered = None if problem else _pinned(status, id_, inputs, name)
    if rendered is None and problem is None:
        runtime = await _runtime(api, namespace, spec.model.runtime)
        if runtime is None:
            problem = (Reason.RUNTIME_MISSING, _missing(spec.model.runtime, namespace))
        else:
            events = events_url(monitor, spec, name=name, namespace=namespace, revision=id_)
            rendered = render(spec, uri=uri, name=name, namespace=namespace, isvc=isvc, revision=id_, runtime=runtime, events=events)
    return Wanted(
        id=id_, inputs=inputs, model_uri=uri, version=model.version, isvc=isvc, rendered=rendered, problem=problem,
        registry_version=model.version if model.from_registry else None,
    )  # fmt: skip


def events_url(monitor: str | None, spec: ModelDeploymentSpec, *, name: str, namespace: str, revision: str) -> str | None:
    """Return where KServe's agent sends copies of requests and answers; None if nobody wants them."""
    return f"{monitor_url(monitor, namespace)}/v1/events/{name}/{revision}" if monitor and spec.observes_payloads else None


def _pinned(status: ModelDeploymentStatus, id_: str, inputs: Mapping[str, Any], name: str) -> Rendered | None:
    known: list[Candidate | HistoryEntry] = [*([status.candidate] if status.candidate else []), *status.history]
    return next((one.rendered for one in known if one.id == id_ or same(one.inputs, inputs, name=name)), None)


async def _runtime(api: KubeApi, namespace: str, name: str) -> Object | None:
    """Return the runtime as KServe would find it: the namespace's own first."""
    return await api.get(SERVING_RUNTIMES, namespace, name) or await api.get(CLUSTER_SERVING_RUNTIMES, None, name)


def _missing(runtime: str, namespace: str) -> str:
    return f"there is neither a ServingRuntime {runtime} in namespace {namespace} nor a ClusterServingRuntime of that name; create one"
