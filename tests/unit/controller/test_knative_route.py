"""Knative's traffic as a route: positions from status, and what a lost status is restored from."""

from typing import Any

from headgate_operator.api.status import ModelDeploymentStatus
from headgate_operator.controller.knative_route import traffic_as_route
from headgate_operator.controller.slots import slot_clusters, slot_values, slot_versions
from headgate_operator.kserve.knative import KnativeState
from headgate_operator.rollout.observed import Backend, Subject
from headgate_operator.rollout.weights import wanted_slots

SUBJECT = Subject(name="m", namespace="ml", uid="u", generation=1)
AT = "2026-03-01T12:00:00Z"


def state(template: str = "rb", **options: Any) -> KnativeState:
    seen: dict[str, Any] = {
        "percent": 10, "created": "m-2", "ready": "m-2", "rolled_out": "m-1", "rolled_out_before": "", "shares": {"m-2": 10, "m-1": 90},
        "tagged": "m-2", "routed": True, "ids": {"m-1": "ra", "m-2": "rb"},
    }  # fmt: skip
    return KnativeState(template=template, **(seen | options))


def version(revision: str, slot: int | None, **more: Any) -> dict[str, Any]:
    return {"id": revision, "modelUri": "s3://m", "version": "1", "isvc": f"m-{revision}", "slot": slot, "since": AT} | more


def candidate(slot: int | None, weight: int) -> dict[str, Any]:
    rendered = {"inferenceService": {}, "servingRuntime": {}}
    return version("rb", slot, inputs={}, rendered=rendered, startedAt=AT, weight=weight)


def status(**fields: Any) -> ModelDeploymentStatus:
    return ModelDeploymentStatus.model_validate(fields)


def test_traffic_that_is_as_decided_reads_as_the_route_that_was_decided() -> None:
    for stable, other in ((0, 1), (1, 0)):
        decided = status(stable=version("ra", stable), candidate=candidate(other, 10))
        route = traffic_as_route(state(), decided, SUBJECT, damaged=False)
        assert route is not None
        assert route.slots == wanted_slots(decided)
        alone = status(stable=version("ra", stable))
        route = traffic_as_route(state(shares={"m-2": 0, "m-1": 100}), alone, SUBJECT, damaged=False)
        assert route is not None
        assert route.slots == wanted_slots(alone)


def test_traffic_that_is_not_as_decided_does_not() -> None:
    decided = status(stable=version("ra", 0), candidate=candidate(1, 50))
    for shares in ({"m-2": 10, "m-1": 90}, {"m-1": 100}, {"m-2": 100}, {}, {"m-9": 100}):
        route = traffic_as_route(state(shares=shares), decided, SUBJECT, damaged=False)
        assert route is not None
        assert route.slots != wanted_slots(decided)


def test_a_first_revision_has_no_route_although_knative_gives_it_everything() -> None:
    seen = state("rb", rolled_out="m-2", shares={"m-2": 100}, ids={"m-2": "rb"})
    assert traffic_as_route(seen, status(candidate=candidate(None, 0)), SUBJECT, damaged=False) is None
    refused = {"id": "rb", "reason": "ParityMismatch", "message": "", "at": AT}
    assert traffic_as_route(seen, status(rejected=[refused]), SUBJECT, damaged=False) is None


def test_a_lost_status_finds_stable_in_what_was_rolled_out_and_trusts_nothing_else() -> None:
    route = traffic_as_route(state(), status(), SUBJECT, damaged=False)
    assert route is not None
    assert (route.stable_id, route.rejected_ids) == ("ra", ("rb",))
    assert route.slots is not None
    assert {backend.revision for backend in route.slots} == {"ra", "rb"}


def test_counters_are_found_by_the_knative_revision() -> None:
    decided = status(stable=version("ra", 0), candidate=candidate(1, 10))
    route = traffic_as_route(state(), decided, SUBJECT, damaged=False)
    assert route is not None
    values = slot_values(SUBJECT, route)
    assert slot_clusters(values) == {0: "ml/m-1", 1: "ml/m-2"}
    assert slot_clusters(values, "{{knativeRevision}}.{{namespace}}") == {0: "m-1.ml", 1: "m-2.ml"}
    assert {slot: found.service for slot, found in slot_versions(values).items()} == {0: "m-1", 1: "m-2"}
    assert Backend(isvc="m-rb", revision="rb", weight=10) in (route.slots or ())
