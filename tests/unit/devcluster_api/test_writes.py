"""Create, replace, patch: what the server adds, keeps and refuses."""

from typing import Any

import pytest

from headgate_devcluster.apiserver.errors import Refusal


def change(**spec: Any) -> Any:
    return lambda seen: seen | {"spec": seen["spec"] | spec}


def with_metadata(**metadata: Any) -> Any:
    return lambda seen: seen | {"metadata": seen["metadata"] | metadata}


def test_a_created_object_gets_uid_time_generation_and_version(api: Any, make_widget: Any) -> None:
    metadata = api.create(make_widget())["metadata"]
    assert metadata["generation"] == 1
    assert metadata["resourceVersion"] == str(api.store.revision)
    assert metadata["uid"]
    assert metadata["creationTimestamp"].endswith("Z")
    assert [entry["operation"] for entry in metadata["managedFields"]] == ["Update"]


def test_a_name_can_be_generated(api: Any, make_widget: Any) -> None:
    obj = make_widget()
    obj["metadata"] = {"generateName": "w-", "namespace": "ml"}
    assert api.create(obj)["metadata"]["name"].startswith("w-")


def test_a_taken_name_is_told(api: Any, make_widget: Any) -> None:
    api.create(make_widget())
    with pytest.raises(Refusal, match=r'^widgets\.example\.com "w" already exists$') as refusal:
        api.create(make_widget())
    assert (refusal.value.code, refusal.value.reason) == (409, "AlreadyExists")


@pytest.mark.parametrize(
    ("kind", "name", "told"),
    [
        ("ConfigMap", "A_b", "a lowercase RFC 1123 subdomain must consist of"),
        ("ConfigMap", "a..b", "a lowercase RFC 1123 subdomain must consist of"),
        ("ConfigMap", "a" * 254, "must be no more than 253 bytes"),
        ("Service", "1a", "a DNS-1035 label must consist of"),
        ("Service", "a.b", "a DNS-1035 label must consist of"),
        ("Namespace", "a.b", "a lowercase RFC 1123 label must consist of"),
        ("Namespace", "a" * 64, "must be no more than 63 bytes"),
        ("ConfigMap", None, "Required value: name or generateName is required"),
    ],
)
def test_names_follow_the_rule_of_their_kind(api: Any, kind: str, name: str | None, told: str) -> None:
    with pytest.raises(Refusal, match=r"metadata.name") as refusal:
        api.create({"apiVersion": "v1", "kind": kind, "metadata": {"name": name} if name else {}})
    assert refusal.value.code == 422
    assert told in str(refusal.value)


@pytest.mark.parametrize("name", ["a.b-c", "9"])
def test_dots_are_fine_where_names_are_subdomains(api: Any, name: str) -> None:
    assert api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})["metadata"]["name"] == name


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": {"a": "not a label"}},
        {"labels": {"a": "x" * 64}},
        {"labels": {"-a": "x"}},
        {"annotations": {"UPPER.example.com/": "x"}},
        {"annotations": {"a": "x" * 262144}},
        {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": ""}]},
    ],
)
def test_bad_metadata_is_invalid(api: Any, make_widget: Any, metadata: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refusal:
        api.create(make_widget(metadata=metadata))
    assert refusal.value.code == 422


def test_metadata_of_the_wrong_type_cannot_be_decoded(api: Any, make_widget: Any) -> None:
    with pytest.raises(
        Refusal, match=r"json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels.a of type string"
    ) as refusal:
        api.create(make_widget(metadata={"labels": {"a": 1}}))
    assert refusal.value.code == 400


def test_a_built_in_field_of_the_wrong_type_cannot_be_decoded(api: Any) -> None:
    with pytest.raises(Refusal, match=r"cannot unmarshal number into Go struct field ConfigMap.data.k of type string") as refusal:
        api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"k": 1}})
    assert refusal.value.code == 400


def test_nothing_is_created_in_a_namespace_that_does_not_exist(api: Any, make_widget: Any) -> None:
    api.delete({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}})
    api.garbage.collect()
    with pytest.raises(Refusal, match=r'^namespaces "ml" not found$'):
        api.create(make_widget())


def test_the_namespace_of_body_and_url_must_agree(api: Any, make_widget: Any) -> None:
    with pytest.raises(Refusal, match="the namespace of the provided object does not match"):
        api.create(make_widget(metadata={"namespace": "other"}))


def test_a_resource_version_cannot_be_created(api: Any, make_widget: Any) -> None:
    with pytest.raises(Refusal, match="resourceVersion should not be set"):
        api.create(make_widget(metadata={"resourceVersion": "1"}))


def test_status_is_dropped_on_create_and_kept_on_update(api: Any, make_widget: Any) -> None:
    created = api.create(make_widget() | {"status": {"phase": "x"}})
    assert "status" not in created
    api.patch(created, lambda seen: seen | {"status": {"phase": "y"}}, subresource="status")
    updated = api.patch(created, lambda seen: seen | {"spec": {"size": 2}, "status": {"phase": "z"}})
    assert updated["status"] == {"phase": "y"}


def test_a_status_write_changes_nothing_else_and_no_generation(api: Any, make_widget: Any) -> None:
    created = api.create(make_widget())
    put = created | {"spec": {"size": 9}, "metadata": created["metadata"] | {"labels": {"a": "b"}}, "status": {"phase": "x"}}
    written = api.replace(put, subresource="status")
    assert written["spec"]["size"] == 1
    assert "labels" not in written["metadata"]
    assert written["metadata"]["generation"] == 1
    assert written["metadata"]["managedFields"][-1]["subresource"] == "status"


def test_a_put_of_the_status_drops_keys_that_a_merge_patch_would_keep(api: Any, make_widget: Any) -> None:
    written = api.replace(api.create(make_widget()) | {"status": {"phase": "x", "seen": 1}}, subresource="status")
    assert api.replace(written | {"status": {"phase": "y"}}, subresource="status")["status"] == {"phase": "y"}


def test_a_put_with_a_stale_version_is_a_conflict(api: Any, make_widget: Any) -> None:
    created = api.create(make_widget())
    api.replace(created | {"status": {"phase": "x"}}, subresource="status")
    for subresource in ("", "status"):
        with pytest.raises(Refusal, match="the object has been modified; please apply your changes to the latest version") as refusal:
            api.replace(created | {"spec": {"size": 2}, "status": {"phase": "y"}}, subresource=subresource)
        assert (refusal.value.code, refusal.value.reason) == (409, "Conflict")


def test_a_put_without_a_version_is_taken_for_built_in_kinds_only(api: Any, make_widget: Any) -> None:
    api.create(make_widget())
    with pytest.raises(Refusal, match=r"metadata\.resourceVersion: Invalid value: 0: must be specified for an update"):
        api.replace(make_widget(size=2))
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1"}}
    api.create(config)
    assert api.replace(config | {"data": {"a": "2"}})["data"] == {"a": "2"}


def test_a_put_for_another_uid_is_a_conflict_and_a_patch_of_it_invalid(api: Any, make_widget: Any) -> None:
    created = api.create(make_widget())
    with pytest.raises(Refusal, match="Precondition failed: UID in precondition: other") as put:
        api.replace(created | {"metadata": created["metadata"] | {"uid": "other"}})
    assert put.value.code == 409
    with pytest.raises(Refusal, match=r'metadata\.uid: Invalid value: "other": field is immutable') as patch:
        api.patch(created, with_metadata(uid="other"))
    assert patch.value.code == 422


def test_a_patch_with_a_stale_version_is_a_conflict(api: Any, make_widget: Any) -> None:
    created = api.create(make_widget())
    api.patch(created, change(size=2))
    with pytest.raises(Refusal, match="the object has been modified"):
        api.patch(created, with_metadata(resourceVersion=created["metadata"]["resourceVersion"]))


def test_generation_counts_changes_of_the_spec_only(api: Any, make_widget: Any) -> None:
    created = api.create(make_widget())
    assert api.patch(created, with_metadata(labels={"a": "b"}))["metadata"]["generation"] == 1
    assert api.patch(created, change(size=2))["metadata"]["generation"] == 2
    assert api.patch(created, change(size=2))["metadata"]["generation"] == 2


def test_kinds_without_generation_have_none(api: Any) -> None:
    assert "generation" not in api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}})["metadata"]


def test_a_write_that_changes_nothing_leaves_the_version(api: Any, make_widget: Any) -> None:
    created = api.create(make_widget())
    before = api.store.revision
    assert api.patch(created, lambda seen: seen) == created
    assert api.replace(created, subresource="status") == created
    assert api.store.revision == before


def test_true_is_a_change_from_one(api: Any, make_widget: Any) -> None:
    created = api.create(make_widget(extra={"flag": 1}))
    assert api.patch(created, change(extra={"flag": True}))["spec"]["extra"]["flag"] is True


def test_a_dry_run_answers_as_if_and_stores_nothing(api: Any, make_widget: Any) -> None:
    assert api.create(make_widget(), dry_run=True)["metadata"]["uid"]
    assert api.get(make_widget()) is None


def test_stored_objects_are_never_changed_in_place(api: Any, make_widget: Any) -> None:
    created = api.create(make_widget(limits={"cpu": "1"}))
    stored = api.get(created)

    def spoil(seen: Any) -> Any:
        seen["spec"]["limits"]["cpu"] = "2"
        return seen

    api.patch(created, spoil)
    assert stored["spec"]["limits"] == {"cpu": "1"}


def test_unknown_fields_in_a_strict_patch_are_invalid(api: Any, make_widget: Any) -> None:
    created = api.create(make_widget())
    with pytest.raises(Refusal, match=r'strict decoding error: unknown field "spec.rolout"$') as refusal:
        api.patch(created, change(rolout=1), field_validation="Strict")
    assert refusal.value.code == 422


def test_finalizers_hold_a_deleted_object_until_they_are_gone(api: Any, make_widget: Any) -> None:
    created = api.create(make_widget(metadata={"finalizers": ["example.com/f"]}))
    marked = api.delete(created)
    assert marked["metadata"]["deletionTimestamp"]
    with pytest.raises(Refusal, match="no new finalizers can be added if the object is being deleted"):
        api.patch(created, with_metadata(finalizers=["example.com/f", "example.com/g"]))
    api.patch(created, with_metadata(finalizers=[]))
    assert api.get(created) is None


def test_deleting_twice_marks_once(api: Any, make_widget: Any) -> None:
    created = api.create(make_widget(metadata={"finalizers": ["example.com/f"]}))
    assert api.delete(created) == api.delete(created)


def test_a_deletion_can_be_bound_to_a_uid(api: Any, make_widget: Any) -> None:
    created = api.create(make_widget())
    with pytest.raises(Refusal, match="the UID in the precondition \\(other\\) does not match") as refusal:
        api.delete(created, uid="other")
    assert refusal.value.code == 409
    assert api.delete(created, uid=created["metadata"]["uid"])["status"] == "Success"
    assert api.get(created) is None


def test_a_selector_of_a_deployment_is_immutable_and_matches_its_template(api: Any) -> None:
    def deployment(selector: str, label: str) -> Any:
        template = {"metadata": {"labels": {"app": label}}, "spec": {"containers": []}}
        spec = {"selector": {"matchLabels": {"app": selector}}, "template": template}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec}

    with pytest.raises(Refusal, match="`selector` does not match template `labels`"):
        api.create(deployment("a", "b"))
    created = api.create(deployment("a", "a"))
    assert created["spec"]["replicas"] == 1
    with pytest.raises(Refusal, match=r"spec\.selector: .*field is immutable"):
        api.replace(deployment("b", "b"))


def test_an_immutable_config_map_stays_as_it_is(api: Any) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1"}, "immutable": True}
    api.create(config)
    with pytest.raises(Refusal, match="field is immutable when `immutable` is set"):
        api.replace(config | {"data": {"a": "2"}})
