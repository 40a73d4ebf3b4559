"""Reading HTTPRoutes: backends by position, weights, header stamps, and a clear no to what is not supported."""

from typing import Any

import pytest

from headgate_devcluster.gateway.controller import read_routes, table
from headgate_devcluster.gateway.httproute import GatewayRef, UnsupportedRoute, envoy_duration, virtual_host
from headgate_devcluster.gateway.route_status import route_status

GATEWAY = GatewayRef("kserve", "kserve-ingress-gateway")


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
    host = virtual_host(route(backend("a", 90), backend("b", 10)))
    assert [part.cluster for part in host.rules[0].backends] == ["httproute/ml/m/rule/0/backend/0", "httproute/ml/m/rule/0/backend/1"]


def test_a_backend_of_weight_zero_is_left_out_and_the_other_keeps_its_position() -> None:
    host = virtual_host(route(backend("a", 0), backend("b", 100)))
    assert [part.cluster for part in host.rules[0].backends] == ["httproute/ml/m/rule/0/backend/1"]


def test_each_backend_carries_its_own_header_stamp_both_ways() -> None:
    first, second = virtual_host(route(backend("a", 1, "r1"), backend("b", 1, "r2"))).rules[0].backends
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
        virtual_host(route(backend("a", 1), **rule))


def test_the_default_match_of_the_real_crd_means_every_path() -> None:
    host = virtual_host(route(backend("a", 1), matches=[{"path": {"type": "PathPrefix", "value": "/"}}]))
    assert [rule.prefix for rule in host.rules] == ["/"]


def test_the_oldest_route_keeps_a_host_name_that_two_want() -> None:
    hosts, refusals = read_routes(
        [route(backend("a", 1), name="old"), route(backend("b", 1), name="new", hosts=("m.example.com", "n.example.com"))]
    )
    assert [(host.name, host.domains) for host in hosts] == [("ml/old", ("m.example.com",)), ("ml/new", ("n.example.com",))]
    assert refusals == {}


def test_a_route_is_accepted_at_its_generation_with_its_reference_unchanged() -> None:
    status = route_status(route(backend("a", 1)), GATEWAY, [("ml", "a")], None, "2026-01-02T00:00:00Z")
    (parent,) = status["parents"]
    assert parent["parentRef"] == {"name": GATEWAY.name, "namespace": GATEWAY.namespace}
    assert {(entry["type"], entry["status"], entry["observedGeneration"]) for entry in parent["conditions"]} == {
        ("Accepted", "True", 3),
        ("ResolvedRefs", "True", 3),
    }


def test_a_missing_service_is_an_unresolved_reference_even_at_weight_zero() -> None:
    status = route_status(route(backend("a", 1), backend("gone", 0)), GATEWAY, [("ml", "a")], None, "2026-01-02T00:00:00Z")
    resolved = status["parents"][0]["conditions"][1]
    assert (resolved["type"], resolved["status"], resolved["reason"]) == ("ResolvedRefs", "False", "BackendNotFound")
    assert "ml/gone" in resolved["message"]


def test_a_status_that_says_the_same_keeps_its_times_and_what_other_gateways_wrote() -> None:
    told = route(backend("a", 1))
    told["status"] = route_status(told, GATEWAY, [("ml", "a")], None, "2026-01-02T00:00:00Z")
    told["status"]["parents"].insert(0, {"controllerName": "other", "parentRef": {"name": "other"}, "conditions": []})
    assert route_status(told, GATEWAY, [("ml", "a")], None, "2026-01-03T00:00:00Z") == told["status"]


def pod(name: str, *, ready: bool = True, app: str = "isvc.a-predictor", deleted: bool = False) -> dict[str, Any]:
    meta = {"name": name, "namespace": "ml", "labels": {"app": app}, "annotations": {"devcluster.headgate.dev/port": "4711"}}
    return {
        "metadata": meta | ({"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleted else {}),
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def test_only_ready_pods_of_the_selector_that_are_not_being_deleted_are_endpoints() -> None:
    service = {"metadata": {"name": "a-predictor", "namespace": "ml"}, "spec": {"selector": {"app": "isvc.a-predictor"}}}
    pods = [pod("good"), pod("unready", ready=False), pod("other", app="isvc.b-predictor"), pod("leaving", deleted=True)]
    assert table([], [service], pods).endpoints == {("ml", "a-predictor"): (("127.0.0.1", 4711),)}
