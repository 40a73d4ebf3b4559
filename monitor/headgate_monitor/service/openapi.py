"""The API as an OpenAPI document, from the types that read and write it."""

from functools import cache
from typing import Any, Final

from pydantic import TypeAdapter

from headgate_monitor.collector.events import BATCHED, LARGEST_BATCH, LARGEST_ID, REQUEST, RESPONSE, STRUCTURED
from headgate_monitor.collector.labels import LARGEST_LABELS, NDJSON
from headgate_monitor.collector.tensors import LARGEST_ROWS
from headgate_monitor.service.labelling import Receipt, Report
from headgate_monitor.service.windows import Windows
from headgate_monitor.service.wire import NAME, Answer, Question

_Json = dict[str, Any]

_NAME_SCHEMA: Final = {"type": "string", "pattern": f"^{NAME}$"}
_ID: Final = {"type": "string", "minLength": 1, "maxLength": LARGEST_ID}
_EVENT: Final = {
    "type": "object",
    "required": ["id", "type"],
    "properties": {
        "id": _ID,
        "type": {"enum": [REQUEST, RESPONSE]},
        "data": {"description": "A body of the V1 or V2 protocol."},
        "data_base64": {"type": "string", "description": "The same, if it is not JSON."},
        "metadata": {"description": "The request headers that the logger hands on."},
    },
}
_LABEL: Final = {
    "type": "object",
    "required": ["id", "value"],
    "properties": {
        "id": _ID,
        "row": {"type": "integer", "minimum": 0, "maximum": LARGEST_ROWS - 1, "default": 0},
        "value": {"enum": [0, 1, False, True]},
        "time": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "number"}, {"type": "null"}]},
    },
}
_LABELS: Final = {"type": "array", "items": _LABEL, "maxItems": LARGEST_LABELS}
_REFUSED: Final = {
    "400": "It cannot be read.", "401": "It lacks the token.", "408": "Its body did not come in time.", "413": "Its body is too large.",
    "503": "The monitor is behind; send it again.",
}  # fmt: skip


@cache
def openapi() -> _Json:
    """Return the document."""
    types = {"Question": ("validation", Question), "Answer": ("serialization", Answer), "Windows": ("serialization", Windows),
             "Receipt": ("serialization", Receipt), "Report": ("serialization", Report)}  # fmt: skip
    adapters: list[Any] = [(name, mode, TypeAdapter(kind)) for name, (mode, kind) in types.items()]
    schemas, shared = TypeAdapter.json_schemas(adapters, ref_template="#/components/schemas/{model}")
    components = {
        "schemas": shared.get("$defs", {}) | {name: schema for (name, _), schema in schemas.items() if "$ref" not in schema},
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Headgate's drift monitor", "version": "1", "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "security": [{}, {"token": []}],
        "paths": _paths(),
        "components": components,
    }


def _paths() -> _Json:
    deployment = {"name": "deployment", "in": "path", "required": True, "schema": _NAME_SCHEMA}
    version = {"name": "version", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[-a-z0-9.]{1,64}$"}}
    return {
        "/v1/events/{deployment}/{version}": {"parameters": [deployment, version], "post": _events()},
        "/v1/drift/{deployment}": {
            "parameters": [deployment],
            "post": _operation("What finished windows say about these versions; from now on their events are collected.",
                               {"application/json": _ref("Question")}, "Answer"),
            "get": _look("What finished windows saw.", "Windows"),
        },
        "/v1/ground-truth/{deployment}": {
            "parameters": [deployment],
            "post": _labels(),
            "get": _look("What labels say so far.", "Report"),
        },
        "/openapi.json": {"get": _text("This document.", "application/json")},
        "/metrics": {"get": _text("Numbers for Prometheus.", "text/plain")},
        "/healthz": {"get": _probe("Whether events are read.")},
        "/readyz": {"get": _probe("Whether events are read.")},
    }  # fmt: skip


def _events() -> _Json:
    bodies: _Json = {
        "application/json": {"description": "The data of an event whose attributes are headers."},
        "application/octet-stream": {"description": "The same, with tensors behind the JSON."},
        STRUCTURED: _EVENT,
        BATCHED: {"type": "array", "items": _EVENT, "maxItems": LARGEST_BATCH},
    }
    headers: _Json = {
        "ce-id": {"type": "string", "pattern": f"^[!-~]{{1,{LARGEST_ID}}}$"},
        "ce-type": {"type": "string", "enum": [REQUEST, RESPONSE]},
        "ce-metadata": {"type": "string", "pattern": "^[ -~]*$", "maxLength": 4000},
    }
    operation = _operation("Take in a payload, as KServe's logger sends it. 200 also when it is dropped.", bodies, None)
    return operation | {"parameters": [{"name": name, "in": "header", "schema": schema} for name, schema in headers.items()]}


def _labels() -> _Json:
    labels = {"type": "object", "required": ["labels"], "properties": {"labels": _LABELS}}
    bodies = {"application/json": {"anyOf": [_LABELS, labels]}} | {kind: {"type": "string"} for kind in NDJSON}
    operation = _operation("Join labels with the predictions they belong to.", bodies, "Receipt")
    operation["responses"]["404"] = _said("No manifest asks for labels.", "text/plain")
    return operation


def _operation(summary: str, bodies: _Json, answer: str | None) -> _Json:
    done = _said("Done.", "application/json", _ref(answer)) if answer else {"description": "Done."}
    content = {kind: {"schema": schema} for kind, schema in bodies.items()}
    return {"summary": summary, "requestBody": {"required": True, "content": content}, "responses": {"200": done} | _refusals(*_REFUSED)}


def _look(summary: str, answer: str) -> _Json:
    unknown = {"404": _said("No operator asked about it.", "text/plain")}
    return {"summary": summary, "responses": {"200": _said("Found.", "application/json", _ref(answer))} | unknown | _refusals("400", "401")}


def _text(summary: str, kind: str) -> _Json:
    return {"summary": summary, "responses": {"200": _said("Found.", kind)} | _refusals("401")}


def _probe(summary: str) -> _Json:
    return {"summary": summary, "security": [], "responses": {"200": _said("Yes.", "text/plain"), "503": _said("No.", "text/plain")}}


def _refusals(*statuses: str) -> _Json:
    return {status: _said(_REFUSED[status], "text/plain") for status in statuses}


def _said(description: str, kind: str, schema: _Json | None = None) -> _Json:
    return {"description": description, "content": {kind: {"schema": schema or {}}}}


def _ref(name: str) -> _Json:
    return {"$ref": f"#/components/schemas/{name}"}
