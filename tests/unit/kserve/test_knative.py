"""Knative mode: every trap of canaryTrafficPercent, from statuses as KServe writes them."""

from typing import Any

import pytest

from headgate_operator.api.names import REVISION_ANNOTATION
from headgate_operator.api.status import Rendered
from headgate_operator.kserve.children import Owner, Scaling
from headgate_operator.kserve.knative import KnativeState, by_revision, read_revision, read_state
from headgate_operator.kserve.knative_write import Step, Wish, knative_service, live_scaling, next_step, percent_only

A, B, C = "r000000aa", "r000000bb", "r000000cc"
OWNER = Owner("m", "uid-1")


def name(number: int) -> str:
    return f"m-predictor-{number:05d}"


def deployment(number: int, revision: str, *, replicas: int = 1, available: int = 1) -> dict[str, Any]:
    notes = {REVISION_ANNOTATION: revision, "internal.serving.kserve.io/storage-initializer-sourceuri": f"s3://m/{revision}"}
    return {
        "metadata": {"name": f"{name(number)}-deployment", "labels": {"serving.knative.dev/revision": name(number)}, "generation": 2},
        "spec": {"replicas": replicas, "template": {"metadata": {"annotations": notes}}},
        "status": {"observedGeneration": 2, "availableReplicas": available},
    }


def isvc(
    template: str,
    percent: int | None,
    *,
    created: int = 0,
    ready: int = 0,
    rolled_out: int = 0,
    before: int = 0,
    traffic: dict[int, int] | None = None,
    routed: str = "True",
) -> dict[str, Any]:
    """An InferenceService; `traffic` is by number, the first entry being the latest's."""
    given = {"latestCreatedRevision": created, "latestReadyRevision": ready, "latestRolledoutRevision": rolled_out}
    part: dict[str, Any] = {key: name(number) for key, number in (given | {"previousRolledoutRevision": before}).items() if number}
    entries = [{"revisionName": name(number), "percent": share} for number, share in (traffic or {}).items()]
    for position, entry in enumerate(entries):
        entry |= {"latestRevision": position == 0, "tag": ("latest", "prev")[position]}
    part["traffic"] = entries
    predictor: dict[str, Any] = {"minReplicas": 2, "maxReplicas": 4, "model": {"storageUri": f"s3://m/{template}"}}
    if percent is not None:
        predictor["canaryTrafficPercent"] = percent
    return {
        "metadata": {
            "name": "m",
            "namespace": "ml",
            "annotations": {REVISION_ANNOTATION: template},
            "ownerReferences": [{"uid": OWNER.uid, "controller": True}],
        },
        "spec": {"predictor": predictor},
        "status": {"components": {"predictor": part}, "conditions": [{"type": "PredictorRouteReady", "status": routed}]},
    }


def state(*args: Any, ids: dict[int, str] | None = None, **options: Any) -> KnativeState:
    found = {1: A, 2: B, 3: C} if ids is None else ids
    return read_state(isvc(*args, **options), [deployment(number, revision) for number, revision in found.items()])


CANARY = {"created": 2, "ready": 2, "rolled_out": 1}


def wish(stable: str | None, candidate: str | None = None, **weights: int) -> Wish:
    return Wish(stable=stable, candidate=candidate, weights={{"a": A, "b": B, "c": C}[who]: weight for who, weight in weights.items()})


@pytest.mark.parametrize(
    ("seen", "wanted", "step"),
    [
        pytest.param(None, wish(None, A), Step(template=A, percent=0), id="a first revision carries the percentage"),
        pytest.param(None, wish(A, B, a=90, b=10), Step(template=A, percent=0), id="after a deletion stable comes first"),
        pytest.param(
            state(A, 0, created=1, ready=1, rolled_out=1), wish(A, a=100), Step(template=A, percent=100), id="a promoted first one gets all"
        ),
        pytest.param(
            state(A, 100, created=1, ready=1, rolled_out=1), wish(A, B, a=100), Step(template=B, percent=0), id="a new one comes with 0"
        ),
        pytest.param(
            state(B, 0, created=2, ready=1, rolled_out=1), wish(A, B, a=90, b=10), Step(template=B, percent=0), id="0 while it starts"
        ),
        pytest.param(state(B, 0, **CANARY), wish(A, B, a=90, b=10), Step(template=B, percent=10), id="then its share"),
        pytest.param(
            state(B, 10, created=3, ready=2, rolled_out=1, ids={1: A, 2: B, 3: B}),
            wish(A, B, a=50, b=50),
            Step(template=B, percent=10),
            id="no more while KServe makes another revision of it",
        ),
        pytest.param(
            state(C, 0, created=3, ready=2, rolled_out=1),
            wish(A, C, a=90, c=10),
            Step(template=C, percent=0),
            id="after a rollback the latest ready one is still the refused one",
        ),
        pytest.param(
            state(B, 0, created=2, ready=2, rolled_out=1, ids={1: A, 2: A}),
            wish(A, B, a=90, b=10),
            Step(template=B, percent=0),
            id="a latest revision that is not what was asked for",
        ),
        pytest.param(state(B, 10, **CANARY), wish(A, a=100), Step(template=None, percent=0), id="refused: 0, and its template stays"),
        pytest.param(state(B, None, **CANARY), wish(A, a=100), Step(template=None, percent=0), id="an omitted percentage is put back"),
        pytest.param(state(B, 50, **CANARY), wish(B, b=90, a=10), Step(template=B, percent=90), id="promoted with a holdback"),
        pytest.param(state(B, 90, **CANARY), wish(A, a=100), Step(template=None, percent=0), id="rolled back during the watch"),
        pytest.param(state(B, 90, **CANARY), wish(B, b=100), Step(template=B, percent=100), id="after the watch all"),
        pytest.param(
            state(B, 100, created=2, ready=2, rolled_out=2, before=1),
            wish(A, a=100),
            Step(template=None, percent=0),
            id="below 100 onto a rolled out revision KServe itself brings the one before back",
        ),
        pytest.param(
            state(B, 0, created=2, ready=2, rolled_out=2, before=1),
            wish(A, C, a=100),
            Step(template=None, percent=0),
            id="and until it has, no new template, which would keep it from doing so",
        ),
        pytest.param(
            state(B, 100, created=2, ready=2, rolled_out=1),
            wish(B, C, b=100),
            Step(template=B, percent=100),
            id="no candidate before the promoted one was seen rolled out",
        ),
        pytest.param(
            state(C, 0, created=3, ready=3, rolled_out=1), wish(B, b=100), Step(template=B, percent=0), id="a forgotten one comes again"
        ),
        pytest.param(
            state(B, 0, created=4, ready=3, rolled_out=1, ids={1: A, 3: C, 4: B}),
            wish(B, b=100),
            Step(template=B, percent=0),
            id="without traffic until it is ready",
        ),
    ],
)  # fmt: skip
def test_the_next_write_is(seen: KnativeState | None, wanted: Wish, step: Step) -> None:
    assert next_step(seen, wanted) == step


def test_a_template_that_nobody_remembers_can_still_lose_its_traffic() -> None:
    assert percent_only(state(B, 10, **CANARY), wish(A, a=100)) == Step(template=None, percent=0)


def test_what_is_applied_always_has_a_percentage() -> None:
    rendered = Rendered(inference_service={"metadata": {"name": "m"}, "spec": {"predictor": {"model": {}}}}, serving_runtime={})
    made = knative_service(rendered, owner=OWNER, scaling=Scaling(min_replicas=1, max_replicas=1), percent=0)
    assert made["spec"]["predictor"]["canaryTrafficPercent"] == 0


def test_replica_bounds_are_read_back_so_that_they_make_no_revision() -> None:
    assert live_scaling(isvc(A, 0)) == Scaling(min_replicas=2, max_replicas=4)


def test_weights_are_what_the_traffic_says_and_nothing_is_known_while_a_part_goes_to_a_foreign_revision() -> None:
    assert state(B, 10, **CANARY, traffic={2: 10, 1: 90}).weights() == {A: 90, B: 10}
    assert state(A, 0, created=1, ready=1, rolled_out=1, traffic={1: 0}).weights() is None
    assert state(B, 10, **CANARY, traffic={2: 10, 1: 90}, ids={2: B}).weights() is None


def test_two_revisions_of_one_id_share_a_weight_and_the_one_with_traffic_answers_for_it() -> None:
    seen = state(A, 0, created=3, ready=3, rolled_out=1, traffic={3: 0, 1: 100}, ids={1: A, 2: B, 3: A})
    assert seen.weights() == {A: 100}
    assert seen.serving(A) == name(1)
    assert seen.on_trial(A) == name(3)
    assert seen.on_trial(B) is None


@pytest.mark.parametrize(
    ("percent", "traffic", "routed", "accepted"),
    [
        (10, {2: 10, 1: 90}, "True", True),
        (10, {2: 10, 1: 90}, "Unknown", False),
        (50, {2: 10, 1: 90}, "True", False),
        (0, {}, "True", False),
    ],
)
def test_traffic_counts_when_the_ingress_serves_it_and_it_is_what_was_asked_for(
    percent: int, traffic: dict[int, int], routed: str, accepted: bool
) -> None:
    assert state(B, percent, **CANARY, traffic=traffic, routed=routed).routed is accepted


def revision(number: int | None, obj: dict[str, Any], *deployments: dict[str, Any], on_trial: bool = False) -> Any:
    found = None if number is None else name(number)
    return read_revision(
        found,
        isvc=obj,
        state=read_state(obj, deployments),
        deployment=by_revision(deployments).get(found or ""),
        pods=(),
        owner=OWNER,
        on_trial=on_trial,
    )


def test_a_candidate_is_ready_only_as_the_newest_revision_with_the_model_named_now() -> None:
    obj = isvc(B, 0, **CANARY, traffic={2: 0, 1: 100})
    assert revision(2, obj, deployment(1, A), deployment(2, B), on_trial=True).rolled_out
    assert not revision(2, isvc(B, 0, created=2, ready=1, rolled_out=1), deployment(2, B), on_trial=True).rolled_out
    assert not revision(2, obj, deployment(2, C), on_trial=True).rolled_out
    assert not revision(None, obj, on_trial=True).rolled_out


def test_a_candidate_is_not_asked_while_the_revision_before_it_may_answer_in_its_place() -> None:
    stale = revision(2, isvc(B, 0, **CANARY, traffic={1: 0, 9: 100}), deployment(2, B), on_trial=True)
    assert (stale.rolled_out, stale.not_ready) == (False, "Knative does not serve it at an address of its own yet")
    assert not revision(2, isvc(B, 0, **CANARY, traffic={2: 0, 1: 100}, routed="Unknown"), deployment(2, B), on_trial=True).rolled_out


def test_ready_of_the_inference_service_says_nothing_of_the_revision_that_serves() -> None:
    obj = isvc(B, 0, created=2, ready=1, rolled_out=1)
    obj["status"]["conditions"].append({"type": "Ready", "status": "False", "reason": "RevisionFailed", "message": "no such image"})
    stable = revision(1, obj, deployment(1, A), deployment(2, B))
    assert (stable.isvc_ready, stable.rolled_out, stable.available_replicas) == (True, True, 1)
    assert "no such image" in revision(2, obj, deployment(1, A), deployment(2, B, available=0), on_trial=True).not_ready


def test_a_revision_without_replicas_sleeps_if_knative_took_them_and_is_down_if_it_lost_them() -> None:
    obj = isvc(B, 100, created=2, ready=2, rolled_out=2, before=1)
    assert revision(1, obj, deployment(1, A, replicas=0, available=0)).asleep
    assert not revision(1, obj, deployment(1, A, replicas=1, available=0)).asleep
