"""CloudEvents 1.0 of KServe's payload logger: binary mode (what it sends), structured and batched (what brokers make of it)."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from headgate_monitor.collector.errors import MalformedError

STRUCTURED: Final = "application/cloudevents+json"
BATCHED: Final = "application/cloudevents-batch+json"
LARGEST_ID: Final = 256
LARGEST_BATCH: Final = 1000

REQUEST: Final = "org.kubeflow.serving.inference.request"
RESPONSE: Final = "org.kubeflow.serving.inference.response"
_PARITY: Final = "x-headgate-parity"
"""Header of the operator's own parity requests, as `metadataHeaders` hands it on: not a client's request."""


@dataclass(frozen=True, slots=True)
class Event:
    """A request or a response that a version's logger told of. The two of one exchange share the id."""

    deployment: str
    version: str
    id: str
    is_request: bool
    body: bytes
    metadata: str = ""
    """JSON of the request headers that the logger hands on."""

    @property
    def parity(self) -> bool:
        """Whether the operator itself sent the request."""
        return _PARITY in self.metadata.lower()

    def header(self, name: str) -> str:
        """Return a request header that the logger handed on, whatever the spelling of its name; empty if it did not."""
        try:
            headers = orjson.loads(self.metadata) if self.metadata else {}
        except ValueError:
            return ""
        if not isinstance(headers, dict):
            return ""
        found = next((value for key, value in headers.items() if key.lower() == name.lower()), "")
        first = found[0] if isinstance(found, list) and found else found
        return first if isinstance(first, str) else ""


def binary(deployment: str, version: str, headers: Mapping[str, str], body: bytes) -> Event:
    """Return the event whose attributes are these headers (looked up in lower case) and whose data is the body.

    Raises:
        MalformedError: an attribute is missing or not one of KServe's.
    """
    id_, kind = headers.get("ce-id", ""), headers.get("ce-type", "")
    return Event(deployment, version, _checked_id(id_), _is_request(kind), body, headers.get("ce-metadata", ""))


def structured(deployment: str, version: str, body: bytes) -> Event:
    """Return the event that a JSON body is.

    Raises:
        MalformedError: it is none.
    """
    return _of_object(deployment, version, _json(body))


def batched(deployment: str, version: str, body: bytes) -> Iterator[Event | MalformedError]:
    """Yield the events of a JSON array, and for each that is none, why.

    Raises:
        MalformedError: it is no array, or too long.
    """
    parsed = _json(body)
    if not isinstance(parsed, list) or len(parsed) > LARGEST_BATCH:
        raise MalformedError("batch", f"a batch must be an array of at most {LARGEST_BATCH} events")
    for one in parsed:
        try:
            yield _of_object(deployment, version, one)
        except MalformedError as error:
            yield error


def encodable(text: str) -> bool:
    """Whether a text can be written as UTF-8. Lone surrogates cannot: JSON may spell them, and they stand for other bytes in a header."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _of_object(deployment: str, version: str, event: Any) -> Event:
    if not isinstance(event, dict):
        raise MalformedError("event", "a CloudEvent must be a JSON object")
    metadata = event.get("metadata", "")
    text = metadata if isinstance(metadata, str) else _written(metadata).decode()
    return Event(deployment, version, _checked_id(event.get("id")), _is_request(event.get("type")), _data(event), text)


def _data(event: dict[str, Any]) -> bytes:
    if "data_base64" in event:
        try:
            return base64.b64decode(event["data_base64"], validate=True)
        except (binascii.Error, TypeError, ValueError) as error:
            raise MalformedError("event", f"data_base64 is not base64: {error}") from error
    return _written(event.get("data"))


def _written(part: Any) -> bytes:
    try:
        return orjson.dumps(part)
    except orjson.JSONEncodeError as error:  # orjson reads deeper nesting than it writes
        raise MalformedError("event", f"a part of the event cannot be written as JSON: {error}") from error


def _checked_id(id_: Any) -> str:
    if not isinstance(id_, str) or not 0 < len(id_) <= LARGEST_ID:
        raise MalformedError("id", f"an event needs an id (header ce-id) of 1 to {LARGEST_ID} characters")
    if not encodable(id_):
        raise MalformedError("id", "an event's id (header ce-id) must be UTF-8")
    return id_


def _is_request(kind: Any) -> bool:
    if kind not in (REQUEST, RESPONSE):
        raise MalformedError("type", f"the type (header ce-type) must be {REQUEST} or {RESPONSE}")
    return bool(kind == REQUEST)


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError as error:
        raise MalformedError("json", f"the event is not valid JSON: {error}") from error
