"""Envoy's resources for a `Table`: pure functions from values to the JSON of the xDS API.

A cluster of a backend is named after its position in the HTTPRoute, as Envoy Gateway does; its definition never changes, only its
endpoints (a separate file a cluster) do, because redefining a cluster erases part of its counters.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from headgate_devcluster.gateway.bootstrap import CLUSTER_LOCAL, PUBLIC, file_source
from headgate_devcluster.gateway.table import Backend, Endpoint, HeaderChanges, Mirror, Rule, Table, VirtualHost, cluster_local

_TYPE = "type.googleapis.com/envoy.config"
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_PREVIOUS_HOSTS = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
# The model servers close idle connections after 5 s. A request sent at that very moment would be lost, so Envoy closes them first.
_UPSTREAM_IDLE = "3s"
_MANY = 10_000
_SERVICE_TIMEOUT = "60s"


def service_cluster(service: tuple[str, str]) -> str:
    """Envoy's name of the cluster behind a cluster-local Service; outside the names that analysis reads."""
    return "svc/" + "/".join(service)


def clusters(table: Table) -> dict[str, tuple[str, str]]:
    """Every cluster the table needs, by name, with the Service behind it."""
    rules = [rule for host in (*table.public, *table.local) for rule in host.rules]
    routed = {backend.cluster: backend.service for rule in rules for backend in rule.backends}
    copied = {mirror.cluster: mirror.service for rule in rules for mirror in rule.mirrors}
    return routed | copied | {service_cluster(service): service for service in table.services}


def cluster_resource(name: str, resources: Path) -> dict[str, Any]:
    """The definition of one cluster: endpoints from its own file, nothing that depends on the Service behind it."""
    return {
        "@type": f"{_TYPE}.cluster.v3.Cluster",
        "name": name,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": file_source(resources / endpoints_file(name))},
        "connect_timeout": "2s",
        "lb_policy": "LEAST_REQUEST",
        # Envoy's own limits (1024 requests, 3 retries) would turn a burst into 503s that no version is to blame for.
        "circuit_breakers": {
            "thresholds": [{"max_connections": _MANY, "max_pending_requests": _MANY, "max_requests": _MANY, "max_retries": _MANY}]
        },
        "typed_extension_protocol_options": {
            _HTTP_OPTIONS: {
                "@type": f"type.googleapis.com/{_HTTP_OPTIONS}",
                "common_http_protocol_options": {"idle_timeout": _UPSTREAM_IDLE},
                "explicit_http_config": {"http_protocol_options": {}},
            }
        },
    }


def endpoints_file(cluster: str) -> str:
    """The file that holds a cluster's endpoints, relative to the resources; different clusters never share one."""
    return "endpoints-" + re.sub(r"[^A-Za-z0-9.-]", "_", cluster) + ".json"


def endpoints_resource(cluster: str, endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """A cluster's endpoints; none at all makes it answer 503."""
    hosts = [{"endpoint": {"address": {"socket_address": {"address": address, "port_value": port}}}} for address, port in sorted(endpoints)]
    return {
        "@type": f"{_TYPE}.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": cluster,
        "endpoints": [{"lb_endpoints": hosts}] if hosts else [],
    }


def public_routes(table: Table) -> dict[str, Any]:
    """The route table of the gateway's address; a host it does not know gets 404."""
    return _route_table(PUBLIC, [_virtual_host(host) for host in table.public])


def cluster_local_routes(table: Table) -> dict[str, Any]:
    """The route table that makes every Service reachable by its cluster-local names."""
    taken = {domain for host in table.local for domain in host.domains}
    hosts = [_virtual_host(host) for host in table.local]
    for namespace, name in table.services:
        domains = list(cluster_local(f"{name}.{namespace}"))
        if domains[0] in taken:
            continue
        route = {
            "match": {"prefix": "/"},
            "route": {"cluster": service_cluster((namespace, name)), "timeout": _SERVICE_TIMEOUT, "retry_policy": _retries()},
        }
        hosts.append({"name": f"{namespace}/{name}", "domains": domains, "routes": [route]})
    return _route_table(CLUSTER_LOCAL, hosts)


def _route_table(name: str, hosts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"@type": f"{_TYPE}.route.v3.RouteConfiguration", "name": name, "virtual_hosts": hosts}


def _virtual_host(host: VirtualHost) -> dict[str, Any]:
    return {"name": host.name, "domains": list(host.domains), "routes": [_route(rule) for rule in host.rules]}


def _route(rule: Rule) -> dict[str, Any]:
    match = {"path_separated_prefix": rule.prefix.rstrip("/")} if rule.prefix != "/" else {"prefix": "/"}
    if not rule.backends:  # the Gateway API's answer when no backend has a weight
        return {"match": match, "direct_response": {"status": 500}}
    action = {
        "weighted_clusters": {"clusters": [_weighted(backend) for backend in rule.backends]},
        "timeout": rule.timeout or "0s",
        "retry_policy": _retries(),
        "request_mirror_policies": [_mirror(mirror) for mirror in rule.mirrors],
    }
    return {"match": match, "route": action}


def _mirror(mirror: Mirror) -> dict[str, Any]:
    share = {"numerator": mirror.per_million, "denominator": "MILLION"}
    return {"cluster": mirror.cluster, "runtime_fraction": {"default_value": share}}


def _weighted(backend: Backend) -> dict[str, Any]:
    return {
        "name": backend.cluster,
        "weight": backend.weight,
        "request_headers_to_add": _header_options(backend.request_headers),
        "request_headers_to_remove": list(backend.request_headers.remove),
        "response_headers_to_add": _header_options(backend.response_headers),
        "response_headers_to_remove": list(backend.response_headers.remove),
    }


def _header_options(changes: HeaderChanges) -> list[dict[str, Any]]:
    actions = [("OVERWRITE_IF_EXISTS_OR_ADD", changes.set), ("APPEND_IF_EXISTS_OR_ADD", changes.add)]
    return [
        {"header": {"key": key, "value": _literal(value)}, "append_action": action} for action, pairs in actions for key, value in pairs
    ]


def _literal(value: str) -> str:
    # A per cent sign starts a substitution in Envoy's header values.
    return value.replace("%", "%%")


def _retries() -> dict[str, Any]:
    # Only failures before the server can have seen the request: a retry must never run a prediction twice or hide a failing version.
    return {
        "retry_on": "connect-failure,refused-stream,reset-before-request",
        "num_retries": 2,
        "retry_host_predicate": [{"name": "envoy.retry_host_predicates.previous_hosts", "typed_config": {"@type": _PREVIOUS_HOSTS}}],
        "host_selection_retry_max_attempts": 10,  # each draws a server at random; of two, three draws would miss one in sixteen times
        "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.25s"},
    }
