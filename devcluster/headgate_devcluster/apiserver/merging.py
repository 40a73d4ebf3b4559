"""Merging an applied configuration into a live object, and taking fields out again: the structural half of server-side apply."""

import json
from collections.abc import Iterable
from typing import Any

from headgate_devcluster.apiserver.fieldsets import Path
from headgate_devcluster.apiserver.objects import clone, same
from headgate_devcluster.apiserver.resources import Schema
from headgate_devcluster.apiserver.structure import field_schema, is_associative, is_granular_map, item_element, item_schema, list_type


def merged(live: Any, applied: Any, schema: Schema | None) -> Any:
    """Return the live value with everything that the applied one says; neither is changed."""
    if is_granular_map(live, schema) and is_granular_map(applied, schema):
        result = dict(live)
        for name, value in applied.items():
            child, _ = field_schema(schema, name)
            result[name] = merged(live[name], value, child) if name in live else clone(value)
        return result
    if is_associative(live, schema) and is_associative(applied, schema):
        return _merged_items(live, applied, schema)
    return clone(applied)


def _merged_items(live: list[Any], applied: list[Any], schema: Schema | None) -> list[Any]:
    """Merge by key. Applied items keep their order; live ones stay in front of the next item that both have."""
    wanted = {item_element(item, schema): item for item in applied}
    present = {item_element(item, schema): item for item in live}
    waiting = list(present)
    result: list[Any] = []
    for element, item in wanted.items():
        if element not in present:
            result.append(clone(item))
            continue
        while element in waiting:
            ahead = waiting.pop(0)
            if ahead not in wanted:
                result.append(present[ahead])
        result.append(merged(present[element], item, item_schema(schema)))
    return [*result, *(present[element] for element in waiting if element not in wanted)]


def without(value: Any, paths: Iterable[Path], schema: Schema | None) -> Any:
    """Return a copy without the fields and items at these paths."""
    result = clone(value)
    for path in sorted(paths, key=len):
        _remove(result, path, schema)
    return result


def _remove(root: Any, path: Path, schema: Schema | None) -> None:
    node, node_schema = root, schema
    for element in path[:-1]:
        node, node_schema = _step(node, element, node_schema)
        if node is None:
            return
    last = path[-1]
    if isinstance(node, dict) and last.startswith("f:"):
        node.pop(last[2:], None)
    elif isinstance(node, list) and list_type(node_schema) != "atomic":
        node[:] = [item for item in node if not _is_item(item, last, node_schema)]


def _step(node: Any, element: str, schema: Schema | None) -> tuple[Any, Schema | None]:
    if isinstance(node, dict) and element.startswith("f:"):
        return node.get(element[2:]), field_schema(schema, element[2:])[0]
    if isinstance(node, list) and element.startswith("k:"):
        return next((item for item in node if _is_item(item, element, schema)), None), item_schema(schema)
    return None, None


def _is_item(item: Any, element: str, schema: Schema | None) -> bool:
    """Compare by meaning: other clients may write the keys of an element in another order."""
    return same(json.loads(item_element(item, schema)[2:]), json.loads(element[2:]))
