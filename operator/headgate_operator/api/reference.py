"""The field reference for people, generated from the CRD: docs/reference.md. A test compares."""

from collections.abc import Iterator
from typing import Any

from headgate_operator.api.crd import DEFAULTED, root_schema
from headgate_operator.api.names import API_VERSION, KIND, SHORT_NAME
from headgate_operator.api.rules import RULES
from headgate_operator.api.schema import JsonSchema

_DEFAULTED = ", ".join(f"`{name}`" for name in sorted(DEFAULTED))

_HEAD = f"""\
# Reference: {KIND} ({API_VERSION})

Generated from the models of `headgate_operator.api`; edit those, not this page. Namespaced, short name `{SHORT_NAME}`.
`kubectl explain {SHORT_NAME}.spec --recursive` says the same.

Durations are numbers with units (`90s`, `5m`, `1h30m`, `30d`), shares are written with a percent sign (`1%`), weights are whole
percents of the traffic. Fields under `model` and `predictor`, except `predictor.replicas`, make up the revision: changing one starts a
rollout. Everything else can be changed at any time. The API server fills in the defaults under {_DEFAULTED};
a default in brackets is Headgate's own and never written into the object. A list is replaced as a whole.
"""


def reference_markdown() -> str:
    """Return the whole page."""
    root = root_schema()["properties"]
    parts = [_HEAD, "## spec\n", *_tables(root["spec"], "spec"), "## Rules across fields\n", _rules(), "## status\n"]
    return "\n".join([*parts, *_tables(root["status"], "status")]).rstrip() + "\n"


def _tables(schema: JsonSchema, path: str) -> Iterator[str]:
    """Yield one table for an object, then those of the objects in it."""
    required = schema.get("required", [])
    if path not in {"spec", "status"}:
        yield f"### {path}\n"
    if schema.get("description"):
        yield f"{schema['description']}\n"
    yield "| field | type | meaning |\n|---|---|---|"
    for name, field in schema["properties"].items():
        yield f"| `{name}`{' (required)' if name in required else ''} | {_type(field)} | {_meaning(field)} |"
    yield ""
    for name, field in schema["properties"].items():
        inner, suffix = (field["items"], "[]") if field["type"] == "array" else (field, "")
        if "properties" in inner:
            yield from _tables(inner, f"{path}.{name}{suffix}")


def _type(field: JsonSchema) -> str:
    if field["type"] == "array":
        return f"list of {_type(field['items'])}"
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    bounds = _bounds(field)
    return f"{_plain(field)}, {bounds}" if bounds else _plain(field)


def _plain(field: JsonSchema) -> str:
    messages = [validation["message"] for validation in field.get("x-kubernetes-validations", ())]
    if any(message.startswith("write a number and a unit") for message in messages):
        return "duration"
    if any(message.startswith("write a percentage") for message in messages):
        return "share"
    if field["type"] == "object":
        return "object" if "properties" in field else "mapping"
    if field.get("format") == "date-time":
        return "time"
    return "whole number" if field["type"] == "integer" else str(field["type"])


def _bounds(field: JsonSchema) -> str:
    low, high = field.get("minimum"), field.get("maximum")
    if low is None and high is None:
        return ""
    if high is None:
        return f"at least {low:g}"
    return f"{low:g} to {high:,.0f}" if low is not None else f"at most {high:g}"


def _meaning(field: JsonSchema) -> str:
    text = field.get("description", "").replace("|", "\\|").replace("<", "&lt;")
    default = field.get("default")
    return text if default in (None, {}) else f"{text} Default `{_shown(default)}`."


def _shown(default: Any) -> str:
    return f"{default:g}" if isinstance(default, float) else str(default)


def _rules() -> str:
    """Return the rules that no single field can say, as the API server says them."""
    said = dict.fromkeys((rule.at or "metadata", rule.sentence) for rule in RULES)
    return "\n".join(f"- `{at}`: {sentence}." for at, sentence in said) + "\n"
