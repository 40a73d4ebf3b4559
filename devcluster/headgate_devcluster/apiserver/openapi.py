"""OpenAPI v3, one document per group and version: what kubectl needs for `explain` and to know that the server validates fields itself."""

import hashlib
from typing import Any, Final

from headgate_devcluster.apiserver.objects import Object, to_json
from headgate_devcluster.apiserver.resources import Catalogue, ResourceType

_FIELD_VALIDATION: Final = {"name": "fieldValidation", "in": "query", "schema": {"type": "string", "uniqueItems": True}}


def document(path: list[str], catalogue: Catalogue) -> Object | None:
    """Return the answer to GET /openapi/<path>, None if there is none."""
    match path:
        case ["v3"]:
            return _index(catalogue)
        case ["v3", "api", version]:
            return _of_version("", version, catalogue)
        case ["v3", "apis", group, version]:
            return _of_version(group, version, catalogue)
    return None


def _index(catalogue: Catalogue) -> Object:
    paths = dict.fromkeys(_root(item) for item in catalogue)
    return {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={_hash(path, catalogue)}"} for path in paths}}


def _hash(path: str, catalogue: Catalogue) -> str:
    return hashlib.sha256(to_json([item.schema for item in catalogue if _root(item) == path])).hexdigest()[:32].upper()


def _root(item: ResourceType) -> str:
    return f"apis/{item.group}/{item.version}" if item.group else f"api/{item.version}"


def _of_version(group: str, version: str, catalogue: Catalogue) -> Object | None:
    found = [item for item in catalogue if (item.group, item.version) == (group, version)]
    if not found:
        return None
    paths: Object = {}
    for item in found:
        paths |= _paths(item)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Headgate devcluster, a test double of Kubernetes", "version": "v1"},
        "paths": paths,
        "components": {"schemas": {_schema_name(item): _schema(item) for item in found}},
    }


def _paths(item: ResourceType) -> Object:
    collection = f"/{_root(item)}/" + ("namespaces/{namespace}/" if item.namespaced else "") + item.plural
    kind = {"group": item.group, "version": item.version, "kind": item.kind}
    reference = {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{_schema_name(item)}"}}}}

    def operation(action: str) -> Object:
        answer = {"responses": {"200": {"description": "OK", **reference}}}
        return answer | {"x-kubernetes-action": action, "x-kubernetes-group-version-kind": kind, "parameters": [_FIELD_VALIDATION]}

    return {
        collection: {"get": operation("list"), "post": operation("post")},
        f"{collection}/{{name}}": {name: operation(name) for name in ("get", "put", "patch", "delete")},
    }


def _schema_name(item: ResourceType) -> str:
    return f"{'.'.join(reversed((item.group or 'core').split('.')))}.{item.version}.{item.kind}"


def _schema(item: ResourceType) -> dict[str, Any]:
    return {**item.schema, "x-kubernetes-group-version-kind": [{"group": item.group, "version": item.version, "kind": item.kind}]}
