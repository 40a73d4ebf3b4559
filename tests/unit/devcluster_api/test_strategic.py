"""Strategic merge patch, as kubectl sends it for Deployments."""

from headgate_devcluster.apiserver.builtin_schemas import DEPLOYMENT
from headgate_devcluster.apiserver.objects import Object
from headgate_devcluster.apiserver.strategic import strategic_patched


def deployment(*containers: Object) -> Object:
    return {"spec": {"template": {"spec": {"containers": list(containers)}}}}


def test_containers_merge_by_name() -> None:
    patched = strategic_patched(
        deployment({"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]}, {"name": "b", "image": "1"}),
        deployment({"name": "a", "image": "2"}),
        DEPLOYMENT,
    )
    assert patched == deployment({"name": "a", "image": "2", "env": [{"name": "X", "value": "1"}]}, {"name": "b", "image": "1"})


def test_an_item_is_deleted_by_directive_and_order_directives_are_dropped() -> None:
    patch = deployment({"name": "b", "$patch": "delete"}, {"name": "c", "image": "1"})
    patch["spec"]["template"]["spec"]["$setElementOrder/containers"] = [{"name": "a"}, {"name": "c"}]
    patched = strategic_patched(deployment({"name": "a", "image": "1"}, {"name": "b", "image": "1"}), patch, DEPLOYMENT)
    assert patched == deployment({"name": "a", "image": "1"}, {"name": "c", "image": "1"})


def test_lists_that_are_one_value_are_replaced() -> None:
    patched = strategic_patched(deployment({"name": "a", "args": ["1", "2"]}), deployment({"name": "a", "args": ["3"]}), DEPLOYMENT)
    assert patched == deployment({"name": "a", "args": ["3"]})


def test_finalizers_are_deleted_from_their_set() -> None:
    schema = {"properties": {"finalizers": {"type": "array", "x-kubernetes-list-type": "set"}}}
    patch = {"$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"]}
    assert strategic_patched({"finalizers": ["a", "b"]}, patch, schema) == {"finalizers": ["b", "c"]}


def test_null_and_the_delete_directive_remove_a_field() -> None:
    assert strategic_patched({"a": 1, "b": {"c": 1}, "d": 1}, {"a": None, "b": {"$patch": "delete"}}, None) == {"d": 1}


def test_retained_keys_are_all_that_stays() -> None:
    assert strategic_patched({"type": "x", "old": 1}, {"$retainKeys": ["type"], "type": "y"}, None) == {"type": "y"}
