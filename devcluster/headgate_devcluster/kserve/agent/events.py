"""The CloudEvents of one request, in binary mode: the attributes are headers and the body is the payload as it was."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

REQUEST, RESPONSE = "org.kubeflow.serving.inference.request", "org.kubeflow.serving.inference.response"

SOURCE = "http://localhost:9081/"
"""Meant to be the pod's name, which is not known yet when the real agent is injected into a Deployment's pod."""


@dataclass(frozen=True)
class Origin:
    """Which pod the events come from, and what of a request's headers they carry."""

    inference_service: str
    namespace: str
    component: str = "predictor"
    endpoint: str = ""
    metadata_headers: tuple[str, ...] = ()
    """In Go's canonical spelling, such as X-Request-Id; any other matches nothing."""


@dataclass(frozen=True)
class Event:
    """One event, ready to be sent."""

    headers: Mapping[str, str]
    body: bytes


def event(kind: str, id_: str, origin: Origin, request_headers: Iterable[tuple[str, str]], body: bytes, now: datetime) -> Event:
    """The event of a request or of its response; the two share the id.

    Args:
        kind: `REQUEST` or `RESPONSE`.
        id_: what joins them.
        origin: where it happened.
        request_headers: the request's, for both.
        body: the payload.
        now: when it came by.
    """
    headers = [(canonical(name), value) for name, value in request_headers]
    metadata: dict[str, list[str]] = {}
    for name, value in headers:
        if name in origin.metadata_headers:
            metadata.setdefault(name, []).append(value)
    time = now.astimezone(UTC).isoformat().replace("+00:00", "Z")
    attributes = {
        "ce-specversion": "1.0",
        "ce-id": id_,
        "ce-type": kind,
        "ce-source": SOURCE,
        "ce-time": time,
        "ce-recordedtime": time,
        "ce-inferenceservicename": origin.inference_service,
        "ce-namespace": origin.namespace,
        "ce-component": origin.component,
        "ce-endpoint": origin.endpoint,
        "ce-metadata": json.dumps(metadata),
        "ce-annotations": "{}",
        "content-type": dict(headers).get("Content-Type", "application/json"),
    }
    return Event(attributes, body)


def canonical(header: str) -> str:
    """A header's name as Go spells it."""
    return "-".join(part.capitalize() for part in header.split("-"))
