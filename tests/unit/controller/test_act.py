"""The order of writes, and that nothing is written for nothing, over somebody else, or without being asked."""

from datetime import UTC, datetime, timedelta

import pytest

from headgate_operator.api.names import COMMAND_ANNOTATION
from headgate_operator.controller.resources import HTTP_ROUTES, INFERENCE_SERVICES, MODEL_DEPLOYMENTS, SERVING_RUNTIMES
from headgate_operator.kube.protocol import ApiError, Resource, UnavailableError

KEY = ("ml", "flight-delay")


EVENTS = Resource("events.k8s.io", "v1", "events", "Event")


STEPS = {"rollout": {"steps": [{"weight": 10, "minDuration": "1s", "minRequests": 0}]}}


async def test_the_first_revision_is_created_served_and_then_left_alone(world) -> None:
    await world.manifest()
    await world.settle()
    status = await world.status()
    assert status.stable is not None
    assert await world.weights() == {f"{status.stable.isvc}-predictor": 100}
    assert status.phase == "Healthy"
    world.api.calls.clear()
    assert await world.reconciler.look(KEY) == "unchanged"
    assert world.api.writes == []


async def test_status_is_written_before_children_and_the_runtime_copy_before_the_service_that_names_it(world) -> None:
    await world.manifest()
    await world.reconciler.look(KEY)
    assert world.api.writes[:3] == [("replace_status", "ModelDeployment"), ("apply", "ServingRuntime"), ("apply", "InferenceService")]
    assert {verb for verb, kind in world.api.writes[3:] if kind != "Event"} <= set()


async def test_the_weight_is_on_record_before_the_route_says_so(world) -> None:
    await world.manifest()
    await world.settle()
    await world.manifest(uri="s3://models/flight-delay/2", **STEPS)
    for _ in range(8):
        world.api.calls.clear()
        await world.reconciler.look(KEY)
        await world.kserve()
        kinds = [kind for verb, kind in world.api.writes if kind != "Event"]
        if "HTTPRoute" in kinds:
            break
    assert kinds[0] == "ModelDeployment"
    assert kinds[-1] == "HTTPRoute"
    assert (await world.status()).candidate.weight == 10
    assert sorted((await world.weights()).values()) == [10, 90]


async def test_somebody_who_wrote_in_between_wins_and_we_look_again(world) -> None:
    await world.manifest()

    async def edit() -> None:
        await world.manifest(uri="s3://models/flight-delay/2")

    world.api.before[("replace_status", "ModelDeployment")] = edit
    assert await world.reconciler.look(KEY) == "conflict"
    assert ("apply", "InferenceService") not in world.api.writes
    await world.settle()
    assert (await world.status()).stable.version == "2"


async def test_a_child_changed_since_it_was_looked_at_is_not_overwritten(world) -> None:
    await world.manifest()
    await world.settle()
    isvc = (await world.status()).stable.isvc
    await world.manifest(predictor={"replicas": {"min": 2}})

    async def touch() -> None:
        await world.admin.patch(INFERENCE_SERVICES, "ml", isvc, {"metadata": {"annotations": {"touched": "yes"}}})

    world.api.before[("apply", "InferenceService")] = touch
    assert await world.reconciler.look(KEY) == "conflict"
    assert (await world.get(INFERENCE_SERVICES, isvc))["spec"]["predictor"]["minReplicas"] == 1
    await world.settle()
    assert (await world.get(INFERENCE_SERVICES, isvc))["spec"]["predictor"]["minReplicas"] == 2


async def test_a_child_deleted_and_made_anew_by_somebody_else_since_is_not_touched(world) -> None:
    await world.manifest()
    await world.settle()
    isvc = (await world.status()).stable.isvc
    live = await world.get(INFERENCE_SERVICES, isvc)
    await world.manifest(predictor={"replicas": {"min": 2}})

    async def replace() -> None:
        await world.admin.delete(INFERENCE_SERVICES, "ml", isvc, uid=live["metadata"]["uid"])
        foreign = {
            "apiVersion": live["apiVersion"],
            "kind": live["kind"],
            "metadata": {"name": isvc, "namespace": "ml"},
            "spec": live["spec"],
        }
        await world.admin.create(INFERENCE_SERVICES, foreign)

    world.api.before[("apply", "InferenceService")] = replace
    assert await world.reconciler.look(KEY) == "conflict"
    world.api.calls.clear()
    await world.reconciler.look(KEY)
    assert ("apply", "InferenceService") not in world.api.writes
    assert "ownerReferences" not in (await world.get(INFERENCE_SERVICES, isvc))["metadata"]


async def test_a_name_that_somebody_else_has_is_never_taken_over(world) -> None:
    await world.manifest()
    await world.reconciler.look(KEY)
    isvc = (await world.status()).candidate.isvc
    other = await world.get(INFERENCE_SERVICES, isvc)
    await world.admin.patch(INFERENCE_SERVICES, "ml", isvc, {"metadata": {"ownerReferences": None, "labels": None}})
    world.api.calls.clear()
    await world.reconciler.look(KEY)
    await world.reconciler.look(KEY)
    assert [write for write in world.api.writes if write[1] not in ("ModelDeployment", "Event")] == []
    assert (await world.get(INFERENCE_SERVICES, isvc))["metadata"]["uid"] == other["metadata"]["uid"]
    assert any(condition.reason == "NameTaken" for condition in (await world.status()).conditions)


async def test_a_command_is_acknowledged_in_status_before_its_annotation_goes(world) -> None:
    await world.manifest()
    await world.settle()
    await world.manifest(annotations={COMMAND_ANNOTATION: "abort@r00000000"})
    world.api.calls.clear()
    await world.reconciler.look(KEY)
    assert world.api.writes[0] == ("replace_status", "ModelDeployment")
    assert world.api.writes[-1] == ("patch", "ModelDeployment")
    obj = await world.get(MODEL_DEPLOYMENTS)
    assert COMMAND_ANNOTATION not in obj["metadata"].get("annotations", {})
    assert obj["status"]["lastCommand"]["result"].startswith("Ignored")


async def test_a_command_replaced_meanwhile_is_not_removed(world) -> None:
    await world.manifest()
    await world.settle()
    await world.manifest(annotations={COMMAND_ANNOTATION: "abort@r00000000"})

    async def another() -> None:
        await world.manifest(annotations={COMMAND_ANNOTATION: "abort@r11111111"})

    world.api.before[("patch", "ModelDeployment")] = another
    assert await world.reconciler.look(KEY) == "conflict"
    assert (await world.get(MODEL_DEPLOYMENTS))["metadata"]["annotations"][COMMAND_ANNOTATION] == "abort@r11111111"


async def test_what_is_on_record_is_told_even_if_a_child_cannot_be_written(world) -> None:
    await world.manifest()

    async def fail() -> None:
        raise UnavailableError("no time", 503)

    world.api.before[("apply", "ServingRuntime")] = fail
    assert await world.reconciler.look(KEY) == "error"
    assert [event["reason"] for event in await world.admin.list(EVENTS, "ml")] == ["CandidateStarted"]
    await world.settle()
    assert (await world.status()).phase == "Healthy"


async def test_the_route_does_not_wait_for_a_service_that_cannot_be_written(world) -> None:
    """KServe's webhook may be down just when a candidate has to lose its weight."""
    await world.manifest()
    await world.settle()
    await world.manifest(predictor={"replicas": {"min": 3}}, serving={"hostnames": ["changed.example.com"]})

    async def fail() -> None:
        raise UnavailableError("failed calling webhook", 500)

    world.api.before[("apply", "InferenceService")] = fail
    assert await world.reconciler.look(KEY) == "error"
    assert (await world.get(HTTP_ROUTES))["spec"]["hostnames"] == ["changed.example.com"]
    await world.settle()
    assert (await world.get(INFERENCE_SERVICES, (await world.status()).stable.isvc))["spec"]["predictor"]["minReplicas"] == 3


@pytest.mark.parametrize("mode", ["Standard", "Knative"])
async def test_a_service_that_kserve_refuses_is_told_in_its_words_until_it_is_taken(world, mode) -> None:
    said = "admission webhook denied the request: bad resources"

    async def refuse() -> None:
        raise ApiError(f"PATCH inferenceservices ml/x: {said}", 403)

    async def refused() -> None:
        world.api.before[("apply", "InferenceService")] = refuse
        assert await world.reconciler.look(KEY) == "error"

    await world.manifest(serving={"mode": mode}, rollout={"watch": {"holdback": 5}})
    await refused()
    notes = [event["note"] for event in await world.admin.list(EVENTS, "ml") if event["reason"] == "InvalidSpec"]
    assert len(notes) == 1
    assert said in notes[0]
    await refused()
    status = await world.status()
    assert (status.phase, status.candidate.hold_reason) == ("Stalled", "InvalidSpec")
    assert {c.type: (c.reason, said in c.message) for c in status.conditions if c.type in ("Stalled", "CandidateAccepted")} == {
        "Stalled": ("InvalidSpec", True),
        "CandidateAccepted": ("InvalidSpec", True),
    }
    await refused()
    assert await world.status() == status, "what is known is not written again"
    assert len([event for event in await world.admin.list(EVENTS, "ml") if event["reason"] == "InvalidSpec"]) == 1
    assert await world.reconciler.look(KEY) == "written"
    await world.reconciler.look(KEY)
    assert [c.reason for c in (await world.status()).conditions if c.type == "Stalled"] == []


async def test_a_webhook_that_is_down_refuses_nothing(world) -> None:
    async def fail() -> None:
        raise UnavailableError("failed calling webhook", 500)

    await world.manifest()
    for _ in range(2):
        world.api.before[("apply", "InferenceService")] = fail
        assert await world.reconciler.look(KEY) == "error"
    assert [c.reason for c in (await world.status()).conditions if c.type == "Stalled"] == []


async def test_a_superseded_version_is_deleted_with_its_runtime_copy(world) -> None:
    await world.manifest()
    await world.settle()
    await world.manifest(uri="s3://models/flight-delay/2")
    await world.reconciler.look(KEY)
    gone = (await world.status()).candidate.isvc
    await world.manifest(uri="s3://models/flight-delay/3")
    await world.settle()
    for minutes in (2, 30):  # answers in flight, then the warm time
        world.clock.append(datetime.now(UTC) + timedelta(minutes=minutes))
        await world.settle()
    assert gone not in {obj["metadata"]["name"] for obj in await world.admin.list(INFERENCE_SERVICES, "ml")}
    assert gone not in {obj["metadata"]["name"] for obj in await world.admin.list(SERVING_RUNTIMES, "ml")}


@pytest.mark.parametrize("resource", [INFERENCE_SERVICES, SERVING_RUNTIMES, HTTP_ROUTES])
async def test_every_child_is_owned_and_goes_with_its_owner(world, resource) -> None:
    await world.manifest()
    await world.settle()
    uid = (await world.get(MODEL_DEPLOYMENTS))["metadata"]["uid"]
    (child,) = await world.admin.list(resource, "ml")
    assert child["metadata"]["ownerReferences"][0]["uid"] == uid
    assert child["metadata"]["labels"]["headgate.dev/model-deployment"] == KEY[1]


async def test_what_the_autoscaler_aims_at_is_written_changed_and_given_up_on_the_live_object(world) -> None:
    await world.manifest(predictor={"replicas": {"min": 1, "max": 4, "metric": "memory", "target": 60}})
    await world.settle()
    stable = (await world.status()).stable
    predictor = (await world.get(INFERENCE_SERVICES, stable.isvc))["spec"]["predictor"]
    assert (predictor["scaleMetric"], predictor["scaleTarget"]) == ("memory", 60)
    await world.manifest(predictor={"replicas": {"min": 1, "max": 4, "metric": "cpu"}})
    await world.settle()
    predictor = (await world.get(INFERENCE_SERVICES, stable.isvc))["spec"]["predictor"]
    assert predictor["scaleMetric"] == "cpu"
    assert "scaleTarget" not in predictor
    assert (await world.status()).stable.id == stable.id, "no new revision"
    assert "ChildRestored" not in {event["reason"] for event in await world.admin.list(EVENTS, "ml")}
