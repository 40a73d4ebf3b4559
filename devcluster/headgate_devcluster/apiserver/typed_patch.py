"""What server-side apply demands before anything else: every field declared, every type right, no key twice.

The real server answers these with HTTP 500, whatever field validation was asked for; clients must not retry them.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from headgate_devcluster.apiserver.errors import Refusal
from headgate_devcluster.apiserver.fieldsets import Path
from headgate_devcluster.apiserver.objects import Object
from headgate_devcluster.apiserver.ownership import readable
from headgate_devcluster.apiserver.resources import ResourceType, Schema
from headgate_devcluster.apiserver.structure import duplicates, item_element, list_type
from headgate_devcluster.apiserver.unknown_fields import OBJECT_META

_EXPECTED: Final[Mapping[str, tuple[str, Callable[[Any], bool]]]] = {
    "string": ("string", lambda value: isinstance(value, str)),
    "integer": ("numeric (int or float)", lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
    "number": ("numeric (int or float)", lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
    "boolean": ("boolean", lambda value: isinstance(value, bool)),
    "object": ("map", lambda value: isinstance(value, dict)),
    "array": ("list", lambda value: isinstance(value, list)),
}


def require_typed(obj: Object, resource: ResourceType) -> None:
    """Refuse with 500 a configuration that does not fit the schema's types."""
    found = [*_unknown_metadata(obj), *_misfits(obj, resource.schema, "", top=True)]
    if not found:
        return
    told = found[0] if len(found) == 1 else "errors:\n  " + "\n  ".join(found)
    metadata = obj["metadata"]
    place = f"{metadata.get('namespace', '')}/{metadata['name']}; {resource.api_version}, Kind={resource.kind}"
    raise Refusal(500, "", f"failed to create typed patch object ({place}): {told}")


def _unknown_metadata(obj: Object) -> Iterator[str]:
    yield from (f".metadata.{name}: field not declared in schema" for name in obj["metadata"] if name not in OBJECT_META)


def _misfits(value: Any, schema: Schema | None, path: str, *, top: bool = False) -> Iterator[str]:
    if schema is None or value is None or schema.get("x-kubernetes-int-or-string"):
        return
    expected, fits = _EXPECTED.get(schema.get("type", ""), ("", lambda _: True))
    if not fits(value):
        yield f"{path}: expected {expected}, got {_shown(value, expected)}"
    elif isinstance(value, dict):
        yield from _in_map(value, schema, path, top=top)
    elif isinstance(value, list):
        yield from _in_list(value, schema, path)


def _in_map(value: dict[str, Any], schema: Schema, path: str, *, top: bool) -> Iterator[str]:
    properties, additional = schema.get("properties") or {}, schema.get("additionalProperties")
    is_open = schema.get("x-kubernetes-preserve-unknown-fields") or additional is True
    for name, item in value.items():
        child = properties.get(name, additional if isinstance(additional, dict) else None)
        if child is not None and not (top and name == "metadata"):
            yield from _misfits(item, child, f"{path}.{name}")
        elif child is None and not is_open:
            yield f"{path}.{name}: field not declared in schema"


def _in_list(value: list[Any], schema: Schema, path: str) -> Iterator[str]:
    kind, items = list_type(schema), schema.get("items")
    for index, item in enumerate(value):
        where = f"{path}[{index}]"
        if kind == "map" and isinstance(item, dict):
            element: Path = (item_element(item, schema),)
            where = f"{path}{readable(element)}"
        yield from _misfits(item, items if isinstance(items, dict) else None, where)
    if kind == "set" or (kind == "map" and all(isinstance(item, dict) for item in value)):
        for index in duplicates(value, schema):
            yield f"{path}: duplicate entries for key {readable((item_element(value[index], schema),))}"


def _shown(value: Any, expected: str) -> str:
    """Show a value the way Go does; each expected type has a format of its own."""
    plain = json.dumps(value) if isinstance(value, bool | int | float | str) else _go_type(value) + "{}"
    if expected.startswith("numeric"):
        return _go_type(value)
    return f"&value.valueUnstructured{{Value:{plain}}}" if expected == "string" else f"&{{{plain}}}"


def _go_type(value: Any) -> str:
    types = {str: "string", bool: "bool", list: "[]interface {}", dict: "map[string]interface {}"}
    return types.get(type(value), "float64")
