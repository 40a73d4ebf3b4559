"""Reading the children of a ModelDeployment: whatever sits at a name that we use or would use, and what else the inventory knows of.

The look at a name also finds objects that are not ours and block it; the inventory, children that no status mentions any more.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from headgate_operator.controller.inventory import Inventory, Key
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


async def read_children(api: KubeApi, inventory: Inventory, key: Key, names: Collection[str]) -> Children:
    """Return the InferenceServices and runtime copies at `names`, and all others of the ModelDeployment `key` that are known of."""
    wanted = [
        (kind, name)
        for kind in (INFERENCE_SERVICES, SERVING_RUNTIMES)
        for name in {*names, *await inventory.names(api, kind, key)}
    ]  # fmt: skip
    live = await asyncio.gather(*(api.get(kind, key[0], name) for kind, name in wanted))
    found: dict[Resource, dict[str, Object]] = {INFERENCE_SERVICES: {}, SERVING_RUNTIMES: {}}
    for (kind, name), obj in zip(wanted, live, strict=True):
        inventory.read(kind, key, name, there=obj is not None)
        if obj is not None:
            found[kind][name] = obj
    return Children(found[INFERENCE_SERVICES], found[SERVING_RUNTIMES])


async def read_services(api: KubeApi, namespace: str, children: Children, owner: Owner, *, pods_of: Collection[str]) -> dict[str, Service]:
    """Return the state of every InferenceService. Pods are read for `pods_of` and wherever something is not available."""
    names = list(children.services)
    states = await asyncio.gather(*(_service(api, namespace, children.services[name], owner, with_pods=name in pods_of) for name in names))
    return dict(zip(names, states, strict=True))


async def _service(api: KubeApi, namespace: str, isvc: Object, owner: Owner, *, with_pods: bool) -> Service:
    name = isvc["metadata"]["name"]
    deployment = await api.get(DEPLOYMENTS, namespace, predictor_name(name))
    state = read_service(isvc, deployment=deployment, pods=(), owner=owner)
    if with_pods or state.not_ready or not state.available_replicas:
        pods = await api.list(PODS, namespace, label_selector=f"{ISVC_LABEL}={name}")
        state = read_service(isvc, deployment=deployment, pods=pods, owner=owner)
    return Service(**vars(state))
