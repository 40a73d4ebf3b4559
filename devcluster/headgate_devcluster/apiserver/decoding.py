"""From a body to an object of the right kind: what the server refuses before it looks at any rule."""

from typing import Any

from headgate_devcluster.apiserver.builtin_schemas import METADATA
from headgate_devcluster.apiserver.errors import FieldError, Refusal, bad_request, undecodable
from headgate_devcluster.apiserver.objects import Object, to_json
from headgate_devcluster.apiserver.resources import ResourceType, Schema
from headgate_devcluster.apiserver.times import require_readable_times
from headgate_devcluster.apiserver.unknown_fields import pruned
from headgate_devcluster.apiserver.validation import violations


def decoded(body: Any, resource: ResourceType) -> Object:
    """Return the body as an object of this kind; 400 if it is none."""
    if not isinstance(body, dict):
        raise bad_request(
            f"couldn't get version/kind; json parse error: json: cannot unmarshal {_go_type(body)} into Go value of type struct"
        )
    if not resource.custom:  # typed clients leave both out
        body = {"apiVersion": resource.api_version, "kind": resource.kind} | body
    for field, name in (("Kind", "kind"), ("apiVersion", "apiVersion")):
        if not body.get(name):
            raise bad_request(f"Object '{field}' is missing in '{to_json(body).decode()[:500]}'")
    if body["apiVersion"] != resource.api_version:
        raise bad_request(
            f"the API version in the data ({body['apiVersion']}) does not match the expected API version ({resource.api_version})"
        )
    if body["kind"] != resource.kind:
        raise bad_request(f"the kind in the data ({body['kind']}) does not match the expected kind ({resource.kind})")
    obj = {**body, "metadata": _without_nulls(body.get("metadata") or {})}
    if not resource.custom:
        obj = _without_nulls(obj)
    _require_readable(obj, resource)
    return obj


def _require_readable(obj: Object, resource: ResourceType) -> None:
    metadata = next(violations(obj["metadata"], METADATA, "metadata"), None)
    if metadata is not None:
        raise undecodable(resource, _unmarshal_error(metadata, "ObjectMeta", obj, METADATA))
    if not resource.custom and (error := next((error for error in violations(obj, resource.schema) if _is_type(error)), None)):
        raise undecodable(resource, _unmarshal_error(error, resource.kind, obj, resource.schema))
    require_readable_times(obj, resource)


def known_fields_only(obj: Object, resource: ResourceType, field_validation: str) -> tuple[Object, list[str]]:
    """Return the object without unknown fields, and a warning for each; under Strict raise them all as one StrictDecodingError."""
    result, unknown = pruned(obj, resource.schema)
    sentences = [f'unknown field "{path}"' for path in unknown]
    if sentences and field_validation == "Strict":
        raise StrictDecodingError(f"strict decoding error: {', '.join(sentences)}")
    return result, sentences if field_validation == "Warn" else []


class StrictDecodingError(Exception):
    """The object has unknown fields and the client asked to be told. What the answer is depends on the verb."""


def strict_refusal(error: StrictDecodingError, resource: ResourceType) -> Refusal:
    """Return what a create or a PUT answers."""
    return undecodable(resource, str(error))


def _is_type(error: FieldError) -> bool:
    return "must be of type" in error.detail


def _unmarshal_error(error: FieldError, kind: str, obj: Object, schema: Schema) -> str:  # noqa: ARG001
    wanted = error.detail.partition("must be of type ")[2].partition(":")[0]
    found = {"integer": "number", "boolean": "bool"}.get(str(error.value), str(error.value))
    go = {"object": "map", "integer": "int32", "boolean": "bool", "array": "slice"}.get(wanted, wanted)
    return f"json: cannot unmarshal {found} into Go struct field {kind}.{error.path} of type {go}"


def _without_nulls(value: Any) -> Any:
    """A null decodes into an empty Go field, so it has every type."""
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _go_type(body: Any) -> str:
    return {list: "array", str: "string", bool: "bool", type(None): "null"}.get(type(body), "number")
