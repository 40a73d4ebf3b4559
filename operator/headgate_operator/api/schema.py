"""From pydantic models to the structural schemas that Kubernetes demands of a CRD.

What differs from JSON schema: no references, no unions (optional fields become plain ones), OpenAPI 3.0's boolean exclusiveMinimum, no
titles, free-form mappings marked as such. Nested defaults fire only if every parent has a default too, so they are emitted together or,
where none may be filled in (what makes up a revision's id), not at all.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Literal

from pydantic import BaseModel

JsonSchema = dict[str, Any]

_KEPT = (
    "description", "type", "format", "enum", "pattern", "minLength", "maxLength", "minItems", "maxItems", "maxProperties", "minimum",
    "maximum",    "x-kubernetes-validations",
)  # fmt: skip


def structural_schema(model: type[BaseModel], *, mode: Literal["validation", "serialization"], defaults: frozenset[str]) -> JsonSchema:
    """Return the structural schema of a model.

    Args:
        model: The model; its JSON schema may refer to others, but not to itself.
        mode: `serialization` writes defaults the way they stand in a manifest; `validation` keeps formats such as date-time.
        defaults: Top-level fields below which defaults are emitted.
    """
    raw = model.model_json_schema(by_alias=True, mode=mode)
    definitions = raw.get("$defs", {})
    return _object(raw, definitions, defaults=False, enter=defaults)


def _node(raw: Mapping[str, Any], definitions: Mapping[str, Any], *, defaults: bool) -> JsonSchema:
    """Convert one node; `defaults` says whether its defaults are emitted."""
    node = _resolved(raw, definitions)
    if "properties" in node:
        return _object(node, definitions, defaults=defaults)
    schema = {key: deepcopy(node[key]) for key in _KEPT if key in node}  # a type's own lists are shared by all fields of that type
    if "const" in node:
        schema["enum"] = [node["const"]]
    if "exclusiveMinimum" in node:
        schema |= {"minimum": node["exclusiveMinimum"], "exclusiveMinimum": True}
    if "exclusiveMaximum" in node:
        schema |= {"maximum": node["exclusiveMaximum"], "exclusiveMaximum": True}
    if defaults and node.get("default") is not None:
        schema["default"] = node["default"]
    if node.get("type") == "array":
        schema["items"] = _node(node["items"], definitions, defaults=defaults)
    if node.get("type") == "object":
        schema |= _mapping(node, definitions)
    if "type" not in schema:
        raise ValueError(f"a node of the schema has no type: {raw!r}")
    return schema


def _mapping(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> JsonSchema:
    values = node.get("additionalProperties")
    if isinstance(values, Mapping) and values:
        return {"additionalProperties": _node(values, definitions, defaults=False)}
    return {"x-kubernetes-preserve-unknown-fields": True}


def _object(node: Mapping[str, Any], definitions: Mapping[str, Any], *, defaults: bool, enter: frozenset[str] = frozenset()) -> JsonSchema:
    required = node.get("required", [])
    properties = {}
    for name, raw in node["properties"].items():
        emit = defaults or name in enter
        properties[name] = _node(raw, definitions, defaults=emit)
        if emit and "properties" in properties[name] and name not in required and "anyOf" not in raw:
            properties[name]["default"] = {}
    schema: JsonSchema = {"type": "object", "description": node.get("description", "")}
    if required:
        schema["required"] = list(required)
    return schema | {"properties": properties}


def _resolved(raw: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference and unwrap an optional; what stands beside them (description, default) wins."""
    node = dict(raw)
    if "anyOf" in node:
        alternatives = [option for option in node.pop("anyOf") if option.get("type") != "null"]
        if len(alternatives) != 1:
            raise ValueError(f"a structural schema has no unions: {raw!r}")
        node = {**alternatives[0], **node}
    if "$ref" in node:
        definition = definitions[node.pop("$ref").removeprefix("#/$defs/")]
        node = {**_resolved(definition, definitions), **node}
    return node
