"""What an administrator would install before Headgate can work: namespaces, definitions, runtime, gateway, rights."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import yaml

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.apiserver.server import own_definitions
from headgate_devcluster.errors import ClusterError
from headgate_devcluster.gateway.httproute import GatewayRef
from headgate_devcluster.gateway.route_status import GATEWAY_CLASS
from headgate_devcluster.objects import Object
from headgate_operator.api.crd import crd

GATEWAY = GatewayRef("kserve", "kserve-ingress-gateway")
OPERATOR_NAMESPACE = "headgate-system"

_MANAGER = "devcluster"
_SERVED_DEADLINE = 30.0
_MANIFESTS = Path(__file__).parents[2] / "manifests"
_RUNTIME = "runtimes/headgate-xgboost.yaml"
_RIGHTS = ("rbac/serviceaccount.yaml", "rbac/clusterrole.yaml", "rbac/role.yaml", "rbac/bindings.yaml")
_DEFINITIONS = "customresourcedefinitions"


async def install(api: ApiClient, namespace: str) -> None:
    """Apply everything; applying it again changes nothing. Definitions of KServe and the Gateway API that are there already stay."""
    for name in sorted({namespace, GATEWAY.namespace, OPERATOR_NAMESPACE}):
        await api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, field_manager=_MANAGER)
    await define(api)
    for obj in (*_read(_RUNTIME), _gateway()):
        await api.apply(obj, field_manager=_MANAGER)


async def operator_token(api: ApiClient) -> str:
    """Give the operator's ServiceAccount the rights of `manifests/rbac`, as they are; return a token of it."""
    account, *rights = (obj for path in _RIGHTS for obj in _read(path))
    for obj in (account, *rights):
        await api.apply(obj, field_manager=_MANAGER)
    return await api.token(OPERATOR_NAMESPACE, account["metadata"]["name"])


async def define(api: ApiClient) -> None:
    """Install the definitions of Headgate and, where they are missing, of KServe and the Gateway API; wait for them to be served."""
    present = {obj["metadata"]["name"] for obj in await api.list("apiextensions.k8s.io/v1", _DEFINITIONS)}
    minimal = own_definitions()
    for obj in (crd(), *(obj for obj in minimal if obj["metadata"]["name"] not in present)):
        await api.apply(obj, field_manager=_MANAGER)
    try:
        async with asyncio.timeout(_SERVED_DEADLINE):
            await _until_served(api, [crd(), *minimal])
    except TimeoutError as error:
        msg = f"the API server did not serve the definitions of Headgate, KServe and the Gateway API within {_SERVED_DEADLINE:.0f} s"
        raise ClusterError(msg) from error


async def _until_served(api: ApiClient, wanted: Iterable[Object]) -> None:
    for obj in wanted:
        spec = obj["spec"]
        version = f"{spec['group']}/{spec['versions'][0]['name']}"
        while not await api.serves(version, spec["names"]["kind"]):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.05)


def _read(path: str) -> list[Object]:
    """The objects of a manifest of the project."""
    try:
        return list(yaml.safe_load_all((_MANIFESTS / path).read_text()))
    except FileNotFoundError as error:
        msg = f"{_MANIFESTS / path} does not exist; run the devcluster from a checkout of the project"
        raise ClusterError(msg) from error


def _gateway() -> Object:
    listener = {"name": "http", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}}}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": GATEWAY.name, "namespace": GATEWAY.namespace},
        "spec": {"gatewayClassName": GATEWAY_CLASS, "listeners": [listener]},
    }
