"""Manifests as people write them: unknown fields count, and every problem says what is allowed.

Objects read back from a cluster are parsed by the models alone, which ignore unknown fields.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from headgate_operator.api.crd import root_schema
from headgate_operator.api.rules import violations
from headgate_operator.api.schema import JsonSchema
from headgate_operator.api.spec import ModelDeploymentSpec
from headgate_operator.api.structure import Violation


class ManifestError(ValueError):
    """A manifest is refused; `problems` has every reason."""

    def __init__(self, problems: list[Violation]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


def load(obj: Mapping[str, Any], *, forbid_unknown: bool = True) -> ModelDeploymentSpec:
    """Return the spec of a ModelDeployment; raise ManifestError with every problem it has."""
    found = problems(obj) if forbid_unknown else violations(obj)
    if found:
        raise ManifestError(found)
    return ModelDeploymentSpec.model_validate(obj["spec"])


def problems(obj: Mapping[str, Any]) -> list[Violation]:
    """Return everything wrong with a ModelDeployment, unknown fields included."""
    return [*_unknown(obj, root_schema(), ""), *violations(obj)]


def _unknown(value: Any, schema: JsonSchema, path: str) -> Iterator[Violation]:
    if isinstance(value, Mapping) and "properties" in schema and path not in {"metadata", "status"}:
        for key, child in value.items():
            here = f"{path}.{key}".lstrip(".")
            if key in schema["properties"]:
                yield from _unknown(child, schema["properties"][key], here)
            else:
                yield Violation(here, _suggestion(str(key), list(schema["properties"])))
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from _unknown(item, schema["items"], f"{path}[{index}]")


def _suggestion(key: str, allowed: list[str]) -> str:
    close = get_close_matches(key, allowed, n=1)
    guess = f", did you mean {close[0]}?" if close else ";"
    return f"unknown field{guess} allowed here: {', '.join(allowed)}"
