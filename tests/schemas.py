"""JSON schemas for kubeconform, offline: of built-in kinds from a real API server's OpenAPI, of others from their definitions.

Strict: what a schema does not name is refused, as the API server's own field validation does.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

Schema = dict[str, Any]

LOCATION: Final = "{{ .Group }}/{{ .ResourceAPIVersion }}/{{ .ResourceKind }}.json"
"""Where kubeconform finds a kind, below the folder. It writes kinds in small letters, and `v1` for no group."""
METADATA: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_REFERENCE: Final = "#/components/schemas/"


def write(folder: Path, group: str, version: str, kind: str, schema: Schema) -> None:
    """Write the schema of a kind where LOCATION says."""
    path = folder / (group or version) / version / f"{kind.lower()}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema))


def write_built_in(folder: Path, document: Mapping[str, Any]) -> None:
    """Write every kind of a document that the API server has at /openapi/v3/…"""
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        for kind in schema.get("x-kubernetes-group-version-kind", ()):
            whole = {"$ref": _REFERENCE + name} | part_of(document, name)
            write(folder, kind["group"], kind["version"], kind["kind"], whole)


def write_defined(folder: Path, definition: Mapping[str, Any], metadata: Schema) -> None:
    """Write every version of a CustomResourceDefinition; `metadata` is `part_of(…, METADATA)` of any of the server's documents."""
    spec = definition["spec"]
    common = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"$ref": _REFERENCE + METADATA}}
    for version in spec["versions"]:
        schema = strict(version["schema"]["openAPIV3Schema"])
        whole = schema | {"properties": schema.get("properties", {}) | common} | metadata
        write(folder, spec["group"], version["name"], spec["names"]["kind"], whole)


def part_of(document: Mapping[str, Any], name: str) -> Schema:
    """A schema of a document and all it refers to, at the place where references look for them."""
    schemas = document["components"]["schemas"]
    return {"components": {"schemas": {one: strict(schemas[one]) for one in reachable(schemas, name)}}}


def strict(schema: Any) -> Any:
    """The schema, closed wherever it names properties, and of JSON instead of OpenAPI: null where that is allowed, numbers for strings."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: part if key in {"default", "enum", "example"} else strict(part) for key, part in schema.items()}
    named = isinstance(schema.get("properties"), dict) and isinstance(schema.get("type"), str)  # and no property of these names
    if named and "additionalProperties" not in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        closed["additionalProperties"] = False
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        closed["type"] = [schema["type"], "null"]
    return closed


def reachable(schemas: Mapping[str, Schema], name: str) -> set[str]:
    """The names of a schema and of all that it refers to, at any distance."""
    found, todo = set[str](), [name]
    while todo:
        if (one := todo.pop()) not in found:
            found.add(one)
            todo += references(schemas[one])
    return found


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(reference := part.get("$ref"), str):
            yield reference.removeprefix(_REFERENCE)
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from references(one)
