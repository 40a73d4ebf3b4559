"""Checking an object against a structural schema, in the words of the real server (which are those of go-openapi)."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

from headgate_devcluster.apiserver.errors import FieldError, invalid_value, required
from headgate_devcluster.apiserver.objects import to_json
from headgate_devcluster.apiserver.resources import Schema
from headgate_devcluster.apiserver.structure import duplicates, list_type

_MATCHES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer()),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}
_INTEGERS = {"int32": 31, "int64": 63}


def violations(value: Any, schema: Schema, path: str = "") -> Iterator[FieldError]:
    """Yield what is wrong with a value; unknown fields are not."""
    if value is None and schema.get("nullable"):
        return
    if schema.get("x-kubernetes-int-or-string"):
        if not (_MATCHES["integer"](value) or isinstance(value, str)):
            yield invalid_value(path, _type_of(value), f'{path} in body must be of type integer,string: "{_type_of(value)}"')
        return
    if (expected := schema.get("type")) and not _MATCHES[expected](value):
        yield invalid_value(path, _type_of(value), f'{path} in body must be of type {expected}: "{_type_of(value)}"')
        return
    if "enum" in schema and value not in schema["enum"]:
        yield FieldError(
            path,
            "Unsupported value",
            "supported values: " + ", ".join(to_json(item).decode() for item in schema["enum"]),
            value,
            shows_value=True,
        )
    yield from _by_type(value, schema, path)
    yield from _combinations(value, schema, path)


def _by_type(value: Any, schema: Schema, path: str) -> Iterator[FieldError]:
    if isinstance(value, dict):
        yield from _of_object(value, schema, path)
    elif isinstance(value, list):
        yield from _of_list(value, schema, path)
    elif isinstance(value, str):
        yield from _of_string(value, schema, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _of_number(value, schema, path)


def _of_object(value: dict[str, Any], schema: Schema, path: str) -> Iterator[FieldError]:
    for name in schema.get("required") or ():
        if name not in value:
            yield required(_below(path, name))
    if (most := schema.get("maxProperties")) is not None and len(value) > most:
        yield FieldError(path, "Too many", f"must have at most {most} items", len(value), shows_value=True)
    if (least := schema.get("minProperties")) is not None and len(value) < least:
        yield invalid_value(path, value, f"{path} in body should have at least {least} properties")
    properties, additional = schema.get("properties") or {}, schema.get("additionalProperties")
    for name, item in value.items():
        child = properties.get(name, additional if isinstance(additional, dict) else None)
        if child is not None and (path or name != "metadata"):
            yield from violations(item, child, _below(path, name))


def _of_list(value: list[Any], schema: Schema, path: str) -> Iterator[FieldError]:
    if (most := schema.get("maxItems")) is not None and len(value) > most:
        yield FieldError(path, "Too many", f"must have at most {most} items", len(value), shows_value=True)
    if (least := schema.get("minItems")) is not None and len(value) < least:
        yield invalid_value(path, len(value), f"{path} in body should have at least {least} items")
    if isinstance(items := schema.get("items"), dict):
        for index, item in enumerate(value):
            yield from violations(item, items, f"{path}[{index}]")
    if list_type(schema) == "set" or (list_type(schema) == "map" and all(isinstance(item, dict) for item in value)):
        keys = schema.get("x-kubernetes-list-map-keys", [])
        for index in duplicates(value, schema):
            item = value[index]
            shown = {key: item.get(key) for key in keys} if keys else item
            yield FieldError(f"{path}[{index}]", "Duplicate value", "", shown, shows_value=True)


def _of_string(value: str, schema: Schema, path: str) -> Iterator[FieldError]:
    if (most := schema.get("maxLength")) is not None and len(value) > most:
        yield FieldError(path, "Too long", f"may not be more than {most} bytes")
    if (least := schema.get("minLength")) is not None and len(value) < least:
        yield invalid_value(path, value, f"{path} in body should be at least {least} chars long")
    if (pattern := schema.get("pattern")) and not _compiled(pattern).search(value):
        yield invalid_value(path, value, f"{path} in body should match '{pattern}'")
    if schema.get("format") == "date-time" and not is_date_time(value):
        yield invalid_value(path, value, f'{path} in body must be of type date-time: "{value}"')


def _of_number(value: float, schema: Schema, path: str) -> Iterator[FieldError]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and (value < least or (schema.get("exclusiveMinimum") and value == least)):
        how = "greater than" if schema.get("exclusiveMinimum") else "greater than or equal to"
        yield invalid_value(path, value, f"{path} in body should be {how} {least:g}")
    if most is not None and (value > most or (schema.get("exclusiveMaximum") and value == most)):
        how = "less than" if schema.get("exclusiveMaximum") else "less than or equal to"
        yield invalid_value(path, value, f"{path} in body should be {how} {most:g}")
    if (bits := _INTEGERS.get(schema.get("format", ""))) and not -(2**bits) <= value < 2**bits:
        yield invalid_value(path, value, f"{path} in body must be of type {schema['format']}: {value}")


def _combinations(value: Any, schema: Schema, path: str) -> Iterator[FieldError]:
    for part in schema.get("allOf") or ():
        yield from violations(value, part, path)
    for word, words, allowed in (
        ("anyOf", "must validate at least one schema (anyOf)", None),
        ("oneOf", "must validate one and only one schema (oneOf)", 1),
    ):
        if options := schema.get(word):
            fitting = sum(not any(True for _ in violations(value, option, path)) for option in options)
            if not fitting or (allowed is not None and fitting != allowed):
                yield invalid_value(path, value, f"{path} in body {words}")
    if "not" in schema and not any(True for _ in violations(value, schema["not"], path)):
        yield invalid_value(path, value, f"{path} in body must not validate the schema (not)")


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern written for Go: `$` means the very end there."""
    return re.compile(re.sub(r"(?<!\\)\$$", r"\\Z", pattern))


def is_date_time(text: str) -> bool:
    """Say whether a text is RFC 3339."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", text):
        return False
    try:
        datetime.fromisoformat(f"{text[:10]}T{text[11:19]}")
    except ValueError:
        return False
    return True


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    return next(name for name in ("object", "array", "string", "boolean", "integer", "number") if _MATCHES[name](value))
