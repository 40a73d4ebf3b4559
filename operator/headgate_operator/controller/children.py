"""Reading the children of a ModelDeployment: everything that carries our label, and whatever sits at a name that we would use.

The list finds children that no status mentions (after a lost status); the look at a name finds objects that are not ours and block it.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass

from headgate_operator.api.names import OWNER_LABEL
from headgate_operator.controller.resources import DEPLOYMENTS, INFERENCE_SERVICES, PODS, SERVING_RUNTIMES
from headgate_operator.kserve.children import Owner
from headgate_operator.kserve.names import predictor_name
from headgate_operator.kserve.read import read_service
from headgate_operator.kserve.resources import ISVC_LABEL
from headgate_operator.kube.protocol import KubeApi, Object, Resource
from headgate_operator.rollout.observed import Service


@dataclass(frozen=True)
class Children:
    """Live objects by name."""

    services: Mapping[str, Object]
    runtimes: Mapping[str, Object]


async def read_children(api: KubeApi, namespace: str, owner: str, names: Collection[str]) -> Children:
    """Return all labelled InferenceServices and runtime copies of the ModelDeployment `owner`, and those at `names`."""
    services, runtimes = await asyncio.gather(
        _by_name(api, INFERENCE_SERVICES, namespace, owner, names), _by_name(api, SERVING_RUNTIMES, namespace, owner, names)
    )
    return Children(services, runtimes)


async def read_services(api: KubeApi, namespace: str, children: Children, owner: Owner, *, pods_of: Collection[str]) -> dict[str, Service]:
    """Return the state of every InferenceService. Pods are read for `pods_of` and wherever something is not available."""
    names = list(children.services)
    states = await asyncio.gather(*(_service(api, namespace, children.services[name], owner, with_pods=name in pods_of) for name in names))
    return dict(zip(names, states, strict=True))


async def _by_name(api: KubeApi, resource: Resource, namespace: str, owner: str, names: Collection[str]) -> dict[str, Object]:
    listed = await api.list(resource, namespace, label_selector=f"{OWNER_LABEL}={owner}")
    found = {obj["metadata"]["name"]: obj for obj in listed}
    missing = [name for name in names if name not in found]
    looked_up = zip(missing, await asyncio.gather(*(api.get(resource, namespace, name) for name in missing)), strict=True)
    return found | {name: obj for name, obj in looked_up if obj is not None}


async def _service(api: KubeApi, namespace: str, isvc: Object, owner: Owner, *, with_pods: bool) -> Service:
    name = isvc["metadata"]["name"]
    deployment = await api.get(DEPLOYMENTS, namespace, predictor_name(name))
    state = read_service(isvc, deployment=deployment, pods=(), owner=owner)
    if with_pods or state.not_ready or not state.available_replicas:
        pods = await api.list(PODS, namespace, label_selector=f"{ISVC_LABEL}={name}")
        state = read_service(isvc, deployment=deployment, pods=pods, owner=owner)
    return Service(**asdict(state))
