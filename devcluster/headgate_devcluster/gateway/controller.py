"""The gateway's controller: HTTPRoutes, Services and Pods in, Envoy's configuration and the routes' status out."""

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.gateway.envoy import Envoy
from headgate_devcluster.gateway.httproute import GatewayRef, UnsupportedRoute, virtual_host
from headgate_devcluster.gateway.route_status import gateway_status, route_status
from headgate_devcluster.gateway.table import Endpoint, Table, VirtualHost
from headgate_devcluster.objects import POD, PORT_ANNOTATION, SERVICE, Kind, Object, is_ready, key, merge_patch, terminating, timestamp
from headgate_devcluster.reconcile import reconcile

GATEWAY = Kind("gateway.networking.k8s.io/v1", "Gateway", "gateways")
HTTP_ROUTE = Kind("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes")


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
        # The oldest route keeps a host name that several want, as the Gateway API says.
        routes.sort(key=lambda route: (route["metadata"]["creationTimestamp"], *key(route)))
        services, pods = await self._list(SERVICE), await self._list(POD)
        hosts, refusals = read_routes(routes)
        await self.envoy.apply(table(hosts, services, pods))
        # Only now: an accepted route is one that Envoy serves.
        existing = [key(service) for service in services]
        for route in routes:
            status = route_status(route, self.gateway, existing, refusals.get(key(route)), timestamp())
            await self._write_status(HTTP_ROUTE, route, status)
        await self._report_gateway(len(hosts))

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


def read_routes(routes: list[Object]) -> tuple[list[VirtualHost], dict[tuple[str, str], str]]:
    """The virtual hosts of the routes that can be served, and why the others cannot. A host name goes to the first that wants it."""
    hosts: list[VirtualHost] = []
    refusals: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    for route in routes:
        try:
            host = virtual_host(route)
        except UnsupportedRoute as error:
            refusals[key(route)] = str(error)
            continue
        domains = tuple(domain for domain in host.domains if domain not in taken)
        taken.update(domains)
        if domains:
            hosts.append(replace(host, domains=domains))
    return hosts, refusals


def table(hosts: list[VirtualHost], services: list[Object], pods: list[Object]) -> Table:
    """What Envoy has to serve: the hosts, and every Service with the ready pods its selector finds."""
    endpoints = {key(service): _endpoints(service, pods) for service in services}
    return Table(tuple(hosts), tuple(sorted(endpoints)), endpoints)


def _endpoints(service: Object, pods: list[Object]) -> tuple[Endpoint, ...]:
    selector = service["spec"].get("selector") or {}
    namespace, _ = key(service)
    found = [
        ("127.0.0.1", int(pod["metadata"]["annotations"][PORT_ANNOTATION]))
        for pod in pods
        if selector
        and key(pod)[0] == namespace
        and selector.items() <= pod["metadata"].get("labels", {}).items()
        and PORT_ANNOTATION in pod["metadata"].get("annotations", {})
        and is_ready(pod)
    ]
    return tuple(sorted(found))
