"""Sets of fields: which ones an object has, what changed between two objects, and the notation of managedFields.

A path is a tuple of elements such as `f:spec`, `k:{"name":"x"}`, `v:"x"`. Leaves, atomic values, items of lists and keys of free maps are
members; named fields that hold others are members only of what a write added, not of what a configuration names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from headgate_devcluster.apiserver.objects import Object, same
from headgate_devcluster.apiserver.resources import Schema
from headgate_devcluster.apiserver.structure import field_schema, is_associative, is_granular_map, item_element, item_schema

Path = tuple[str, ...]
FieldSet = frozenset[Path]

_CONTAINER = object()
"""Stands for the value of a member that holds others."""
_NAMED = object()
"""Likewise, where the schema names the field."""


def leaves(value: Any, schema: Schema | None) -> dict[Path, Any]:
    """Return every member with its value, named fields that hold others left out."""
    return {path: item for path, item in _members(value, schema).items() if item is not _NAMED}


def _members(value: Any, schema: Schema | None) -> dict[Path, Any]:
    found: dict[Path, Any] = {}
    _walk(value, schema, (), found)
    found.pop((), None)
    return found


def _walk(value: Any, schema: Schema | None, path: Path, found: dict[Path, Any]) -> None:
    if is_granular_map(value, schema) and value:
        for name, item in value.items():
            child, named = field_schema(schema, name)
            _walk(item, child, (*path, f"f:{name}"), found)
            found.setdefault((*path, f"f:{name}"), _NAMED if named else _CONTAINER)
    elif is_associative(value, schema):
        for item in value:
            below = (*path, item_element(item, schema))
            _walk(item, item_schema(schema), below, found)
            found.setdefault(below, _CONTAINER)
    else:
        found[path] = value


@dataclass(frozen=True)
class Difference:
    """What a write did to an object's fields."""

    changed: FieldSet
    """Added, or with another value."""
    removed: FieldSet


def compare(old: Any, new: Any, schema: Schema | None) -> Difference:
    """Return which members differ."""
    before, after = _members(old, schema), _members(new, schema)
    changed = frozenset(path for path, value in after.items() if path not in before or not _unchanged(before[path], value))
    return Difference(changed, frozenset(before.keys() - after.keys()))


def _unchanged(old: Any, new: Any) -> bool:
    if _CONTAINER in (old, new) or _NAMED in (old, new):
        return all(item is _CONTAINER or item is _NAMED or item == {} for item in (old, new))
    return old is new or same(old, new)


def parse(fields: Mapping[str, Any]) -> FieldSet:
    """Read the `fieldsV1` notation."""
    found: set[Path] = set()

    def read(node: Mapping[str, Any], path: Path) -> None:
        for element, below in node.items():
            if element == ".":
                found.add(path)
            elif below:
                read(below, (*path, element))
            else:
                found.add((*path, element))

    read(fields, ())
    return frozenset(found)


def render(fields: Iterable[Path]) -> Object:
    """Write the `fieldsV1` notation."""
    root: Object = {}
    for path in sorted(fields):
        node = root
        for element in path:
            node = node.setdefault(element, {})
        node["."] = {}
    return _without_lonely_dots(root)


def _without_lonely_dots(node: Object) -> Object:
    return (
        {} if list(node) == ["."] else {element: _without_lonely_dots(below) if element != "." else {} for element, below in node.items()}
    )


def with_parents(fields: Iterable[Path]) -> set[Path]:
    """Return the paths and every path on the way to them."""
    return {path[:length] for path in fields for length in range(1, len(path) + 1)}
