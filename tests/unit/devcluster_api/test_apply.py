"""Server-side apply: merging, ownership, conflicts, and its hard edges."""

from typing import Any

import pytest

from headgate_devcluster.apiserver.errors import Refusal
from headgate_devcluster.apiserver.objects import Object


def owners(obj: Object) -> dict[str, Object]:
    return {f"{entry['manager']}/{entry['operation']}": entry["fieldsV1"] for entry in obj["metadata"]["managedFields"]}


def partial(**spec: Any) -> Object:
    """A configuration that names only some fields."""
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": spec}


def refused(api: Any, obj: Object, **options: Any) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        api.apply(obj, **options)
    return refusal.value


def test_applying_creates_what_is_not_there_and_updates_what_is(api: Any) -> None:
    first = api.apply(partial(size=1))
    assert first.created
    second = api.apply(partial(size=2))
    assert not second.created
    assert second.obj["spec"]["size"] == 2
    assert second.obj["metadata"]["uid"] == first.obj["metadata"]["uid"]
    assert second.obj["metadata"]["generation"] == 2


def test_the_applier_owns_what_it_names_and_nobody_owns_defaults(api: Any) -> None:
    obj = api.apply(partial(size=1, limits={"cpu": "1"}, ports=[{"name": "a", "port": 1}], tags=["x"])).obj
    assert owners(obj) == {
        "applier/Apply": {
            "f:spec": {
                "f:size": {},
                "f:limits": {"f:cpu": {}},
                "f:ports": {'k:{"name":"a"}': {".": {}, "f:name": {}, "f:port": {}}},
                "f:tags": {'v:"x"': {}},
            }
        }
    }


def test_applying_the_same_again_writes_nothing(api: Any) -> None:
    first = api.apply(partial(size=1, limits={"cpu": "1"})).obj
    assert api.apply(partial(size=1, limits={"cpu": "1"})).obj == first


def test_what_is_no_longer_applied_is_removed(api: Any) -> None:
    api.apply(partial(size=1, label="abc", limits={"cpu": "1", "memory": "2"}, ports=[{"name": "a"}, {"name": "b"}], tags=["x", "y"]))
    spec = api.apply(partial(size=1, limits={"cpu": "1"}, ports=[{"name": "b"}], tags=["y"])).obj["spec"]
    assert "label" not in spec
    assert spec["limits"] == {"cpu": "1"}
    assert spec["ports"] == [{"name": "b"}]
    assert spec["tags"] == ["y"]


def test_a_map_that_is_no_longer_applied_goes_as_a_whole(api: Any) -> None:
    api.apply(partial(size=1, limits={"cpu": "1"}))
    assert "limits" not in api.apply(partial(size=1)).obj["spec"]


def test_what_somebody_else_owns_as_well_stays(api: Any) -> None:
    api.apply(partial(size=1, label="abc", limits={"cpu": "1"}))
    api.apply(partial(size=1, limits={"cpu": "1"}), manager="other")
    spec = api.apply(partial(size=1)).obj["spec"]
    assert spec["limits"] == {"cpu": "1"}
    assert "label" not in spec


def test_what_others_wrote_stays_when_it_is_not_applied(api: Any, make_widget: Any) -> None:
    api.create(make_widget(label="abc", limits={"cpu": "1"}))
    spec = api.apply(partial(size=1, limits={"memory": "2"})).obj["spec"]
    assert spec["label"] == "abc"
    assert spec["limits"] == {"cpu": "1", "memory": "2"}


def test_changing_what_another_owns_is_a_conflict(api: Any) -> None:
    api.apply(partial(size=1, label="abc"))
    refusal = refused(api, partial(size=2, label="abc"), manager="other")
    assert (refusal.code, refusal.reason) == (409, "Conflict")
    assert str(refusal) == 'Apply failed with 1 conflict: conflict with "applier": .spec.size'
    assert refusal.status["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "applier"', "field": ".spec.size"}
    ]


def test_several_conflicts_are_told_per_owner(api: Any, make_widget: Any) -> None:
    api.create(make_widget(label="abc", ports=[{"name": "a", "port": 1}]))
    refusal = refused(api, partial(size=1, label="x", ports=[{"name": "a", "port": 2}]))
    assert str(refusal) == (
        'Apply failed with 2 conflicts: conflicts with "test" using example.com/v1:\n- .spec.label\n- .spec.ports[name="a"].port'
    )


def test_force_takes_the_fields_over(api: Any, make_widget: Any) -> None:
    api.create(make_widget(label="abc"))
    obj = api.apply(partial(size=2), force=True).obj
    assert obj["spec"]["size"] == 2
    assert owners(obj)["applier/Apply"] == {"f:spec": {"f:size": {}}}
    assert "f:size" not in owners(obj)["test/Update"]["f:spec"]


def test_agreeing_on_a_value_shares_the_field_without_conflict(api: Any) -> None:
    api.apply(partial(size=1))
    obj = api.apply(partial(size=1), manager="other").obj
    assert owners(obj) == {"applier/Apply": {"f:spec": {"f:size": {}}}, "other/Apply": {"f:spec": {"f:size": {}}}}


def test_an_ordinary_write_takes_a_field_from_whoever_applied_it(api: Any) -> None:
    created = api.apply(partial(size=1, label="abc")).obj
    obj = api.patch(created, lambda seen: seen | {"spec": seen["spec"] | {"size": 2}})
    assert owners(obj) == {"applier/Apply": {"f:spec": {"f:label": {}}}, "test/Update": {"f:spec": {"f:size": {}}}}


def test_a_list_without_keys_is_one_value(api: Any) -> None:
    api.apply(partial(size=1, steps=[{"weight": 1}, {"weight": 2}]))
    obj = api.apply(partial(size=1, steps=[{"weight": 3}])).obj
    assert [step["weight"] for step in obj["spec"]["steps"]] == [3]
    assert owners(obj)["applier/Apply"]["f:spec"]["f:steps"] == {}


def test_new_items_of_a_keyed_list_keep_the_applied_order_among_live_ones(api: Any, make_widget: Any) -> None:
    api.create(make_widget(ports=[{"name": "a"}, {"name": "b"}]))
    spec = api.apply(partial(size=1, ports=[{"name": "c"}, {"name": "b", "port": 2}]), force=True).obj["spec"]
    assert spec["ports"] == [{"name": "c"}, {"name": "a"}, {"name": "b", "port": 2}]


def test_labels_finalizers_and_owners_are_owned_one_by_one(api: Any) -> None:
    config = partial(size=1)
    config["metadata"] |= {
        "labels": {"a": "1"},
        "finalizers": ["example.com/f"],
        "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "u1"}],
    }
    obj = api.apply(config).obj
    assert owners(obj)["applier/Apply"]["f:metadata"] == {
        "f:labels": {"f:a": {}},
        "f:finalizers": {'v:"example.com/f"': {}},
        "f:ownerReferences": {'k:{"uid":"u1"}': {}},
    }
    other = api.patch(obj, lambda seen: seen | {"metadata": seen["metadata"] | {"labels": {"a": "1", "b": "2"}}})
    assert other["metadata"]["labels"] == {"a": "1", "b": "2"}
    assert api.apply(partial(size=1)).obj["metadata"]["labels"] == {"b": "2"}


def test_status_is_not_applied_through_the_main_door(api: Any) -> None:
    obj = api.apply(partial(size=1) | {"status": {"phase": "x"}}).obj
    assert "status" not in obj
    assert "f:status" not in owners(obj)["applier/Apply"]


def test_only_status_is_applied_through_its_own_door(api: Any) -> None:
    api.apply(partial(size=1))
    obj = api.apply(partial(size=9) | {"status": {"phase": "x"}}, subresource="status").obj
    assert obj["spec"]["size"] == 1
    assert obj["status"] == {"phase": "x"}
    assert {entry.get("subresource") for entry in obj["metadata"]["managedFields"]} == {None, "status"}


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"rolout": {}}, ".spec.rolout: field not declared in schema"),
        ({"steps": [{"weigth": 1}]}, ".spec.steps[0].weigth: field not declared in schema"),
        ({"ports": [{"name": "a", "prot": 1}]}, '.spec.ports[name="a"].prot: field not declared in schema'),
        ({"label": 5}, ".spec.label: expected string, got &value.valueUnstructured{Value:5}"),
        ({"size": "5"}, ".spec.size: expected numeric (int or float), got string"),
        ({"ports": [{"name": "a"}, {"name": "a"}]}, '.spec.ports: duplicate entries for key [name="a"]'),
        ({"tags": ["a", "a"]}, '.spec.tags: duplicate entries for key [="a"]'),
    ],
)
@pytest.mark.parametrize("validation", ["Strict", "Warn", "Ignore"])
def test_what_does_not_fit_the_schemas_types_is_an_internal_error_whatever_the_validation(
    api: Any, spec: dict[str, Any], sentence: str, validation: str
) -> None:
    refusal = refused(api, partial(size=1, **spec) if "size" not in spec else partial(**spec), field_validation=validation)
    assert (refusal.code, refusal.reason) == (500, "")
    assert str(refusal) == f"failed to create typed patch object (ml/w; example.com/v1, Kind=Widget): {sentence}"


def test_values_are_checked_after_types(api: Any) -> None:
    assert refused(api, partial(size=99)).code == 422


def test_a_uid_makes_an_apply_update_only(api: Any) -> None:
    config = partial(size=1)
    config["metadata"]["uid"] = "gone"
    refusal = refused(api, config)
    assert refusal.code == 409
    assert str(refusal).endswith("uid mismatch: the provided object specified uid gone, and no existing object was found")
    created = api.apply(partial(size=1)).obj
    assert refused(api, config).code == 422
    config["metadata"]["uid"] = created["metadata"]["uid"]
    assert api.apply(config).obj == created


def test_a_stale_resource_version_is_a_conflict(api: Any) -> None:
    config = partial(size=2)
    config["metadata"]["resourceVersion"] = api.apply(partial(size=1)).obj["metadata"]["resourceVersion"]
    api.apply(partial(size=3))
    assert refused(api, config).code == 409


def test_managed_fields_cannot_be_applied(api: Any) -> None:
    config = partial(size=1)
    config["metadata"]["managedFields"] = [{"manager": "x"}]
    assert refused(api, config).code == 400


def test_keys_of_managed_fields_are_compared_by_meaning(api: Any) -> None:
    """Other clients, kubectl among them, write `k:` elements with their keys in any order and spacing."""
    created = api.apply(partial(size=1, ports=[{"name": "a", "port": 1}])).obj
    entry = created["metadata"]["managedFields"][0]
    ports = entry["fieldsV1"]["f:spec"]["f:ports"]
    ports['k:{ "name": "a" }'] = ports.pop('k:{"name":"a"}')
    api.patch(created, lambda seen: seen | {"metadata": seen["metadata"] | {"managedFields": [entry]}})
    assert "ports" not in api.apply(partial(size=1)).obj["spec"] or api.get(created)["spec"]["ports"] == []
