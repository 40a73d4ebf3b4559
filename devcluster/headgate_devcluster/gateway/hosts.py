"""From all HTTPRoutes of the gateway to what it serves under each host name, and what of a route cannot be served.

Routes that share a host name are served side by side. Where two want the same path of it the older one keeps it, as the Gateway API
says; Envoy Gateway leaves the younger route without a word, this gateway tells it in a condition.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from headgate_devcluster.gateway.httproute import UnsupportedRoute, hostnames, rules
from headgate_devcluster.gateway.table import Endpoint, Rule, Table, VirtualHost, cluster_local
from headgate_devcluster.objects import LOCAL_SUFFIX, PORT_ANNOTATION, Object, is_ready, key

Name = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True)
class Hosts:
    """What the routes ask for."""

    virtual: tuple[VirtualHost, ...]
    refused: Mapping[Name, str]
    """By route: what in it is not supported."""
    conflicts: Mapping[Name, tuple[str, ...]]
    """By route: the host names and paths that an older route has."""
    silent: frozenset[Name]
    """Routes of which nothing is served because older ones have it all."""


def read_routes(routes: Iterable[Object]) -> Hosts:
    """Sort the routes, oldest first, into hosts."""
    refused: dict[Name, str] = {}
    conflicts: dict[Name, tuple[str, ...]] = {}
    silent: set[Name] = set()
    served: dict[str, dict[str, tuple[Name, Rule]]] = {}
    for route in sorted(routes, key=lambda route: (route["metadata"]["creationTimestamp"], *key(route))):
        try:
            wanted = [(host, rule) for rule in rules(route) for host in hostnames(route)]
        except UnsupportedRoute as error:
            refused[key(route)] = str(error)
            continue
        lost = []
        for host, rule in wanted:
            owner, _ = served.setdefault(host, {}).setdefault(rule.prefix, (key(route), rule))
            if owner != key(route):
                lost.append(f"{host}{rule.prefix} (route {'/'.join(owner)})")
        if lost:
            conflicts[key(route)] = tuple(lost)
        if wanted and len(lost) == len(wanted):
            silent.add(key(route))
    virtual = tuple(VirtualHost(host, (host,), _longest_first(rule for _, rule in paths.values())) for host, paths in served.items())
    return Hosts(virtual, refused, conflicts, frozenset(silent))


def table(hosts: Iterable[VirtualHost], services: Iterable[Object], pods: list[Object]) -> Table:
    """What Envoy has to serve: the hosts, and every Service with the ready pods its selector finds."""
    endpoints = {key(service): _endpoints(service, pods) for service in services if service["spec"].get("type") != "ExternalName"}
    every = [replace(host, rules=tuple(_servable(rule, endpoints) for rule in host.rules)) for host in hosts]
    local = [replace(host, domains=cluster_local(host.name)) for host in every if host.name.endswith(LOCAL_SUFFIX)]
    public = [host for host in every if not host.name.endswith(LOCAL_SUFFIX)]
    return Table(tuple(public), tuple(local), tuple(sorted(endpoints)), endpoints)


def _servable(rule: Rule, endpoints: Mapping[Name, tuple[Endpoint, ...]]) -> Rule:
    """Leave a rule nothing to send to when a mirror has no endpoint.

    That is what Envoy Gateway does: a filter that cannot be resolved makes the whole rule answer 500, so a shadow that loses its last pod
    takes its stable version's traffic down with it.
    """
    if all(endpoints.get(mirror.service) for mirror in rule.mirrors):
        return rule
    return replace(rule, backends=(), mirrors=())


def _longest_first(found: Iterable[Rule]) -> tuple[Rule, ...]:
    return tuple(sorted(found, key=lambda rule: -len(rule.prefix)))


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
