"""Filling in the defaults of a schema. An empty object that is a default makes the defaults inside it apply as well."""

from typing import Any

from headgate_devcluster.apiserver.objects import clone
from headgate_devcluster.apiserver.resources import Schema


def defaulted(value: Any, schema: Schema) -> Any:
    """Return a copy with defaults filled in, and without nulls where the schema allows none (the server drops them silently)."""
    if isinstance(value, list) and isinstance(items := schema.get("items"), dict):
        return [defaulted(item, items) for item in value]
    if not isinstance(value, dict):
        return value
    properties, additional = schema.get("properties") or {}, schema.get("additionalProperties")
    result = {}
    for name, item in value.items():
        child = properties.get(name, additional if isinstance(additional, dict) else None)
        if child is None:
            result[name] = clone(item)
        elif item is not None or child.get("nullable"):
            result[name] = defaulted(item, child)
    for name, child in properties.items():
        if name not in result and "default" in child:
            result[name] = defaulted(clone(child["default"]), child)
    return result
