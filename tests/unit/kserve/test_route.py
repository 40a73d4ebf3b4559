"""The route as it is written, and as it is read back."""

import copy
from datetime import timedelta

import pytest

from headgate_operator.api.spec import Gateway
from headgate_operator.kserve.children import Owner
from headgate_operator.kserve.route import RouteBackend, RouteMirror, default_hostname, gateway_duration, http_route, read_route

OWNER = Owner(name="flight-delay", uid="u-1")
GATEWAY = Gateway(name="kserve-ingress-gateway", namespace="kserve")
STABLE = RouteBackend(isvc="flight-delay-aaaaaaaa", revision="r00000001", weight=75)
CANDIDATE = RouteBackend(isvc="flight-delay-bbbbbbbb", revision="r00000002", weight=25)


def written(*, slots=(STABLE, CANDIDATE), rejected=("r00000009", "r00000008")) -> dict:
    return http_route(
        name="flight-delay",
        namespace="ml",
        owner=OWNER,
        gateway=GATEWAY,
        hostnames=("flight-delay.ml.example.com",),
        slots=slots,
        stable_id="r00000001",
        rejected_ids=rejected,
        request_timeout=timedelta(seconds=5),
    )


def accepted(route: dict, *, generation: int = 3, **parent) -> dict:
    route = copy.deepcopy(route)
    route["metadata"]["generation"] = 3
    conditions = [{"type": kind, "status": "True", "observedGeneration": generation} for kind in ("Accepted", "ResolvedRefs")]
    reference = {"name": "kserve-ingress-gateway", "namespace": "kserve"}
    route["status"] = {"parents": [{"parentRef": reference, "controllerName": "x", "conditions": conditions} | parent]}
    return route


def test_the_whole_route():
    stamp = {"set": [{"name": "x-headgate-revision", "value": "r00000001"}]}
    route = written()
    assert route["metadata"] == {
        "name": "flight-delay",
        "namespace": "ml",
        "labels": {"headgate.dev/model-deployment": "flight-delay"},
        "annotations": {"headgate.dev/stable": "r00000001", "headgate.dev/rejected": "r00000009,r00000008"},
        "ownerReferences": [OWNER.reference()],
    }
    assert route["spec"]["parentRefs"] == [{"name": "kserve-ingress-gateway", "namespace": "kserve"}]
    assert route["spec"]["hostnames"] == ["flight-delay.ml.example.com"]
    (rule,) = route["spec"]["rules"]
    assert rule["timeouts"] == {"request": "5s"}
    assert rule["backendRefs"][0] == {
        "kind": "Service",
        "name": "flight-delay-aaaaaaaa-predictor",
        "port": 80,
        "weight": 75,
        "filters": [
            {"type": "RequestHeaderModifier", "requestHeaderModifier": stamp},
            {"type": "ResponseHeaderModifier", "responseHeaderModifier": stamp},
        ],
    }


def test_a_route_reads_back_as_it_was_written():
    state = read_route(written(), owner=OWNER, gateway=GATEWAY)
    assert state.ours
    assert state.slots == (STABLE, CANDIDATE)
    assert state.stable_id == "r00000001"
    assert state.rejected_ids == ("r00000009", "r00000008")
    assert not state.accepted


def test_nothing_rejected_is_an_empty_list():
    assert read_route(written(rejected=()), owner=OWNER, gateway=GATEWAY).rejected_ids == ()


def test_the_same_service_may_stand_in_both_slots():
    free = RouteBackend(isvc=STABLE.isvc, revision=STABLE.revision, weight=0)
    assert read_route(written(slots=(STABLE, free)), owner=OWNER, gateway=GATEWAY).slots == (STABLE, free)


def test_a_route_is_accepted_when_our_gateway_says_so_at_its_generation():
    def is_accepted(route: dict) -> bool:
        return read_route(route, owner=OWNER, gateway=GATEWAY).accepted

    assert is_accepted(accepted(written()))
    assert not is_accepted(accepted(written(), generation=2))
    assert not is_accepted(accepted(written(), parentRef={"name": "other", "namespace": "kserve"}))
    assert not is_accepted(accepted(written(), parentRef={"name": "kserve-ingress-gateway"}))  # means the route's own namespace
    unresolved = accepted(written())
    unresolved["status"]["parents"][0]["conditions"][1]["status"] = "False"
    assert not is_accepted(unresolved)


def test_a_route_of_a_predecessor_with_the_same_name_is_not_ours():
    assert not read_route(written(), owner=Owner(name="flight-delay", uid="u-2"), gateway=GATEWAY).ours


@pytest.mark.parametrize(
    "edit",
    [
        lambda spec: spec["rules"].append({}),
        lambda spec: spec.pop("rules"),
        lambda spec: spec["rules"][0]["backendRefs"].pop(),
        lambda spec: spec["rules"][0]["backendRefs"].append({"name": "x-predictor"}),
        lambda spec: spec["rules"][0]["backendRefs"][1].update(name="somebody-elses"),
        lambda spec: spec["rules"][0]["backendRefs"][0].pop("filters"),
        lambda spec: spec["parentRefs"][0].update(sectionName="https"),
        lambda spec: spec["parentRefs"][0].update(port=8443),
        lambda spec: spec["rules"][0].update(filters=[{"type": "RequestRedirect", "requestRedirect": {"port": 1}}]),
        lambda spec: spec["rules"][0].update(matches=[{"path": {"type": "PathPrefix", "value": "/v1"}}]),
        lambda spec: spec["rules"][0].update(
            matches=[{"path": {"type": "PathPrefix", "value": "/"}, "headers": [{"name": "a", "value": "b"}]}]
        ),
    ],
)
def test_a_route_that_somebody_edited_has_no_slots(edit):
    route = written()
    edit(route["spec"])
    assert read_route(route, owner=OWNER, gateway=GATEWAY).slots is None


def test_the_match_that_an_api_server_fills_in_is_no_edit():
    route = written()
    route["spec"]["rules"][0]["matches"] = [{"path": {"type": "PathPrefix", "value": "/"}}]
    assert read_route(route, owner=OWNER, gateway=GATEWAY).slots == (STABLE, CANDIDATE)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(seconds=5), "5s"),
        (timedelta(minutes=1), "1m"),
        (timedelta(days=1, milliseconds=250), "24h250ms"),
        (timedelta(0), "0s"),
    ],
)
def test_durations_are_written_as_the_gateway_api_reads_them(duration, text):
    assert gateway_duration(duration) == text


def test_the_default_host_name():
    assert default_hostname("flight-delay", "ml", "example.com") == "flight-delay.ml.example.com"


MIRROR = RouteMirror(isvc="flight-delay-bbbbbbbb", revision="r00000002", percent=30)


def mirrored(**filters) -> dict:
    route = http_route(
        name="flight-delay",
        namespace="ml",
        owner=OWNER,
        gateway=GATEWAY,
        hostnames=("flight-delay.ml.example.com",),
        slots=(STABLE, STABLE),
        stable_id="r00000001",
        rejected_ids=(),
        request_timeout=timedelta(seconds=5),
        mirror=MIRROR,
    )
    for entry in route["spec"]["rules"][0]["filters"]:
        entry["requestMirror"] |= filters
    return route


def test_a_mirrored_version_is_in_a_filter_of_the_rule_and_its_revision_in_an_annotation():
    route = mirrored()
    reference = {"kind": "Service", "name": "flight-delay-bbbbbbbb-predictor", "port": 80}
    (only,) = route["spec"]["rules"][0]["filters"]
    assert only == {"type": "RequestMirror", "requestMirror": {"backendRef": reference, "percent": 30}}
    assert route["metadata"]["annotations"]["headgate.dev/mirror"] == "r00000002"
    assert "filters" not in written()["spec"]["rules"][0]
    assert "headgate.dev/mirror" not in written()["metadata"]["annotations"]


def test_a_mirror_reads_back_as_it_was_written():
    state = read_route(mirrored(), owner=OWNER, gateway=GATEWAY)
    assert (state.slots, state.mirror) == ((STABLE, STABLE), MIRROR)
    assert read_route(written(), owner=OWNER, gateway=GATEWAY).mirror is None


@pytest.mark.parametrize(
    "filters",
    [
        {"backendRef": {"name": "somebody-elses", "port": 80}},
        {"backendRef": {"name": "x-predictor", "namespace": "other", "port": 80}},
        {"fraction": {"numerator": 1}},
    ],
)
def test_a_mirror_that_is_not_like_ours_makes_the_route_an_edited_one(filters):
    state = read_route(mirrored(**filters), owner=OWNER, gateway=GATEWAY)
    assert (state.slots, state.mirror) == (None, None)


def test_a_second_filter_makes_the_route_an_edited_one():
    route = mirrored()
    route["spec"]["rules"][0]["filters"] *= 2
    assert read_route(route, owner=OWNER, gateway=GATEWAY).slots is None


def test_a_mirror_without_a_percent_is_one_of_everything():
    route = mirrored()
    del route["spec"]["rules"][0]["filters"][0]["requestMirror"]["percent"]
    mirror = read_route(route, owner=OWNER, gateway=GATEWAY).mirror
    assert mirror is not None
    assert mirror.percent == 100
