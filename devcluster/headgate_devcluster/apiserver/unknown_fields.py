"""Fields that a schema does not know: found, and taken out (pruned)."""

from typing import Any

from headgate_devcluster.apiserver.objects import Object
from headgate_devcluster.apiserver.resources import Schema

OBJECT_META = frozenset({
    "annotations", "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers", "generateName", "generation",
    "labels", "managedFields", "name", "namespace", "ownerReferences", "resourceVersion", "selfLink", "uid",
})  # fmt: skip


def pruned(obj: Object, schema: Schema) -> tuple[Object, list[str]]:
    """Return a copy of the object without unknown fields, and where those were, such as `spec.rolout` or `spec.steps[0].wait`."""
    unknown: list[str] = []
    kept = {name: value for name, value in obj.items() if name != "metadata"}
    result = _known(kept, schema, "", unknown)
    metadata = obj.get("metadata")
    if isinstance(metadata, dict):
        unknown += [f"metadata.{name}" for name in metadata if name not in OBJECT_META]
        metadata = {name: value for name, value in metadata.items() if name in OBJECT_META}
    return result | ({"metadata": metadata} if metadata is not None else {}), sorted(unknown)


def _known(value: Any, schema: Schema, path: str, unknown: list[str]) -> Any:
    if isinstance(value, list) and isinstance(items := schema.get("items"), dict):
        return [_known(item, items, f"{path}[{index}]", unknown) for index, item in enumerate(value)]
    if not isinstance(value, dict) or schema.get("x-kubernetes-int-or-string"):
        return value
    properties, additional = schema.get("properties") or {}, schema.get("additionalProperties")
    result = {}
    for name, item in value.items():
        where = f"{path}.{name}" if path else name
        if name in properties:
            result[name] = _known(item, properties[name], where, unknown)
        elif isinstance(additional, dict):
            result[name] = _known(item, additional, where, unknown)
        elif (
            _keeps_unknown(schema)
            or (not path and name in {"apiVersion", "kind"})
            or (schema.get("x-kubernetes-embedded-resource") and name in {"apiVersion", "kind", "metadata"})
        ):
            result[name] = item
        else:
            unknown.append(where)
    return result


def _keeps_unknown(schema: Schema) -> bool:
    return bool(schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("additionalProperties") is True)
