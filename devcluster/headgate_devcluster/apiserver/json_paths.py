"""The part of Kubernetes' JSONPath that printer columns use: fields, `['a.b']`, `[0]`, `[*]` and `[?(@.type=="Ready")]`."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

_PART = re.compile(
    r"""\.?(?:(?P<field>(?:\\.|[^.\[\]\\])+)|\[\?\(@(?P<path>[^=!<>\s]+)\s*==\s*(?P<quote>["']?)(?P<value>[^"')]*)(?P=quote)\)\]"""
    r"""|\[['"](?P<quoted>[^'"]+)['"]\]|\[(?P<index>-?\d+)\]|\[(?P<all>\*)\])"""
)


def values(obj: Any, path: str) -> list[Any]:
    """Return everything a path leads to."""
    found = [obj]
    for part in _parts(path):
        found = [below for node in found for below in _step(node, part)]
    return found


@lru_cache(maxsize=1024)
def _parts(path: str) -> tuple[re.Match[str], ...]:
    return tuple(_PART.finditer(path.strip("{}")))


def _step(node: Any, part: re.Match[str]) -> Iterator[Any]:
    name = part["field"] or part["quoted"]
    if name is not None:
        name = name.replace("\\.", ".")
        if name == "*":
            yield from node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        elif isinstance(node, dict) and node.get(name) is not None:
            yield node[name]
    elif isinstance(node, list):
        yield from _items(node, part)


def _items(node: list[Any], part: re.Match[str]) -> Iterator[Any]:
    if part["all"]:
        yield from node
    elif part["index"] is not None:
        if -len(node) <= int(part["index"]) < len(node):
            yield node[int(part["index"])]
    else:
        yield from (item for item in node if [str(value) for value in values(item, part["path"])] == [part["value"]])
