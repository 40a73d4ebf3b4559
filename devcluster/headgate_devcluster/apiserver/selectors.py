"""Label and field selectors, as written in a query string."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from headgate_devcluster.apiserver.errors import bad_request
from headgate_devcluster.apiserver.objects import Object
from headgate_devcluster.apiserver.resources import ResourceType

Matcher = Callable[[Object], bool]

_REQUIREMENTS = re.compile(r",(?![^()]*\))")
_SET = re.compile(r"^(?P<key>[^\s!=,()]+)\s+(?P<how>in|notin)\s*\((?P<values>[^()]*)\)$")
_EQUAL = re.compile(r"^(?P<key>[^\s!=,()]+)\s*(?P<how>==|=|!=)\s*(?P<value>[^\s!=,()]*)$")
_EXISTS = re.compile(r"^(?P<absent>!\s*)?(?P<key>[^\s!=,()]+)$")

_SELECTABLE: Mapping[str, frozenset[str]] = {
    "Event": frozenset({
        "involvedObject.apiVersion", "involvedObject.fieldPath", "involvedObject.kind", "involvedObject.name", "involvedObject.namespace",
        "involvedObject.resourceVersion", "involvedObject.uid", "reason", "regarding.kind", "regarding.name", "regarding.namespace",
        "regarding.uid", "reportingComponent", "reportingController", "source", "type",
    }),
    "Pod": frozenset({
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase", "status.podIP",
    }),
    "Namespace": frozenset({"status.phase"}),
    "Secret": frozenset({"type"}),
}  # fmt: skip
_ALWAYS = frozenset({"metadata.name", "metadata.namespace"})


def label_matcher(selector: str) -> Matcher:
    """Return a predicate on objects; 400 if the selector cannot be read."""
    tests = [_label_test(part.strip()) for part in _REQUIREMENTS.split(selector) if part.strip()]

    def matches(obj: Object) -> bool:
        labels = obj["metadata"].get("labels") or {}
        return all(test(labels) for test in tests)

    return matches


def equal_label(selector: str) -> tuple[str, str] | None:
    """Return the first label that a selector wants to have a certain value; None if it wants none."""
    for part in _REQUIREMENTS.split(selector):
        if (found := _EQUAL.match(part.strip())) and found["how"] != "!=":
            return found["key"], found["value"]
    return None


def _label_test(text: str) -> Callable[[Mapping[str, str]], bool]:
    if found := _SET.match(text):
        key, values = found["key"], {value.strip() for value in found["values"].split(",")}
        if found["how"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found := _EQUAL.match(text):
        key, value = found["key"], found["value"]
        if found["how"] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found := _EXISTS.match(text):
        key, wanted = found["key"], found["absent"] is None
        return lambda labels: (key in labels) is wanted
    raise bad_request(f"unable to parse requirement: found '{text}', expected: '=', '!=', '==', 'in', notin'")


def field_matcher(selector: str, resource: ResourceType) -> Matcher:
    """Return a predicate on objects; 400 if the selector names a field that cannot be selected by."""
    tests = [_field_test(part.strip(), selector, resource) for part in selector.split(",") if part.strip()]
    return lambda obj: all(test(obj) for test in tests)


def _field_test(text: str, selector: str, resource: ResourceType) -> Matcher:
    found = _EQUAL.match(text)
    if found is None:
        raise bad_request(f"invalid selector: '{selector}'; can't understand '{text}'")
    path, value, equal = found["key"], found["value"], found["how"] != "!="
    if path not in _ALWAYS | _SELECTABLE.get(resource.kind, frozenset()):
        raise bad_request(f"field label not supported: {path}")
    parts = path.split(".")
    return lambda obj: (_at(obj, parts) == value) is equal


def _at(obj: Any, parts: list[str]) -> str:
    for part in parts:
        obj = obj.get(part) if isinstance(obj, dict) else None
    if isinstance(obj, dict):  # `source` of an Event means its component
        obj = obj.get("component")
    return "" if obj is None else str(obj)
