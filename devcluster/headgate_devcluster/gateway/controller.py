"""The gateway's controller: HTTPRoutes, Services and Pods in, Envoy's configuration and the routes' status out."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.gateway.envoy import Envoy
from headgate_devcluster.gateway.hosts import read_routes, table
from headgate_devcluster.gateway.httproute import GatewayRef
from headgate_devcluster.gateway.route_status import gateway_status, route_status
from headgate_devcluster.objects import HTTP_ROUTE, POD, SERVICE, Kind, Object, key, merge_patch, terminating, timestamp
from headgate_devcluster.reconcile import reconcile

GATEWAY = Kind("gateway.networking.k8s.io/v1", "Gateway", "gateways")


@dataclass
class GatewayController:
    """The one gateway of the cluster."""

    api: ApiClient
    envoy: Envoy
    gateway: GatewayRef

    async def run(self) -> None:
        """Follow the objects until cancelled."""
        await reconcile("gateway", self.api, [HTTP_ROUTE, SERVICE, POD, GATEWAY], self._sync)

    async def _sync(self) -> None:
        routes = [route for route in await self._list(HTTP_ROUTE) if not terminating(route) and self.gateway.parent_refs(route)]
        hosts = read_routes(routes)
        found = table(hosts.virtual, await self._list(SERVICE), await self._list(POD))
        await self.envoy.apply(found)
        # Only now: an accepted route is one that Envoy serves.
        for route in routes:
            await self._write_status(HTTP_ROUTE, route, route_status(route, self.gateway, hosts, found.endpoints, timestamp()))
        await self._report_gateway(len(routes) - len(hosts.refused) - len(hosts.silent))

    async def _report_gateway(self, attached: int) -> None:
        gateway = await self.api.get(GATEWAY.api_version, GATEWAY.plural, self.gateway.namespace, self.gateway.name)
        if gateway is not None:
            port = urlsplit(self.envoy.addresses.public).port or 0
            await self._write_status(GATEWAY, gateway, gateway_status(gateway, port, attached, timestamp()))

    async def _list(self, kind: Kind) -> list[Object]:
        found: list[Object] = await self.api.list(kind.api_version, kind.plural)
        return found

    async def _write_status(self, kind: Kind, obj: Object, status: Object) -> None:
        if changes := merge_patch(obj.get("status") or {}, status):
            await self.api.merge_patch(kind.api_version, kind.plural, *key(obj), {"status": changes}, subresource="status")
