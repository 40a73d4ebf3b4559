"""What an administrator would install before Headgate can work: namespaces, the CRD, the runtime, the gateway."""

from pathlib import Path

import yaml

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.errors import ClusterError
from headgate_devcluster.gateway.httproute import GatewayRef
from headgate_devcluster.gateway.route_status import GATEWAY_CLASS
from headgate_devcluster.objects import Object
from headgate_operator.api.crd import crd

GATEWAY = GatewayRef("kserve", "kserve-ingress-gateway")
OPERATOR_NAMESPACE = "headgate-system"

_MANAGER = "devcluster"
_RUNTIME = Path(__file__).parents[2] / "manifests" / "runtimes" / "headgate-xgboost.yaml"


async def install(api: ApiClient, namespace: str) -> None:
    """Apply everything; applying it again changes nothing."""
    for obj in [*map(_namespace, sorted({namespace, GATEWAY.namespace, OPERATOR_NAMESPACE})), crd(), _runtime(), _gateway()]:
        await api.apply(obj, field_manager=_MANAGER)


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _runtime() -> Object:
    try:
        runtime: Object = yaml.safe_load(_RUNTIME.read_text())
    except FileNotFoundError as error:
        msg = f"{_RUNTIME} does not exist; run the devcluster from a checkout of the project"
        raise ClusterError(msg) from error
    return runtime


def _gateway() -> Object:
    listener = {"name": "http", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}}}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": GATEWAY.name, "namespace": GATEWAY.namespace},
        "spec": {"gatewayClassName": GATEWAY_CLASS, "listeners": [listener]},
    }
