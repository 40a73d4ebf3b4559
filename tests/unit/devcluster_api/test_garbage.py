"""Deletions in the background: children, namespaces, definitions."""

from typing import Any

from headgate_devcluster.apiserver.objects import Object


def owned(make_widget: Any, name: str, *owners: Object, block: bool = False) -> Object:
    references = [
        {
            "apiVersion": "example.com/v1", "kind": "Widget", "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": block,
        }
        for owner in owners
    ]  # fmt: skip
    obj: Object = make_widget(name, metadata={"ownerReferences": references})
    return obj


def test_children_go_after_their_owner_and_theirs_after_them(api: Any, make_widget: Any) -> None:
    parent = api.create(make_widget("p"))
    child = api.create(owned(make_widget, "c", parent))
    grandchild = api.create(owned(make_widget, "g", child))
    api.delete(parent)
    assert api.get(child) is not None
    api.garbage.collect()
    assert api.get(child) is None
    assert api.get(grandchild) is None


def test_a_child_with_another_living_owner_stays_and_forgets_the_dead_one(api: Any, make_widget: Any) -> None:
    first, second = api.create(make_widget("p")), api.create(make_widget("q"))
    child = api.create(owned(make_widget, "c", first, second))
    api.delete(first)
    api.garbage.collect()
    assert [owner["name"] for owner in api.get(child)["metadata"]["ownerReferences"]] == ["q"]


def test_a_child_created_for_a_dead_owner_goes(api: Any, make_widget: Any) -> None:
    parent = api.create(make_widget("p"))
    api.delete(parent)
    child = api.create(owned(make_widget, "c", parent))
    api.garbage.collect()
    assert api.get(child) is None


def test_a_child_with_a_finalizer_is_marked(api: Any, make_widget: Any) -> None:
    parent = api.create(make_widget("p"))
    obj = owned(make_widget, "c", parent)
    obj["metadata"]["finalizers"] = ["example.com/f"]
    child = api.create(obj)
    api.delete(parent)
    api.garbage.collect()
    assert api.get(child)["metadata"]["deletionTimestamp"]


def test_orphans_stay_without_owner(api: Any, make_widget: Any) -> None:
    parent = api.create(make_widget("p"))
    child = api.create(owned(make_widget, "c", parent))
    api.delete(parent, propagation="Orphan")
    api.garbage.collect()
    assert "ownerReferences" not in api.get(child)["metadata"]


def test_in_the_foreground_the_owner_waits_for_children_that_block_it(api: Any, make_widget: Any) -> None:
    parent = api.create(make_widget("p"))
    obj = owned(make_widget, "c", parent, block=True)
    obj["metadata"]["finalizers"] = ["example.com/f"]
    child = api.create(obj)
    api.delete(parent, propagation="Foreground")
    api.garbage.collect()
    assert api.get(parent)["metadata"]["finalizers"] == ["foregroundDeletion"]
    api.patch(child, lambda seen: seen | {"metadata": seen["metadata"] | {"finalizers": []}})
    api.garbage.collect()
    assert api.get(child) is None
    assert api.get(parent) is None


def test_a_namespace_goes_with_everything_in_it(api: Any, make_widget: Any) -> None:
    held = api.create(make_widget("held", metadata={"finalizers": ["example.com/f"]}))
    plain = api.create(make_widget("plain"))
    namespace: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}}
    api.delete(namespace)
    api.garbage.collect()
    assert api.get(plain) is None
    assert api.get(namespace)["status"]["phase"] == "Terminating"
    api.patch(held, lambda seen: seen | {"metadata": seen["metadata"] | {"finalizers": []}})
    api.garbage.collect()
    assert api.get(namespace) is None


def test_a_definition_goes_after_its_objects(api: Any, make_widget: Any, definition: Object) -> None:
    created = api.create(definition)
    obj = api.create(make_widget())
    assert {condition["type"]: condition["status"] for condition in created["status"]["conditions"]} == {
        "NamesAccepted": "True",
        "Established": "True",
    }
    api.delete(created)
    api.garbage.collect()
    assert api.get(obj) is None
    assert api.get(created) is None
