"""What somebody else changed or deleted is put back, and told; what we change ourselves is not."""

from datetime import UTC, datetime, timedelta

import pytest

from headgate_operator.controller.resources import HTTP_ROUTES, INFERENCE_SERVICES, SERVING_RUNTIMES
from headgate_operator.kube.protocol import Resource

KEY = ("ml", "flight-delay")
EVENTS = Resource("events.k8s.io", "v1", "events", "Event")


async def test_an_edited_child_is_put_back_with_an_event(world) -> None:
    await world.manifest()
    await world.settle()
    isvc = (await world.status()).stable.isvc
    edit = {"spec": {"predictor": {"model": {"storageUri": "s3://elsewhere"}}}}
    await world.admin.patch(INFERENCE_SERVICES, "ml", isvc, edit)
    await world.settle()
    assert (await world.get(INFERENCE_SERVICES, isvc))["spec"]["predictor"]["model"]["storageUri"] == "s3://models/flight-delay/1"
    assert any(event["reason"] == "ChildRestored" for event in await world.admin.list(EVENTS, "ml"))


async def test_what_somebody_adds_to_the_route_to_keep_requests_away_is_taken_out_again(world) -> None:
    await world.manifest()
    await world.settle()
    (rule,) = (await world.get(HTTP_ROUTES))["spec"]["rules"]
    only_some = [{"path": {"type": "PathPrefix", "value": "/v1"}}]
    await world.admin.patch(HTTP_ROUTES, *KEY, {"spec": {"rules": [rule | {"matches": only_some}]}})
    await world.settle()
    assert (await world.get(HTTP_ROUTES))["spec"]["rules"] == [rule]
    (event,) = (event for event in await world.admin.list(EVENTS, "ml") if event["reason"] == "ChildRestored")
    assert "HTTPRoute was edited" in event["note"]


@pytest.mark.parametrize(
    ("kind", "edit"),
    [
        ("InferenceService", {"spec": {"predictor": {"minReplicas": 7}}}),
        ("HTTPRoute", {"spec": {"hostnames": ["elsewhere.example.com"]}}),
    ],
)
async def test_what_may_change_by_our_own_hand_is_put_back_with_the_name_of_who_changed_it(world, kind, edit) -> None:
    await world.manifest()
    await world.settle()
    name = (await world.status()).stable.isvc if kind == "InferenceService" else KEY[1]
    resource = INFERENCE_SERVICES if kind == "InferenceService" else HTTP_ROUTES
    before = (await world.get(resource, name))["spec"]
    await world.admin.patch(resource, "ml", name, edit)
    await world.settle()
    assert (await world.get(resource, name))["spec"] == before
    (event,) = (event for event in await world.admin.list(EVENTS, "ml") if event["reason"] == "ChildRestored")
    assert event["note"].startswith(f"{kind} {name} was edited by OpenAPI-Generator and is put back")


async def test_a_changed_hostname_is_written_without_crying_restored(world) -> None:
    await world.manifest()
    await world.settle()
    await world.manifest(serving={"hostnames": ["new.example.com"]})
    await world.settle()
    assert (await world.get(HTTP_ROUTES))["spec"]["hostnames"] == ["new.example.com"]
    assert not any(event["reason"] == "ChildRestored" for event in await world.admin.list(EVENTS, "ml"))


async def test_changed_replica_bounds_are_written_without_crying_restored(world) -> None:
    await world.manifest()
    await world.settle()
    await world.manifest(predictor={"replicas": {"min": 3}})
    await world.settle()
    isvc = await world.get(INFERENCE_SERVICES, (await world.status()).stable.isvc)
    assert isvc["spec"]["predictor"]["minReplicas"] == 3
    assert not any(event["reason"] == "ChildRestored" for event in await world.admin.list(EVENTS, "ml"))


async def test_a_deleted_route_and_runtime_copy_come_back(world) -> None:
    await world.manifest()
    await world.settle()
    isvc = (await world.status()).stable.isvc
    for resource, name in ((HTTP_ROUTES, KEY[1]), (SERVING_RUNTIMES, isvc)):
        live = await world.get(resource, name)
        await world.admin.delete(resource, "ml", name, uid=live["metadata"]["uid"])
    await world.settle()
    await world.get(HTTP_ROUTES)
    await world.get(SERVING_RUNTIMES, isvc)
    assert (await world.status()).phase == "Healthy"


async def test_a_runtime_copy_that_nobody_uses_is_swept_up_and_one_of_another_owner_is_not(world) -> None:
    await world.manifest()
    await world.settle()
    ours = await world.get(SERVING_RUNTIMES, (await world.status()).stable.isvc)
    metadata = {"name": "left-over", "namespace": "ml", "labels": ours["metadata"]["labels"]}
    copy = {key: ours[key] for key in ("apiVersion", "kind", "spec")}
    await world.admin.create(SERVING_RUNTIMES, copy | {"metadata": metadata | {"ownerReferences": ours["metadata"]["ownerReferences"]}})
    await world.admin.create(SERVING_RUNTIMES, copy | {"metadata": metadata | {"name": "foreign"}})
    await world.settle()
    assert await world.admin.get(SERVING_RUNTIMES, "ml", "left-over") is not None  # nothing told of it
    world.clock.append(datetime.now(UTC) + timedelta(hours=1))  # but by now everything was listed again
    await world.settle()
    assert {runtime["metadata"]["name"] for runtime in await world.admin.list(SERVING_RUNTIMES, "ml")} == {
        ours["metadata"]["name"],
        "foreign",
    }


async def test_the_runtime_copy_of_a_service_that_is_put_back_stays(world) -> None:
    await world.manifest()
    await world.settle()
    isvc = (await world.status()).stable.isvc
    copy = await world.get(SERVING_RUNTIMES, isvc)
    live = await world.get(INFERENCE_SERVICES, isvc)
    await world.admin.delete(INFERENCE_SERVICES, "ml", isvc, uid=live["metadata"]["uid"])
    world.api.calls.clear()
    await world.reconciler.look(KEY)
    assert [write for write in world.api.writes if write[1] in ("ServingRuntime", "InferenceService")] == [("apply", "InferenceService")]
    assert (await world.get(SERVING_RUNTIMES, isvc))["metadata"]["uid"] == copy["metadata"]["uid"]


async def test_a_deleted_service_is_put_back_with_an_event(world) -> None:
    await world.manifest()
    await world.settle()
    stable = (await world.status()).stable
    live = await world.get(INFERENCE_SERVICES, stable.isvc)
    await world.admin.delete(INFERENCE_SERVICES, "ml", stable.isvc, uid=live["metadata"]["uid"])
    await world.reconciler.look(("ml", "flight-delay"))
    assert (await world.get(INFERENCE_SERVICES, stable.isvc))["metadata"]["uid"] != live["metadata"]["uid"]
    told = [event["note"] for event in await world.admin.list(EVENTS, "ml") if event["reason"] == "ChildRestored"]
    assert told == [f"InferenceService {stable.isvc} was deleted by somebody else and is put back"]
