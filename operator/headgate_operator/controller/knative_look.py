"""What is observed in Knative mode: one InferenceService and the Deployments of its revisions, told as versions and a route."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from headgate_operator.api.status import ModelDeploymentStatus, Pinned
from headgate_operator.controller.children import Children, read_children
from headgate_operator.controller.inventory import Inventory
from headgate_operator.controller.knative_route import traffic_as_route
from headgate_operator.controller.resources import DEPLOYMENTS, PODS
from headgate_operator.kserve.children import Owner, pinned_form
from headgate_operator.kserve.knative import KnativeState, by_revision, read_revision, read_state
from headgate_operator.kserve.names import NamespaceTooLongError, knative_name, predictor_name
from headgate_operator.kserve.resources import KNATIVE_REVISION_LABEL, KNATIVE_SERVICE_LABEL
from headgate_operator.kube.protocol import KubeApi, Object
from headgate_operator.rollout.mend import ROLES
from headgate_operator.rollout.observed import Observed, Route, Service, Subject
from headgate_operator.rollout.revision import recognise


@dataclass(frozen=True, kw_only=True)
class KnativeLook:
    """What was seen."""

    children: Children
    state: KnativeState | None
    """None if there is no InferenceService of ours."""
    route: Route | None
    services: Mapping[str, Service]
    """By the versions' own names, under which the engine knows them."""
    url: str | None
    unowned: KnativeState | None = None
    """What an InferenceService of our name says that is not ours: it may be one that an earlier ModelDeployment left."""


def service_name(subject: Subject) -> str:
    """Return the name of the InferenceService; in a namespace that is too long for any, where no revision starts, the subject's."""
    try:
        return knative_name(subject.name, subject.namespace)
    except NamespaceTooLongError:
        return subject.name


async def look(api: KubeApi, inventory: Inventory, observed: Observed) -> KnativeLook:
    """Read everything that Knative mode is decided from, but metrics and parity."""
    subject, status, name = observed.subject, observed.status, service_name(observed.subject)
    children, deployments = await asyncio.gather(
        read_children(api, inventory, (subject.namespace, subject.name), {name, *(version.isvc for version in _roles(status))}),
        api.list(DEPLOYMENTS, subject.namespace, label_selector=f"{KNATIVE_SERVICE_LABEL}={predictor_name(name)}"),
    )
    isvc = children.services.get(name)
    if isvc is None:
        return KnativeLook(children=children, state=None, route=None, services={}, url=None)
    owner, state = Owner(subject.name, subject.uid), read_state(isvc, deployments)
    if not owner.owns(isvc):
        taken = Service(name=name, ours=False)
        services = dict.fromkeys((recognise(observed).isvc, *(version.isvc for version in _roles(status))), taken)
        return KnativeLook(children=children, state=None, route=None, services=services, url=None, unowned=state)
    route = traffic_as_route(state, status, subject, damaged=bool(observed.damaged & ROLES))
    versions = {version.id: version.isvc for version in _roles(status)} or _restorable(route)
    found = await asyncio.gather(
        *(_service(api, id_, isvc=isvc, state=state, deployments=by_revision(deployments), owner=owner, status=status) for id_ in versions)
    )
    services = {
        version: _with_live_form(service, id_, isvc, state, children, status)
        for (id_, version), service in zip(versions.items(), found, strict=True)
        if service is not None
    }
    return KnativeLook(children=children, state=state, route=route, services=services, url=isvc.get("status", {}).get("url"))


def _roles(status: ModelDeploymentStatus) -> list[Pinned]:
    return [version for version in (status.stable, status.candidate, status.previous) if version is not None]


def _restorable(route: Route | None) -> dict[str, str]:
    """Return whom a lost status can be restored to."""
    backends = route.slots if route is not None and route.slots is not None else ()
    return {backend.revision: backend.isvc for backend in backends}


async def _service(
    api: KubeApi,
    revision: str,
    *,
    isvc: Object,
    state: KnativeState,
    deployments: Mapping[str, Mapping[str, Any]],
    owner: Owner,
    status: ModelDeploymentStatus,
) -> Service | None:
    """Return the version of that id; None if Knative knows it no more and is not asked to make it either."""
    on_trial = status.candidate is not None and status.candidate.id == revision
    name = state.on_trial(revision) if on_trial else state.serving(revision)
    if name is None and state.template != revision:
        return None
    deployment = deployments.get(name or "")
    pods: Sequence[Object] = ()
    if name is not None:
        pods = await api.list(PODS, isvc["metadata"]["namespace"], label_selector=f"{KNATIVE_REVISION_LABEL}={name}")
    return Service(
        **asdict(read_revision(name, isvc=isvc, state=state, deployment=deployment, pods=pods, owner=owner, on_trial=on_trial))
    )  # fmt: skip


def _with_live_form(
    service: Service, revision: str, isvc: Object, state: KnativeState, children: Children, status: ModelDeploymentStatus
) -> Service:
    """Add how a version is rendered where nobody remembers and the InferenceService still carries it."""
    runtime = children.runtimes.get(isvc["spec"].get("predictor", {}).get("model", {}).get("runtime", ""))
    known = any(entry.id == revision for entry in status.history) or (status.candidate is not None and status.candidate.id == revision)
    if known or state.template != revision or runtime is None:
        return service
    return replace(service, rendered=pinned_form(isvc, runtime))
