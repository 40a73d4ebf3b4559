"""Merge patch and JSON patch."""

import pytest

from headgate_devcluster.apiserver.errors import Refusal
from headgate_devcluster.apiserver.patches import json_patched, merge_patched


def test_a_merge_patch_keeps_keys_it_does_not_name() -> None:
    assert merge_patched({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}) == {"a": {"b": 3, "c": 2}}


def test_a_merge_patch_removes_with_null_and_replaces_lists() -> None:
    assert merge_patched({"a": [1, 2], "b": 1}, {"a": [3], "b": None, "c": {"d": None, "e": 1}}) == {"a": [3], "c": {"e": 1}}


def test_a_merge_patch_leaves_the_target_as_it_was() -> None:
    target = {"a": {"b": 1}}
    merge_patched(target, {"a": {"b": 2}})
    assert target == {"a": {"b": 1}}


def test_a_json_patch_applies_its_operations_in_order() -> None:
    operations = [
        {"op": "test", "path": "/a/b", "value": 1},
        {"op": "replace", "path": "/a/b", "value": 2},
        {"op": "add", "path": "/l/-", "value": "z"},
        {"op": "add", "path": "/l/0", "value": "y"},
        {"op": "move", "from": "/a", "path": "/c~1d"},
        {"op": "copy", "from": "/l", "path": "/m"},
        {"op": "remove", "path": "/l"},
    ]
    assert json_patched({"a": {"b": 1}, "l": ["x"]}, operations) == {"c/d": {"b": 2}, "m": ["y", "x", "z"]}


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param({"op": "test", "path": "/a", "value": 2}, id="failing test"),
        pytest.param({"op": "test", "path": "/a", "value": True}, id="true is not 1"),
        pytest.param({"op": "replace", "path": "/x", "value": 2}, id="missing path"),
        pytest.param({"op": "remove", "path": "/l/7"}, id="missing index"),
        pytest.param({"op": "turn", "path": "/a"}, id="unknown operation"),
    ],
)
def test_a_json_patch_that_does_not_fit_the_object_is_unprocessable(operation: dict[str, object]) -> None:
    with pytest.raises(Refusal) as refusal:
        json_patched({"a": 1, "l": []}, [operation])
    assert refusal.value.code == 422


@pytest.mark.parametrize("operations", [{}, [{"op": "add", "path": "a", "value": 1}], [{"op": "add", "path": "/a"}]])
def test_a_json_patch_that_makes_no_sense_is_a_bad_request(operations: object) -> None:
    with pytest.raises(Refusal) as refusal:
        json_patched({"a": 1}, operations)
    assert refusal.value.code == 400


def test_a_json_patch_test_for_null_holds_for_a_missing_key() -> None:
    assert json_patched({"a": 1}, [{"op": "test", "path": "/b", "value": None}]) == {"a": 1}
