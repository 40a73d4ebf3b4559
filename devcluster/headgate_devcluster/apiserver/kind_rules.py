"""Rules of built-in kinds that the project can trip over."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from headgate_devcluster.apiserver.errors import FieldError, invalid_value, required
from headgate_devcluster.apiserver.objects import Object

MAX_NOTE: Final = 1024
"""Bytes, as all these lengths."""

_QUALIFIED: Final = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_NOT_QUALIFIED: Final = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)

Rule = Callable[[Object, Object | None], Iterator[FieldError]]


_EVENT_TEXTS: Final = {"reportingController": 253, "reportingInstance": 128, "action": 128, "reason": 128}
_EVENT_IMMUTABLE: Final = (
    "regarding", "related", "action", "reason", "note", "type", "eventTime", "reportingController", "reportingInstance",
)  # fmt: skip


def _event(obj: Object, old: Object | None) -> Iterator[FieldError]:
    """Only events.k8s.io/v1 is strict; the older core form is let through, as the real server does."""
    if obj["apiVersion"] == "v1":
        return
    if old is None:
        yield from _new_event(obj)
        yield from _event_place(obj)
    else:
        yield from _unchanged(obj, old, _EVENT_IMMUTABLE)
    if (obj.get("series") or {}).get("count", 2) < 2:
        yield invalid_value("series.count", "", "should be at least 2")


def _new_event(obj: Object) -> Iterator[FieldError]:
    if not obj.get("eventTime"):
        yield required("eventTime")
    for name, longest in _EVENT_TEXTS.items():
        if not obj.get(name):
            yield required(name)
        elif len(obj[name].encode()) > longest:
            yield invalid_value(name, "", f"can have at most {longest} characters")
    if (controller := obj.get("reportingController")) and not _QUALIFIED.fullmatch(controller):
        yield invalid_value("reportingController", controller, _NOT_QUALIFIED)
    if len((obj.get("note") or "").encode()) > MAX_NOTE:
        yield invalid_value("message", "", f"can have at most {MAX_NOTE} characters")
    if obj.get("type") not in {"Normal", "Warning"}:
        yield invalid_value("type", "", f"has invalid value: {obj.get('type', '')}")


def _event_place(obj: Object) -> Iterator[FieldError]:
    """An Event about an object without a namespace lives in `default`."""
    if not (obj.get("regarding") or {}).get("namespace") and obj["metadata"].get("namespace") != "default":
        yield invalid_value("involvedObject.namespace", "", "does not match event.namespace")


def _unchanged(obj: Object, old: Object, names: tuple[str, ...]) -> Iterator[FieldError]:
    for name in names:
        if obj.get(name) != old.get(name):
            yield invalid_value(name, obj.get(name), "field is immutable")


def _lease(obj: Object, _: Object | None) -> Iterator[FieldError]:
    spec = obj.get("spec") or {}
    if spec.get("leaseDurationSeconds") is not None and spec["leaseDurationSeconds"] <= 0:
        yield invalid_value("spec.leaseDurationSeconds", spec["leaseDurationSeconds"], "must be greater than 0")
    if spec.get("leaseTransitions") is not None and spec["leaseTransitions"] < 0:
        yield invalid_value("spec.leaseTransitions", spec["leaseTransitions"], "must be greater than or equal to 0")
    if spec.get("holderIdentity") is not None and not spec["holderIdentity"] and not spec.get("strategy"):
        yield invalid_value("spec.holderIdentity", "", "must not be empty")


def _config_map(obj: Object, old: Object | None) -> Iterator[FieldError]:
    if old is not None and old.get("immutable"):
        for name in ("data", "binaryData"):
            if obj.get(name) != old.get(name):
                yield FieldError(name, "Forbidden", "field is immutable when `immutable` is set")
        if not obj.get("immutable"):
            yield FieldError("immutable", "Forbidden", "field is immutable when `immutable` is set")
    if sum(len(str(value).encode()) for value in (obj.get("data") or {}).values()) > 1024 * 1024:
        yield FieldError("", "Too long", "may not be more than 1048576 bytes")


def _deployment(obj: Object, old: Object | None) -> Iterator[FieldError]:
    spec = obj["spec"]
    wanted = (spec["selector"] or {}).get("matchLabels") or {}
    labels = ((spec["template"] or {}).get("metadata") or {}).get("labels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        yield invalid_value("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    if old is not None and spec["selector"] != old["spec"]["selector"]:
        yield invalid_value("spec.selector", spec["selector"], "field is immutable")


def _binding(obj: Object, old: Object | None) -> Iterator[FieldError]:
    if old is not None and obj["roleRef"] != old["roleRef"]:
        yield invalid_value("roleRef", obj["roleRef"], "cannot change roleRef")


RULES: Final[Mapping[tuple[str, str], Rule]] = {
    ("", "Event"): _event,
    ("events.k8s.io", "Event"): _event,
    ("coordination.k8s.io", "Lease"): _lease,
    ("", "ConfigMap"): _config_map,
    ("apps", "Deployment"): _deployment,
    ("rbac.authorization.k8s.io", "RoleBinding"): _binding,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _binding,
}
