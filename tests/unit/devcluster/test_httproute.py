"""Reading HTTPRoutes: backends by position, weights, header stamps, and a clear no to what is not supported."""

from typing import Any

import pytest

from headgate_devcluster.gateway.hosts import read_routes, table
from headgate_devcluster.gateway.httproute import GatewayRef, UnsupportedRoute, envoy_duration, rules
from headgate_devcluster.gateway.route_status import route_status

GATEWAY = GatewayRef("kserve", "kserve-ingress-gateway")
ENDPOINTS = {("ml", "a"): (("127.0.0.1", 4711),), ("ml", "b"): (("127.0.0.1", 4712),)}
NOW = "2026-01-02T00:00:00Z"


def backend(service: str, weight: int, revision: str = "r1") -> dict[str, Any]:
    stamp = {"set": [{"name": "x-headgate-revision", "value": revision}]}
    return {
        "kind": "Service",
        "name": service,
        "port": 80,
        "weight": weight,
        "filters": [
            {"type": "RequestHeaderModifier", "requestHeaderModifier": stamp},
            {"type": "ResponseHeaderModifier", "responseHeaderModifier": stamp},
        ],
    }


def route(*backends: dict[str, Any], name: str = "m", hosts: tuple[str, ...] = ("m.example.com",), **rule: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "ml", "generation": 3, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {
            "parentRefs": [{"name": GATEWAY.name, "namespace": GATEWAY.namespace}],
            "hostnames": list(hosts),
            "rules": [{"backendRefs": list(backends), "timeouts": {"request": "5s"}, **rule}],
        },
    }


def test_a_backend_is_named_after_its_position_in_the_rule() -> None:
    (rule,) = rules(route(backend("a", 90), backend("b", 10)))
    assert [part.cluster for part in rule.backends] == ["httproute/ml/m/rule/0/backend/0", "httproute/ml/m/rule/0/backend/1"]


def test_a_backend_of_weight_zero_is_left_out_and_the_other_keeps_its_position() -> None:
    (rule,) = rules(route(backend("a", 0), backend("b", 100)))
    assert [part.cluster for part in rule.backends] == ["httproute/ml/m/rule/0/backend/1"]


def test_each_backend_carries_its_own_header_stamp_both_ways() -> None:
    first, second = rules(route(backend("a", 1, "r1"), backend("b", 1, "r2")))[0].backends
    for part, revision in ((first, "r1"), (second, "r2")):
        assert part.request_headers.set == part.response_headers.set == (("x-headgate-revision", revision),)


@pytest.mark.parametrize(("gateway", "envoy"), [("5s", "5.000s"), ("1m30s", "90.000s"), ("250ms", "0.250s"), ("1h", "3600.000s")])
def test_durations_of_the_gateway_api_are_written_as_envoy_reads_them(gateway: str, envoy: str) -> None:
    assert envoy_duration(gateway) == envoy


@pytest.mark.parametrize(
    "rule",
    [
        {"filters": [{"type": "URLRewrite"}]},
        {"matches": [{"headers": [{"name": "a", "value": "b"}]}]},
        {"matches": [{"path": {"type": "RegularExpression", "value": ".*"}}]},
        {"backendRefs": [{"name": "a", "namespace": "other"}]},
        {"backendRefs": [{"name": "a", "filters": [{"type": "RequestMirror"}]}]},
    ],
)
def test_a_route_that_asks_for_more_than_is_supported_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedRoute, match=r"not supported|no other backend is supported"):
        rules(route(backend("a", 1), **rule))


def test_the_default_match_of_the_real_crd_means_every_path() -> None:
    found = rules(route(backend("a", 1), matches=[{"path": {"type": "PathPrefix", "value": "/"}}]))
    assert [rule.prefix for rule in found] == ["/"]


def mirror(service: str, **share: Any) -> dict[str, Any]:
    return {"type": "RequestMirror", "requestMirror": {"backendRef": {"kind": "Service", "name": service, "port": 80}, **share}}


def test_a_mirror_is_named_after_its_rule_and_its_position_among_the_filters() -> None:
    (rule,) = rules(route(backend("a", 100), filters=[mirror("b"), mirror("c")]))
    assert [(part.cluster, part.service) for part in rule.mirrors] == [
        ("httproute/ml/m/rule/0-mirror-0", ("ml", "b")),
        ("httproute/ml/m/rule/0-mirror-1", ("ml", "c")),
    ]


@pytest.mark.parametrize(
    ("share", "per_million"),
    [
        ({}, 1_000_000),
        ({"percent": 25}, 250_000),
        ({"percent": 0}, 0),
        ({"fraction": {"numerator": 5}}, 50_000),
        ({"fraction": {"numerator": 1, "denominator": 1000}}, 1000),
    ],
)
def test_a_mirror_copies_the_share_that_a_percentage_or_a_fraction_asks_for(share: dict[str, Any], per_million: int) -> None:
    (rule,) = rules(route(backend("a", 100), filters=[mirror("b", **share)]))
    assert rule.mirrors[0].per_million == per_million


def service(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "ml"}, "spec": {"selector": {"app": f"isvc.{name}"}}}


def test_a_mirror_without_endpoints_leaves_its_whole_rule_without_backends_as_envoy_gateway_does() -> None:
    hosts = read_routes([route(backend("a-predictor", 100), filters=[mirror("b-predictor")])])
    both = [pod("one"), pod("two", app="isvc.b-predictor")]
    services = [service("a-predictor"), service("b-predictor")]
    assert len(table(hosts.virtual, services, both).public[0].rules[0].backends) == 1
    alone = table(hosts.virtual, services, both[:1]).public[0].rules[0]
    assert (alone.backends, alone.mirrors) == ((), ())


def told(status: dict[str, Any]) -> dict[str, tuple[str, str]]:
    (parent,) = status["parents"]
    return {entry["type"]: (entry["status"], entry["reason"]) for entry in parent["conditions"]}


def test_the_oldest_route_keeps_a_host_name_that_two_want_and_the_other_is_told() -> None:
    old = route(backend("a", 1), name="old")
    new = route(backend("b", 1), name="new", hosts=("m.example.com", "n.example.com"))
    new["metadata"]["creationTimestamp"] = "2026-01-02T00:00:00Z"
    hosts = read_routes([new, old])
    served = {host.name: host.rules[0].backends[0].service for host in hosts.virtual}
    assert served == {"m.example.com": ("ml", "a"), "n.example.com": ("ml", "b")}
    status = route_status(new, GATEWAY, hosts, ENDPOINTS, NOW)
    assert told(status)["PartiallyInvalid"] == ("True", "HostnameConflict")
    assert "older routes serve m.example.com/ (route ml/old)" in status["parents"][0]["conditions"][1]["message"]


def test_a_route_of_which_older_ones_serve_everything_is_not_accepted() -> None:
    hosts = read_routes([route(backend("a", 1), name="a"), route(backend("b", 1), name="b")])
    assert told(route_status(route(backend("b", 1), name="b"), GATEWAY, hosts, ENDPOINTS, NOW))["Accepted"] == ("False", "HostnameConflict")


def test_routes_share_a_host_name_under_different_paths_the_longest_first() -> None:
    deep = route(backend("b", 1), name="deep", matches=[{"path": {"type": "PathPrefix", "value": "/v2"}}])
    hosts = read_routes([route(backend("a", 1)), deep])
    assert [(rule.prefix, rule.backends[0].service) for rule in hosts.virtual[0].rules] == [("/v2", ("ml", "b")), ("/", ("ml", "a"))]
    assert hosts.conflicts == {}


def test_a_route_is_accepted_at_its_generation_with_its_reference_unchanged() -> None:
    wanted = route(backend("a", 1))
    status = route_status(wanted, GATEWAY, read_routes([wanted]), ENDPOINTS, NOW)
    (parent,) = status["parents"]
    assert parent["parentRef"] == {"name": GATEWAY.name, "namespace": GATEWAY.namespace}
    assert {(entry["type"], entry["status"], entry["observedGeneration"]) for entry in parent["conditions"]} == {
        ("Accepted", "True", 3),
        ("ResolvedRefs", "True", 3),
    }


@pytest.mark.parametrize("rule", [{"backendRefs": [backend("a", 1), backend("gone", 0)]}, {"filters": [mirror("gone")]}])
def test_a_missing_service_is_an_unresolved_reference_even_at_weight_zero_or_as_a_mirror(rule: dict[str, Any]) -> None:
    wanted = route(backend("a", 1), **rule)
    status = route_status(wanted, GATEWAY, read_routes([wanted]), ENDPOINTS, NOW)
    assert told(status)["ResolvedRefs"] == ("False", "BackendNotFound")
    assert "ml/gone" in status["parents"][0]["conditions"][1]["message"]


def test_a_service_without_endpoints_is_resolved_but_not_available() -> None:
    wanted = route(backend("a", 1))
    found = told(route_status(wanted, GATEWAY, read_routes([wanted]), {("ml", "a"): ()}, NOW))
    assert (found["ResolvedRefs"][0], found["BackendsAvailable"]) == ("True", ("False", "EndpointsNotFound"))


def test_a_status_that_says_the_same_keeps_its_times_and_what_other_gateways_wrote() -> None:
    known = route(backend("a", 1))
    hosts = read_routes([known])
    known["status"] = route_status(known, GATEWAY, hosts, ENDPOINTS, NOW)
    known["status"]["parents"].insert(0, {"controllerName": "other", "parentRef": {"name": "other"}, "conditions": []})
    assert route_status(known, GATEWAY, hosts, ENDPOINTS, "2026-01-03T00:00:00Z") == known["status"]


def pod(name: str, *, ready: bool = True, app: str = "isvc.a-predictor", deleted: bool = False) -> dict[str, Any]:
    meta = {"name": name, "namespace": "ml", "labels": {"app": app}, "annotations": {"devcluster.headgate.dev/port": "4711"}}
    return {
        "metadata": meta | ({"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleted else {}),
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def test_only_ready_pods_of_the_selector_that_are_not_being_deleted_are_endpoints() -> None:
    pods = [pod("good"), pod("unready", ready=False), pod("other", app="isvc.b-predictor"), pod("leaving", deleted=True)]
    assert table([], [service("a-predictor")], pods).endpoints == {("ml", "a-predictor"): (("127.0.0.1", 4711),)}
