"""Labels as they are sent: one JSON array, an object with `labels`, or one JSON object a line."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final

import orjson

from headgate_monitor.collector.errors import MalformedError
from headgate_monitor.collector.events import LARGEST_ID
from headgate_monitor.collector.tensors import LARGEST_ROWS

NDJSON: Final = ("application/x-ndjson", "application/jsonl")
LARGEST_LABELS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Label:
    """What became of one row of a request."""

    request: str
    row: int
    value: float
    """0 or 1."""
    time: float | None = None
    """When it was known, seconds since the epoch by the sender's clock; of several labels the one with the latest time counts."""


def read_labels(body: bytes, *, lines: bool) -> list[Label | MalformedError]:
    """Return the labels of a body, and for each that is none, why.

    Args:
        body: What was sent.
        lines: Whether it is one JSON object a line.

    Raises:
        MalformedError: the body as a whole is no list of labels, or too long.
    """
    found = list(_of_lines(body)) if lines else _of_document(body)
    if len(found) > LARGEST_LABELS:
        raise MalformedError("size", f"at most {LARGEST_LABELS} labels are taken at once, found {len(found)}: send them in parts")
    return [_read(one, number) for number, one in enumerate(found)]


def _of_document(body: bytes) -> list[Any]:
    document = _parsed(body)
    found = document.get("labels") if isinstance(document, dict) else document
    if not isinstance(found, list):
        raise MalformedError("body", 'the body must be {"labels": [{"id": "…", "row": 0, "value": 1}, …]} or that array alone')
    return found


def _of_lines(body: bytes) -> Iterator[Any]:
    for line in body.splitlines():
        if line.strip():
            try:
                yield orjson.loads(line)
            except ValueError as error:
                yield MalformedError("json", f"not valid JSON: {error}")


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError as error:
        raise MalformedError("json", f"the body is not valid JSON: {error}") from error


def _read(one: Any, number: int) -> Label | MalformedError:
    try:
        return _label(one)
    except MalformedError as error:
        return MalformedError(error.kind, f"label {number}: {error}")


def _label(one: Any) -> Label:
    if isinstance(one, MalformedError):
        raise one
    if not isinstance(one, dict):
        raise MalformedError("label", 'a label must be an object such as {"id": "…", "row": 0, "value": 1}')
    id_, row, value = one.get("id"), one.get("row", 0), one.get("value")
    if not isinstance(id_, str) or not 0 < len(id_) <= LARGEST_ID:
        raise MalformedError("id", f"'id' must be the request's id, 1 to {LARGEST_ID} characters")
    if type(row) is not int or not 0 <= row < LARGEST_ROWS:
        raise MalformedError("row", f"'row' must be the row's number in the request, from 0 to {LARGEST_ROWS - 1}")
    if not isinstance(value, bool | int | float) or value not in (0, 1):
        raise MalformedError("value", "'value' must be 0 or 1 (or false or true)")
    return Label(id_, row, float(value), _time(one.get("time")))


def _time(given: Any) -> float | None:
    if given is None:
        return None
    try:
        if isinstance(given, str):
            at = datetime.fromisoformat(given)
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
        if isinstance(given, int | float) and not isinstance(given, bool) and isfinite(given):
            return float(given)
    except (ValueError, OverflowError):
        pass
    raise MalformedError("time", "'time' must be a time such as 2026-01-31T12:00:00Z, or seconds since 1970")
