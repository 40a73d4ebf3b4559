"""Reading manifests the way `kubectl` reads them, where PyYAML differs.

PyYAML takes `1e-4` for a string, `2026-01-01` for a date and `1:30` for a number, and lets the last of two equal keys win. kubectl does
none of that, and a lint that reads something else than the API server is worse than none.
"""

import json
import re
import sys
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from headgate_operator.api.names import GROUP, KIND
from headgate_operator.cli.errors import Failure

_MAX_BYTES: Final = 5_000_000
_FLOAT: Final = re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$|^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$")
_INT: Final = re.compile(r"^[-+]?(0|[1-9][0-9_]*|0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+)$")
_DROPPED: Final = frozenset({"tag:yaml.org,2002:float", "tag:yaml.org,2002:int", "tag:yaml.org,2002:timestamp"})


@dataclass(frozen=True)
class Document:
    """One document of a manifest file."""

    source: str
    """For people: the file, and which of its documents if there are several."""
    content: Any


class _Loader(yaml.SafeLoader):
    """SafeLoader with kubectl's idea of scalars, no duplicate keys, and no `on` that becomes the key `true`."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Refuse a key that is there twice, and one that kubectl would read as another."""
        seen = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:bool":
                text = key_node.value
                raise yaml.MarkedYAMLError(
                    problem=f'kubectl reads the key {text} as a truth value, so write "{text}",', problem_mark=key_node.start_mark
                )
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is not None and key != "<<" and key in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key!r} is there twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _DROPPED]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INT, list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789."))


def _construct_float(loader: _Loader, node: yaml.ScalarNode) -> float:
    return float(str(loader.construct_scalar(node)).replace(".inf", "inf").replace(".nan", "nan"))


_Loader.add_constructor("tag:yaml.org,2002:float", _construct_float)


def read_documents(path: str) -> list[Document]:
    """Return the documents of a file, or of standard input for `-`; Failure with one sentence if that is not possible."""
    source = "standard input" if path == "-" else path
    text = _read(path, source)
    try:
        contents = [content for content in yaml.load_all(text, _Loader) if content is not None]
    except yaml.YAMLError as error:
        raise Failure(f"{source}: not YAML: {_one_line(error)}") from error
    flat = [item for content in contents for item in _items(content)]
    if not flat:
        raise Failure(f"{source}: no documents in it; a ModelDeployment manifest is expected")
    return [Document(f"{source} (document {number})" if len(flat) > 1 else source, content) for number, content in enumerate(flat, 1)]


def claims_to_be_ours(content: Mapping[str, Any]) -> bool:
    """Tell a ModelDeployment from objects of other groups; one with a mistyped kind or group is ours to complain about."""
    api_version = str(content.get("apiVersion", ""))
    return content.get("kind") == KIND or api_version.split("/")[0] == GROUP or not api_version


def to_yaml(value: Any) -> str:
    """Write plain JSON data as YAML, in the order it has."""
    return yaml.safe_dump(json.loads(json.dumps(value)), sort_keys=False, allow_unicode=True, width=120)


def _read(path: str, source: str) -> str:
    try:
        data = sys.stdin.buffer.read(_MAX_BYTES + 1) if path == "-" else _read_file(Path(path))
        if len(data) > _MAX_BYTES:
            raise Failure(f"{source}: larger than {_MAX_BYTES // 1_000_000} MB; this is no manifest")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise Failure(f"{source}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Failure(f"{source}: is not UTF-8 text; manifests are written in UTF-8") from error


def _read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MAX_BYTES + 1)


def _items(content: Any) -> Iterator[Any]:
    """Yield the objects of a `kind: List`, or the object itself."""
    if isinstance(content, dict) and content.get("kind") == "List" and isinstance(content.get("items"), list):
        yield from content["items"]
    else:
        yield content


def _one_line(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{error.problem} in line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1}"
    return " ".join(str(error).split())
