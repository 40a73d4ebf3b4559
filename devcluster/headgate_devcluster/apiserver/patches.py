"""JSON merge patch (RFC 7386) and JSON patch (RFC 6902)."""

from typing import Any

from headgate_devcluster.apiserver.errors import Refusal, bad_request
from headgate_devcluster.apiserver.objects import clone


def merge_patched(target: Any, patch: Any) -> Any:
    """Return the target with a merge patch: null removes a key, objects merge, anything else replaces."""
    if not isinstance(patch, dict):
        return clone(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patched(result.get(name), value)
    return result


def json_patched(target: Any, operations: Any) -> Any:
    """Return the target with a JSON patch; 422 if a test fails or a path does not exist, 400 if the patch itself makes no sense."""
    if not isinstance(operations, list) or not all(isinstance(operation, dict) for operation in operations):
        raise bad_request("json patch must be a list of operations")
    root = {"": clone(target)}
    for operation in operations:
        _operate(root, operation)
    return root[""]


def _operate(root: dict[str, Any], operation: dict[str, Any]) -> None:
    what, path = operation.get("op"), _pointer(operation.get("path"))
    if what in {"add", "replace", "test"} and "value" not in operation:
        raise bad_request(f"json patch operation {what!r} needs a value")
    if what == "test":
        if not _same(_get(root, path, missing_is_null=True), operation["value"]):
            raise _unprocessable()
    elif what == "add":
        _add(root, path, clone(operation["value"]))
    elif what == "replace":
        _get(root, path)
        _set(root, path, clone(operation["value"]))
    elif what == "remove":
        _remove(root, path)
    elif what in {"move", "copy"}:
        source = _pointer(operation.get("from"))
        value = clone(_get(root, source))
        if what == "move":
            _remove(root, source)
        _add(root, path, value)
    else:
        raise _unprocessable()


def _same(found: Any, wanted: Any) -> bool:
    return bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)


def _pointer(path: Any) -> list[str]:
    if not isinstance(path, str) or (path and not path.startswith("/")):
        raise bad_request(f"json patch: {path!r} is no JSON pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")]


def _unprocessable() -> Refusal:
    return Refusal(422, "Invalid", "the server rejected our request due to an error in our request", {})


def _index(part: str, *, end: int) -> int:
    if not part.isdigit() or int(part) > end:
        raise _unprocessable()
    return int(part)


def _get(root: Any, path: list[str], *, missing_is_null: bool = False) -> Any:
    node = root
    for part in path:
        if isinstance(node, dict) and part in node:
            node = node[part]
        elif isinstance(node, list) and part.isdigit() and int(part) < len(node):
            node = node[int(part)]
        elif missing_is_null and part is path[-1]:
            return None
        else:
            raise _unprocessable()
    return node


def _set(root: Any, path: list[str], value: Any) -> None:
    parent = _get(root, path[:-1])
    if isinstance(parent, list):
        parent[_index(path[-1], end=len(parent) - 1)] = value
    else:
        parent[path[-1]] = value


def _add(root: Any, path: list[str], value: Any) -> None:
    parent = _get(root, path[:-1])
    if isinstance(parent, list):
        parent.insert(len(parent) if path[-1] == "-" else _index(path[-1], end=len(parent)), value)
    elif isinstance(parent, dict):
        parent[path[-1]] = value
    else:
        raise _unprocessable()


def _remove(root: Any, path: list[str]) -> None:
    _get(root, path)
    parent = _get(root, path[:-1])
    if isinstance(parent, list):
        parent.pop(int(path[-1]))
    else:
        del parent[path[-1]]
