"""How a schema shapes the merging and owning of fields: which maps and lists are one value, and which are many.

Without a schema (unknown fields that are kept) the server guesses as it does here: maps are granular, lists are one value.
"""

from collections.abc import Sequence
from typing import Any

from headgate_devcluster.apiserver.objects import to_json
from headgate_devcluster.apiserver.resources import Schema


def field_schema(schema: Schema | None, name: str) -> tuple[Schema | None, bool]:
    """Return the schema of a field, and whether the schema names it (a key of a free map is not named)."""
    if schema is None:
        return None, False
    if name in (properties := schema.get("properties") or {}):
        return properties[name], True
    additional = schema.get("additionalProperties")
    return (additional if isinstance(additional, dict) else None), False


def item_schema(schema: Schema | None) -> Schema | None:
    """Return the schema of a list's items."""
    items = (schema or {}).get("items")
    return items if isinstance(items, dict) else None


def is_granular_map(value: Any, schema: Schema | None) -> bool:
    """Say whether the fields of this value are owned and merged one by one."""
    return isinstance(value, dict) and (schema is None or schema.get("x-kubernetes-map-type") != "atomic")


def list_type(schema: Schema | None) -> str:
    """Return `atomic`, `map` or `set`."""
    return str((schema or {}).get("x-kubernetes-list-type", "atomic"))


def item_element(item: Any, schema: Schema | None) -> str:
    """Return the path element of an item of a map or set list, in the notation of managedFields."""
    if list_type(schema) == "set":
        return f"v:{to_json(item).decode()}"
    keys = (schema or {}).get("x-kubernetes-list-map-keys", [])
    properties = (item_schema(schema) or {}).get("properties", {})
    named = {key: item.get(key, properties.get(key, {}).get("default")) for key in sorted(keys)}
    return f"k:{to_json({key: value for key, value in named.items() if value is not None}).decode()}"


def is_associative(value: Any, schema: Schema | None) -> bool:
    """Say whether this is a list whose items are owned and merged one by one."""
    if not isinstance(value, list) or list_type(schema) == "atomic":
        return False
    return list_type(schema) == "set" or all(isinstance(item, dict) for item in value)


def duplicates(items: Sequence[Any], schema: Schema | None) -> list[int]:
    """Return the indices of items whose key another one before has."""
    seen: set[str] = set()
    found = []
    for index, item in enumerate(items):
        element = item_element(item, schema)
        if element in seen:
            found.append(index)
        seen.add(element)
    return found
