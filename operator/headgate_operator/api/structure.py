"""Types, enums, lengths and required fields of a manifest, told in sentences: what an API server checks by the schema, before any rule."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from headgate_operator.api.names import API_VERSION, KIND
from headgate_operator.api.spec import ModelDeploymentSpec


@dataclass(frozen=True)
class Violation:
    """One thing wrong with a manifest: where, and what is allowed there."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


_SENTENCES: Mapping[str, str] = {
    "missing": "is required",
    "string_type": "must be a string; put it in quotes",
    "int_type": "must be a whole number, without quotes",
    "int_from_float": "must be a whole number, without quotes",
    "float_type": "must be a number, without quotes",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of fields to values",
    "finite_number": "must be a finite number",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "string_too_long": "must be at most {max_length} characters long",
    "string_too_short": "must not be empty",
    "too_long": "must have at most {max_length} entries",
    "too_short": "must have at least {min_length} entry",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "value_error": "{error}",
}
"""By pydantic's error type; the placeholders are the error's own context."""

_PATTERNS: Mapping[str, str] = {
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$": "must be a DNS label: lower-case letters and digits, with '-' inside",
    r"^[A-Za-z0-9._-]+$": "must be an alias: letters, digits, '.', '_' and '-'",
    r"^[^/:]+$": "must be the name of a registered model, without '/' and ':'",
    r"^[A-Za-z0-9-]+$": "must be the name of a header, such as x-request-id",
    r"^https?://": "must begin with http:// or https://",
    r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$": "must be a host name in lower case, such as "
    "flight-delay.example.com, without scheme, port or path",
}


def structural_violations(obj: Mapping[str, Any]) -> list[Violation]:
    """Return what is wrong with the shape of an object; unknown fields are ignored."""
    return [*_envelope(obj), *_spec(obj)]


def _envelope(obj: Mapping[str, Any]) -> list[Violation]:
    found = [
        Violation(key, f"must be {expected}, not {obj.get(key)!r}")
        for key, expected in (("apiVersion", API_VERSION), ("kind", KIND))
        if obj.get(key) != expected
    ]
    metadata = obj.get("metadata")
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("name"), str) or not metadata["name"]:
        found.append(Violation("metadata.name", "is required"))
    return found


def _spec(obj: Mapping[str, Any]) -> list[Violation]:
    if not isinstance(obj.get("spec"), Mapping):
        return [Violation("spec", "is required")]
    try:  # strict JSON: an API server takes no "5" for 5
        ModelDeploymentSpec.model_validate_json(json.dumps(obj["spec"]), strict=True)
    except ValidationError as error:
        return [Violation(path_of(("spec", *details["loc"])), sentence_of(details)) for details in error.errors(include_url=False)]
    return []


def path_of(location: tuple[int | str, ...]) -> str:
    """Write a location the way people read it: `spec.rollout.steps[1].weight`."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.lstrip(".")


def sentence_of(details: ErrorDetails) -> str:
    """Say in words what one of pydantic's errors means."""
    context = details.get("ctx", {})
    if details["type"] == "string_pattern_mismatch":
        said = _PATTERNS.get(context["pattern"], f"must match {context['pattern']}")
    else:
        said = _SENTENCES.get(details["type"], details["msg"]).format(**context)
    if details["type"] in {"missing", "value_error"}:
        return said
    return f"{said}, not {_shortened(details['input'])}"


def _shortened(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
