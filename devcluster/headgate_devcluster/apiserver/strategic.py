"""Strategic merge patch, as far as kubectl sends it for built-in kinds.

Keyed lists merge. The directives `$patch: delete|replace`, `$deleteFromPrimitiveList` and `$retainKeys` count, `$setElementOrder` does not.
"""

from typing import Any

from headgate_devcluster.apiserver.objects import clone
from headgate_devcluster.apiserver.resources import Schema
from headgate_devcluster.apiserver.structure import field_schema, item_schema, list_type

_DELETE_FROM = "$deleteFromPrimitiveList/"


def strategic_patched(target: Any, patch: Any, schema: Schema | None) -> Any:
    """Return the target with a strategic merge patch."""
    if not isinstance(patch, dict) or patch.get("$patch") == "replace":
        return _plain(patch)
    result = dict(target) if isinstance(target, dict) else {}
    if "$retainKeys" in patch:
        result = {name: value for name, value in result.items() if name in patch["$retainKeys"]}
    for name, value in patch.items():
        if name.startswith(_DELETE_FROM):
            field = name.removeprefix(_DELETE_FROM)
            result[field] = [item for item in result.get(field) or () if item not in value]
        elif name.startswith("$"):
            continue
        elif value is None or (isinstance(value, dict) and value.get("$patch") == "delete"):
            result.pop(name, None)
        else:
            child, _ = field_schema(schema, name)
            result[name] = (
                _patched_list(result.get(name), value, child)
                if isinstance(value, list)
                else strategic_patched(result.get(name), value, child)
            )
    return result


def _patched_list(target: Any, patch: list[Any], schema: Schema | None) -> list[Any]:
    live = list(target) if isinstance(target, list) else []
    if list_type(schema) == "set":
        return live + [item for item in patch if item not in live]
    keys = (schema or {}).get("x-kubernetes-list-map-keys")
    if list_type(schema) != "map" or not keys or any(isinstance(item, dict) and item.get("$patch") == "replace" for item in patch):
        return [_plain(item) for item in patch if not (isinstance(item, dict) and "$patch" in item)]
    merge_key = keys[0]  # strategic merge knows one key a list; server-side apply may know more
    for item in patch:
        index = next((at for at, present in enumerate(live) if present.get(merge_key) == item.get(merge_key)), None)
        if item.get("$patch") == "delete":
            live = [present for present in live if present.get(merge_key) != item.get(merge_key)]
        elif index is None:
            live.append(_plain(item))
        else:
            live[index] = strategic_patched(live[index], item, item_schema(schema))
    return live


def _plain(value: Any) -> Any:
    """Return a patch's value without directives."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if not name.startswith("$")}
    return [_plain(item) for item in value] if isinstance(value, list) else clone(value)
