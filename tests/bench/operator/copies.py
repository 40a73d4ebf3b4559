"""Fleets of thousands in minutes: copies of one ModelDeployment that the operator rolled out, with all that it left behind.

Field managers, owners, names and ids are what the operator would have made, so a restart has nothing to write (the bench counts that).
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.objects import Object
from headgate_operator.api.names import API_VERSION, FIELD_MANAGER, PLURAL
from headgate_operator.kserve.names import child_name, predictor_name

_AT_A_TIME = 8
_CHILDREN = (("serving.kserve.io/v1alpha1", "servingruntimes"), ("serving.kserve.io/v1beta1", "inferenceservices"))
_ROUTES = ("gateway.networking.k8s.io/v1", "httproutes")
_DEPLOYMENTS = ("apps/v1", "deployments")
_SERVERS_OWN = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields")


@dataclass(frozen=True)
class _Original:
    """One rolled-out ModelDeployment, with the names that a copy has others of."""

    deployment: Object
    children: tuple[Object, ...]
    """What the operator applied."""
    server: Object
    """The Deployment that KServe would have made."""

    @property
    def name(self) -> str:
        return str(self.deployment["metadata"]["name"])

    @property
    def isvc(self) -> str:
        return str(self.deployment["status"]["stable"]["isvc"])


async def copy(api: ApiClient, namespace: str, original: str, names: Sequence[str]) -> None:
    """Make copies of `original` with these names."""
    found, places = await _read(api, namespace, original), asyncio.Semaphore(_AT_A_TIME)

    async def one(name: str) -> None:
        async with places:
            await _copy(api, namespace, found, name)

    await asyncio.gather(*map(one, names))


async def _read(api: ApiClient, namespace: str, name: str) -> _Original:
    deployment = await _there(api, (API_VERSION, PLURAL), namespace, name)
    isvc = deployment["status"]["stable"]["isvc"]
    children = [await _there(api, kind, namespace, isvc) for kind in _CHILDREN]
    route = await _there(api, _ROUTES, namespace, name)
    server = await _there(api, _DEPLOYMENTS, namespace, predictor_name(isvc))
    return _Original(deployment, (*children, route), server)


async def _there(api: ApiClient, kind: tuple[str, str], namespace: str, name: str) -> Object:
    obj = await api.get(*kind, namespace, name)
    assert obj is not None, f"{kind[1]} {name} does not exist"
    return obj


async def _copy(api: ApiClient, namespace: str, original: _Original, name: str) -> None:
    isvc = child_name(name, original.deployment["status"]["stable"]["id"], namespace)

    def renamed(obj: Object) -> Object:
        text = json.dumps(obj | {"metadata": {key: value for key, value in obj["metadata"].items() if key not in _SERVERS_OWN}})
        copied: Object = json.loads(text.replace(original.isvc, isvc).replace(original.name, name))
        return copied

    wanted = renamed(original.deployment)
    made = await api.create({key: value for key, value in wanted.items() if key != "status"})
    await api.replace_status(made | {"status": wanted["status"]})
    server = renamed(original.server)
    await api.replace_status(await api.create(server) | {"status": server["status"]})
    for child in map(renamed, original.children):
        child["metadata"]["ownerReferences"][0]["uid"] = made["metadata"]["uid"]
        live = await api.apply({key: value for key, value in child.items() if key != "status"}, field_manager=FIELD_MANAGER)
        if "status" in child:
            await api.replace_status(live | {"status": _seen(child["status"], live["metadata"]["generation"])})


def _seen(status: Object, generation: int) -> Object:
    """Return a status that is about this generation."""
    for parent in status.get("parents", ()):
        for condition in parent["conditions"]:
            condition["observedGeneration"] = generation
    return status
