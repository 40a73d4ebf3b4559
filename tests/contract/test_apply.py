"""Server-side apply: creation, ownership, conflicts, and what happens to an object that is not the one meant."""

from typing import Any

import pytest

from headgate_operator.api.crd import UNSEEN
from tests.plainhttp import APPLY, JSON_PATCH, MERGE

NOBODY = "3f4e8a44-1d4e-4a3c-8f5f-7a2d7f8c1111"


async def apply(server: Any, obj: dict[str, Any], manager: str = "a", **query: str) -> Any:
    return await server.http("PATCH", f"{server.path()}/{obj['metadata']['name']}", obj, APPLY, fieldManager=manager, **query)


def managers(obj: Any) -> dict[tuple[str, str, str], Any]:
    """What each manager owns, by name, operation and subresource."""
    entries = obj["metadata"]["managedFields"]
    return {(entry["manager"], entry["operation"], entry.get("subresource", "")): entry["fieldsV1"] for entry in entries}


async def settled(server: Any) -> Any:
    """The object after its first write: a real server stores only then the status that it shows from the beginning, a default."""
    return (await server.http("PATCH", f"{server.path()}/m", {}, MERGE)).body


async def test_applying_answers_201_for_a_creation_and_200_for_an_update(server: Any) -> None:
    first, second = await apply(server, server.model()), await apply(server, server.model())
    assert (first.status, second.status) == (201, 200)
    assert second.body == (await apply(server, server.model())).body, "an apply that changes nothing writes nothing"


async def test_applying_takes_yaml_and_needs_a_field_manager(server: Any) -> None:
    text = b"""
apiVersion: v1
kind: ConfigMap
metadata: {name: c, annotations: {since: "2026-01-01"}}
data: {at: "2026-01-01T00:00:00Z"}
"""
    path = server.path("configmaps", "/api/v1") + "/c"
    assert (await server.http("PATCH", path, text, APPLY, fieldManager="t")).body["data"] == {"at": "2026-01-01T00:00:00Z"}
    answer = await server.http("PATCH", path, text, APPLY)
    assert (answer.status, answer.body["message"]) == (
        422,
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    )


async def test_who_applied_a_field_owns_it(server: Any) -> None:
    obj = (await apply(server, server.model(rollout={"historyLimit": 7}))).body
    assert managers(obj) == {
        ("a", "Apply", ""): {
            "f:spec": {
                "f:model": {"f:format": {"f:name": {}, "f:version": {}}, "f:runtime": {}, "f:uri": {}},
                "f:rollout": {"f:historyLimit": {}},
            }
        }
    }


async def test_another_value_for_an_owned_field_is_a_conflict_that_force_wins(server: Any) -> None:
    await apply(server, server.model(rollout={"historyLimit": 7}))
    other = server.model(rollout={"historyLimit": 8})
    refused = await apply(server, other, "b")
    assert (refused.status, refused.body["reason"]) == (409, "Conflict")
    assert refused.body["message"] == 'Apply failed with 1 conflict: conflict with "a": .spec.rollout.historyLimit'
    assert refused.body["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "a"', "field": ".spec.rollout.historyLimit"}
    ]
    forced = await apply(server, other, "b", force="true")
    assert forced.body["spec"]["rollout"]["historyLimit"] == 8
    assert "f:rollout" not in managers(forced.body)["a", "Apply", ""]["f:spec"]


async def test_a_field_that_its_only_owner_no_longer_applies_is_removed(server: Any) -> None:
    await apply(server, server.model(rollout={"historyLimit": 7}))
    obj = (await apply(server, server.model())).body
    assert obj["spec"]["rollout"]["historyLimit"] == 5, "its default"


async def test_a_field_with_two_owners_stays_until_both_let_go(server: Any) -> None:
    both = server.model(rollout={"historyLimit": 7})
    await apply(server, both)
    await apply(server, both, "b")
    assert (await apply(server, server.model())).body["spec"]["rollout"]["historyLimit"] == 7
    assert (await apply(server, server.model(), "b")).body["spec"]["rollout"]["historyLimit"] == 5


async def test_a_list_of_maps_without_keys_is_owned_as_a_whole(server: Any) -> None:
    await apply(server, server.model(rollout={"steps": [{"weight": 10}]}))
    refused = await apply(server, server.model(rollout={"steps": [{"weight": 20}]}), "b")
    assert refused.body["message"] == 'Apply failed with 1 conflict: conflict with "a": .spec.rollout.steps'


async def test_a_field_set_by_an_update_is_owned_by_its_writer(server: Any) -> None:
    await apply(server, server.model())
    patched = await server.http("PATCH", f"{server.path()}/m", {"spec": {"rollout": {"historyLimit": 7}}}, MERGE, fieldManager="person")
    assert managers(patched.body)["person", "Update", ""] == {"f:spec": {"f:rollout": {"f:historyLimit": {}}}}
    refused = await apply(server, server.model(rollout={"historyLimit": 8}))
    assert refused.status == 409
    assert refused.body["message"].startswith('Apply failed with 1 conflict: conflict with "person" using headgate.dev/v1alpha1')


async def test_who_writes_the_status_owns_the_status_alone(server: Any) -> None:
    created = (await apply(server, server.model())).body
    written = await server.http("PUT", f"{server.path()}/m/status", created | {"status": {"phase": "Pending"}}, fieldManager="operator")
    assert managers(written.body)["operator", "Update", "status"] == {"f:status": {"f:phase": {}}}


async def test_applying_with_a_uid_creates_nothing_and_replaces_nobody(server: Any) -> None:
    wanted = server.model()
    wanted["metadata"]["uid"] = NOBODY
    missing = await apply(server, wanted)
    assert (missing.status, missing.body["reason"]) == (409, "Conflict")
    await apply(server, server.model())
    other = await apply(server, wanted)
    assert (other.status, other.body["reason"]) == (422, "Invalid")
    assert "metadata.uid: Invalid value" in other.body["message"]
    assert "field is immutable" in other.body["message"]


async def test_applying_with_a_stale_resource_version_is_a_conflict(server: Any) -> None:
    first = (await apply(server, server.model())).body
    await apply(server, server.model(rollout={"historyLimit": 7}))
    stale = server.model()
    stale["metadata"]["resourceVersion"] = first["metadata"]["resourceVersion"]
    refused = await apply(server, stale)
    assert (refused.status, refused.body["reason"]) == (409, "Conflict")
    assert refused.body["message"] == (
        'Operation cannot be fulfilled on modeldeployments.headgate.dev "m": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )


@pytest.mark.parametrize("kind", ["custom", "built-in"])
async def test_applying_with_a_version_that_nothing_ever_has_creates_but_touches_nothing_that_exists(server: Any, kind: str) -> None:
    """How to create by server-side apply and never take over what came into being meanwhile."""
    custom, path = server.model(), f"{server.path()}/m"
    built_in = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": server.namespace}, "data": {"a": "b"}}
    wanted, path = (custom, path) if kind == "custom" else (built_in, server.path("configmaps", "/api/v1") + "/m")
    wanted["metadata"]["resourceVersion"] = "1"
    options = {"fieldManager": "a", "force": "true"}
    created = await server.http("PATCH", path, wanted, APPLY, **options)
    assert created.status == 201, created.body
    assert created.body["metadata"]["resourceVersion"] != "1"
    for body in (wanted, wanted | {"metadata": wanted["metadata"] | {"labels": {"taken": "over"}}}):
        refused = await server.http("PATCH", path, body, APPLY, **options)
        assert (refused.status, refused.body["reason"]) == (409, "Conflict")
    assert (await server.http("GET", path)).body == created.body


async def test_applying_with_managed_fields_is_refused(server: Any) -> None:
    created = (await apply(server, server.model())).body
    wanted = server.model()
    wanted["metadata"]["managedFields"] = created["metadata"]["managedFields"]
    answer = await apply(server, wanted)
    assert (answer.status, answer.body["message"]) == (400, "metadata.managedFields must be nil")


async def test_a_status_put_with_a_stale_version_is_a_conflict(server: Any) -> None:
    stale = (await apply(server, server.model())).body
    await server.http("PATCH", f"{server.path()}/m", {"metadata": {"labels": {"a": "b"}}}, MERGE)
    answer = await server.http("PUT", f"{server.path()}/m/status", stale | {"status": {"phase": "Pending"}})
    assert (answer.status, answer.body["reason"]) == (409, "Conflict")


async def test_a_status_put_with_another_uid_is_a_conflict(server: Any) -> None:
    created = (await apply(server, server.model())).body
    other = created | {"metadata": created["metadata"] | {"uid": NOBODY}, "status": {"phase": "Pending"}}
    answer = await server.http("PUT", f"{server.path()}/m/status", other)
    assert (answer.status, answer.body["reason"]) == (409, "Conflict")
    assert "Precondition failed: UID in precondition" in answer.body["message"]


async def test_the_status_is_written_by_its_own_door_only_and_moves_no_generation(server: Any) -> None:
    await server.http("POST", server.path(), server.model() | {"status": {"phase": "Pending"}})
    obj = (await server.http("GET", f"{server.path()}/m")).body
    assert obj["status"] == UNSEEN
    obj = (await server.http("PUT", f"{server.path()}/m", obj | {"status": {"phase": "Pending"}})).body
    assert obj["status"] == UNSEEN
    changed = obj | {"status": {"phase": "Pending"}, "spec": obj["spec"] | {"rollout": {"historyLimit": 3}}}
    obj = (await server.http("PUT", f"{server.path()}/m/status", changed)).body
    assert (obj["status"], obj["metadata"]["generation"], obj["spec"]["rollout"]["historyLimit"]) == ({"phase": "Pending"}, 1, 5)
    obj = (await server.http("PATCH", f"{server.path()}/m", {"metadata": {"annotations": {"a": "b"}}}, MERGE)).body
    assert obj["metadata"]["generation"] == 1
    obj = (await server.http("PATCH", f"{server.path()}/m", {"spec": {"rollout": {"historyLimit": 3}}}, MERGE)).body
    assert (obj["metadata"]["generation"], obj["status"]) == (2, {"phase": "Pending"})


async def test_a_write_that_changes_nothing_keeps_the_resource_version(server: Any) -> None:
    await server.http("POST", server.path(), server.model())
    obj = await settled(server)
    again = (await server.http("PUT", f"{server.path()}/m", obj)).body
    patched = (await server.http("PATCH", f"{server.path()}/m", {"spec": obj["spec"]}, MERGE)).body
    assert again["metadata"]["resourceVersion"] == patched["metadata"]["resourceVersion"] == obj["metadata"]["resourceVersion"]


async def test_a_merge_patch_keeps_other_keys_and_null_removes_one(server: Any) -> None:
    await server.http("POST", server.path(), server.model(rollout={"historyLimit": 7, "maxDuration": "2h"}))
    patched = await server.http("PATCH", f"{server.path()}/m", {"spec": {"rollout": {"maxDuration": None}}}, MERGE)
    assert patched.body["spec"]["rollout"]["historyLimit"] == 7
    assert patched.body["spec"]["rollout"].get("maxDuration") != "2h"


@pytest.mark.parametrize(
    ("patch", "status"),
    [
        ([{"op": "test", "path": "/metadata/resourceVersion", "value": "1"}], 422),
        ([{"op": "remove", "path": "/spec/nothing"}], 422),
        ([{"op": "replace", "path": "/spec/nothing/below", "value": 1}], 422),
        ([{"op": "add", "path": "/spec/rollout", "value": {"historyLimit": 7}}], 200),
        ([{"op": "test", "path": "/spec/model/runtime", "value": "headgate-xgboost"}], 200),
        ([{"op": "dance", "path": "/spec"}], 422),
        ({"op": "add"}, 400),
    ],
)
async def test_json_patches(server: Any, patch: Any, status: int) -> None:
    await server.http("POST", server.path(), server.model())
    answer = await server.http("PATCH", f"{server.path()}/m", patch, JSON_PATCH)
    assert answer.status == status, answer.body


async def test_a_patch_of_what_does_not_exist_is_not_found(server: Any) -> None:
    assert (await server.http("PATCH", f"{server.path()}/m", {}, MERGE)).status == 404
    assert (await server.http("PATCH", f"{server.path()}/m", [], JSON_PATCH)).status == 404
    assert (await server.http("PATCH", f"{server.path()}/m/status", server.model(), APPLY, fieldManager="a")).status == 404


async def test_a_patch_with_a_stale_version_is_a_conflict(server: Any) -> None:
    first = (await server.http("POST", server.path(), server.model())).body
    await server.http("PATCH", f"{server.path()}/m", {"metadata": {"labels": {"a": "b"}}}, MERGE)
    stale = {"metadata": {"resourceVersion": first["metadata"]["resourceVersion"], "labels": {"a": "c"}}}
    assert (await server.http("PATCH", f"{server.path()}/m", stale, MERGE)).status == 409


async def test_a_patch_that_makes_an_object_invalid_is_refused(server: Any) -> None:
    await server.http("POST", server.path(), server.model())
    answer = await server.http("PATCH", f"{server.path()}/m", {"spec": {"model": {"uri": "models:/m/1"}}}, MERGE)
    assert (answer.status, answer.body["reason"]) == (422, "Invalid")


async def test_labels_and_names_are_checked(server: Any) -> None:
    for change, words in (
        ({"labels": {"a b": "c"}}, "metadata.labels: Invalid value: "),
        ({"labels": {"a": "b" * 64}}, "metadata.labels: Invalid value: "),
        ({"annotations": {"a b": "c"}}, "metadata.annotations: Invalid value: "),
        ({"name": "M"}, 'metadata.name: Invalid value: "M": a lowercase RFC 1123 subdomain must consist of'),
        ({"ownerReferences": [{"kind": "X"}]}, "metadata.ownerReferences"),
        ({"finalizers": ["a b"]}, "metadata.finalizers"),
    ):
        obj = server.model()
        obj["metadata"] |= change
        answer = await server.http("POST", server.path(), obj)
        assert (answer.status, words in answer.body["message"]) == (422, True), answer.body
