"""Whose a child is: what nobody alive owns and is exactly as pinned is taken back, anything else is never touched."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from headgate_operator.controller.adopt import adoptions
from headgate_operator.controller.children import Children
from headgate_operator.controller.resources import HTTP_ROUTES, INFERENCE_SERVICES, MODEL_DEPLOYMENTS, SERVING_RUNTIMES
from headgate_operator.kserve.knative import KnativeState
from headgate_operator.kube.protocol import Resource

KEY = ("ml", "flight-delay")
EVENTS = Resource("events.k8s.io", "v1", "events", "Event")
CHILDREN = (SERVING_RUNTIMES, INFERENCE_SERVICES, HTTP_ROUTES)
STEPS = {"rollout": {"steps": [{"weight": 10, "minDuration": "1s", "minRequests": 0}]}}


async def children(world: Any) -> dict[str, Any]:
    """Every child, by kind and name."""
    listed = [(kind, await world.admin.list(kind, "ml")) for kind in CHILDREN]
    return {f"{kind.kind}/{obj['metadata']['name']}": obj for kind, found in listed for obj in found}


async def restore(world: Any, *, references: str, status: bool = True) -> str:
    """Restore the object as a backup would, with its children orphaned or still naming the dead owner; return its new uid."""
    old = await world.get(MODEL_DEPLOYMENTS)
    for kind in CHILDREN:
        for obj in await world.admin.list(kind, "ml"):
            await world.admin.patch(kind, "ml", obj["metadata"]["name"], {"metadata": {"ownerReferences": None}})
    await world.admin.delete(MODEL_DEPLOYMENTS, *KEY, uid=old["metadata"]["uid"])
    meta = {key: old["metadata"][key] for key in ("name", "namespace")}
    new = await world.admin.create(MODEL_DEPLOYMENTS, {**{key: old[key] for key in ("apiVersion", "kind", "spec")}, "metadata": meta})
    if status:
        await world.admin.replace_status(MODEL_DEPLOYMENTS, new | {"status": old["status"]})
    if references == "dead":
        dead = {**owner(old), "uid": old["metadata"]["uid"]}
        for kind in CHILDREN:
            for obj in await world.admin.list(kind, "ml"):
                await world.admin.patch(kind, "ml", obj["metadata"]["name"], {"metadata": {"ownerReferences": [dead]}})
    return str(new["metadata"]["uid"])


def owner(obj: Any) -> dict[str, Any]:
    return {key: obj[key] for key in ("apiVersion", "kind")} | {"name": obj["metadata"]["name"], "controller": True}


@pytest.mark.parametrize("references", ["none", "dead"])
async def test_after_a_restore_children_as_pinned_are_taken_back_and_nothing_else_about_them_changes(world, references) -> None:
    await world.manifest(**STEPS)
    await world.settle()
    await world.manifest(uri="s3://models/flight-delay/2", **STEPS)
    await world.settle()
    before, status = await children(world), await world.status()
    assert status.candidate is not None
    uid = await restore(world, references=references)
    assert await world.reconciler.look(KEY) == "written"
    after = await children(world)
    assert {name: [one["uid"] for one in obj["metadata"]["ownerReferences"]] for name, obj in after.items()} == {
        name: [uid] for name in before
    }
    assert {name: (obj["spec"], obj["metadata"]["uid"]) for name, obj in after.items()} == {
        name: (obj["spec"], obj["metadata"]["uid"]) for name, obj in before.items()
    }
    await world.settle()
    restored = await world.status()
    assert (restored.stable, restored.candidate.id, restored.phase) == (status.stable, status.candidate.id, status.phase)
    assert {event["reason"] for event in await world.admin.list(EVENTS, "ml")} >= {"ChildAdopted"}
    world.api.calls.clear()
    assert await world.reconciler.look(KEY) == "unchanged"
    assert world.api.writes == []


async def another_label(obj: Any) -> dict[str, Any]:
    return {"metadata": {"labels": {"headgate.dev/model-deployment": "somebody-else"}}}


async def another_model(obj: Any) -> dict[str, Any]:
    return {"spec": {"predictor": {"model": {"storageUri": "s3://models/flight-delay/other"}}}}


async def another_controller(obj: Any) -> dict[str, Any]:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": KEY[1], "uid": "3f4e8a44-1d4e-4a3c-8f5f-7a2d7f8c1111"}
    return {"metadata": {"ownerReferences": [reference | {"controller": True}]}}


@pytest.mark.parametrize("change", [another_label, another_model, another_controller])
async def test_a_child_that_is_not_exactly_ours_is_left_alone(world, change) -> None:
    await world.manifest()
    await world.settle()
    isvc = (await world.status()).stable.isvc
    await restore(world, references="none")
    await world.admin.patch(INFERENCE_SERVICES, "ml", isvc, await change(None))
    before = (await world.get(INFERENCE_SERVICES, isvc))["metadata"]["resourceVersion"]
    await world.reconciler.look(KEY)
    await world.reconciler.look(KEY)
    assert (await world.get(INFERENCE_SERVICES, isvc))["metadata"]["resourceVersion"] == before


async def test_without_its_status_nothing_is_taken_back(world) -> None:
    await world.manifest()
    await world.settle()
    await restore(world, references="none", status=False)
    before = deepcopy(await children(world))
    await world.reconciler.look(KEY)
    await world.reconciler.look(KEY)
    assert await children(world) == before
    assert any(condition.reason == "NameTaken" for condition in (await world.status()).conditions)


async def test_a_route_that_names_another_stable_version_is_left_alone(world) -> None:
    await world.manifest()
    await world.settle()
    await restore(world, references="none")
    await world.admin.patch(HTTP_ROUTES, *KEY, {"metadata": {"annotations": {"headgate.dev/stable": "rdeadbeef"}}})
    for _ in range(2):  # the first look takes back the others
        await world.reconciler.look(KEY)
    assert not (await world.get(HTTP_ROUTES))["metadata"].get("ownerReferences")
    assert any(condition.reason == "NameTaken" for condition in (await world.status()).conditions)


@pytest.mark.parametrize("kind", CHILDREN, ids=lambda kind: kind.kind)
async def test_what_somebody_else_creates_between_the_look_and_the_write_is_not_taken_over(world, kind) -> None:
    await world.manifest()
    name = KEY[1] if kind is HTTP_ROUTES else ""
    foreign: dict[str, Any] = {}

    async def somebody() -> None:
        ours = name or (await world.status()).candidate.isvc
        obj = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": ours, "namespace": "ml"}, "spec": SPECS[kind.kind]}
        foreign.update(await world.admin.create(kind, obj))

    world.api.before[("apply", kind.kind)] = somebody
    for _ in range(8):
        if await world.reconciler.look(KEY) == "conflict":
            break
        await world.kserve()
    assert foreign, "somebody was faster"
    await world.reconciler.look(KEY)
    assert await world.get(kind, foreign["metadata"]["name"]) == foreign


SPECS: dict[str, Any] = {
    "ServingRuntime": {"containers": [{"name": "kserve-container", "image": "theirs"}]},
    "InferenceService": {"predictor": {"model": {"modelFormat": {"name": "xgboost"}, "storageUri": "s3://theirs"}}},
    "HTTPRoute": {"hostnames": ["theirs.example.com"]},
}


def in_knative_mode(snapshot: Any, *, template: str, shares: dict[str, int]) -> Any:
    """The same, had the orphans of Standard mode been the one InferenceService of Knative mode with such a template and such traffic."""
    (isvc,), (runtime,) = snapshot.children.services.values(), snapshot.children.runtimes.values()
    predictor = isvc["spec"]["predictor"]
    model = predictor["model"] | {"storageUri": "s3://models/flight-delay/of-nobody-we-remember", "runtime": "of-nobody"}
    live = isvc | {"metadata": isvc["metadata"] | {"name": "flight-delay"}, "spec": {"predictor": predictor | {"model": model}}}
    state = KnativeState(
        template=template, percent=0, created="2", ready="2", rolled_out="1", rolled_out_before="", shares={"1": 100}, tagged="2",
        routed=True, ids={"1": next(iter(shares)), "2": template},
    )  # fmt: skip
    children = Children({"flight-delay": live}, {"of-nobody": runtime})
    return replace(snapshot, children=children, route=None, unowned=state)


async def test_in_knative_mode_a_refused_template_without_traffic_is_taken_back_with_what_clients_are_served_by(world) -> None:
    await world.manifest(**STEPS)
    await world.settle()
    stable = (await world.status()).stable.id
    await restore(world, references="none")
    snapshot = await world.observer.observe(KEY)
    refused = in_knative_mode(snapshot, template="rdeadbeef", shares={stable: 100})
    assert [one.resource.kind for one in adoptions(refused)] == ["ServingRuntime", "InferenceService"]
    for nobody in ("rdeadbeef", ""):
        foreign = in_knative_mode(snapshot, template="rdeadbeef", shares={nobody: 100})
        assert adoptions(foreign) == [], "clients would be served by another version than the status knows"
