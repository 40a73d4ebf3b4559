"""Of two routes with the same hostname on the same gateway the older one gets the requests, whatever their status says."""

import pytest

from headgate_operator.api.spec import Gateway
from headgate_operator.kserve.claims import read_claim, winner

GATEWAY = Gateway(name="public", namespace="infra")
EARLY, LATE = "2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z"


def route(name="other", since=EARLY, host="m.example.com", gateway="public", **rule):
    parent = {"name": gateway, "namespace": "infra"}
    meta = {"namespace": "shop", "name": name, "creationTimestamp": since}
    return {"metadata": meta, "spec": {"parentRefs": [parent], "hostnames": [host], "rules": [rule]}}


def won_by(*routes, since=LATE):
    claims = [claim for claim in map(read_claim, routes) if claim is not None]
    found = winner(claims, gateway=GATEWAY, hostnames=("m.example.com",), own=("ml", "m"), since=since)
    return found.name if found is not None else None


def test_the_older_route_wins_and_any_other_does_before_ours_exists():
    assert won_by(route(since=EARLY)) == "other"
    assert won_by(route(since=LATE), since=EARLY) is None
    assert won_by(route(since=LATE), since=None) == "other"


def test_routes_of_the_same_second_are_ranked_by_their_names():
    assert won_by(route(since=LATE)) is None, "ml/m comes before shop/other"
    assert won_by(route(since=LATE) | {"metadata": {"namespace": "a", "name": "z", "creationTimestamp": LATE}}) == "z"


@pytest.mark.parametrize(
    "other",
    [
        route(host="x.example.com"),
        route(gateway="private"),
        route(matches=[{"path": {"type": "PathPrefix", "value": "/docs"}}]),
        route(matches=[{"headers": [{"name": "beta", "value": "1"}]}]),
        route(host="*.example.com"),
    ],
)
def test_a_route_for_other_requests_is_no_rival(other):
    assert won_by(other) is None


def test_a_match_of_everything_is_one_however_it_is_written():
    everything = {"path": {"type": "PathPrefix", "value": "/"}}
    for matches in ([], [{}], [everything], [{"path": {"type": "Exact", "value": "/a"}}, everything]):
        assert won_by(route(matches=matches)) == "other"


def test_our_own_route_is_no_rival():
    ours = route(name="m") | {"metadata": {"namespace": "ml", "name": "m", "creationTimestamp": EARLY}}
    assert won_by(ours) is None
