"""From an API server's answer to one of our errors, in the server's own words."""

from collections.abc import Mapping
from typing import Any

import orjson

from headgate_operator.kube.protocol import ApiError, ConflictError, InvalidError, NotFoundError, UnavailableError

_TYPED_PATCH = "failed to create typed patch object"
_LONGEST = 1000


def error_from(status: int, body: bytes, what: str) -> ApiError:
    """Return the error for an answer that is not 2xx.

    Args:
        status: HTTP status.
        body: A Kubernetes Status object, or whatever a proxy in between had to say.
        what: What was tried, such as `GET inferenceservices ml/x`, for the message.
    """
    told = status_object(body)
    said = str(told.get("message") or body[:_LONGEST].decode(errors="replace").strip() or "no explanation")[:_LONGEST]
    return _kind(status, said, told)(f"{what}: {said}", status)


def status_object(body: bytes) -> Mapping[str, Any]:
    """Return the Kubernetes Status in a body; empty if it is none (a plain `404 page not found`, a proxy's page)."""
    try:
        parsed = orjson.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) and parsed.get("kind") == "Status" else {}


def _kind(status: int, said: str, told: Mapping[str, Any]) -> type[ApiError]:
    if status == 404:
        return NotFoundError
    if status == 409 or (status == 422 and _is_about_uid(told, said)):
        return ConflictError
    # An apply with an unknown field is HTTP 500, whatever the field validation asked for, and no retry ever helps.
    if status in {400, 422} or (status == 500 and _TYPED_PATCH in said):
        return InvalidError
    if status == 429 or status >= 500:
        return UnavailableError
    return ApiError


def _is_about_uid(told: Mapping[str, Any], said: str) -> bool:
    """Whether an apply met another object of the same name: the uid we sent is not the one that is there."""
    causes = (told.get("details") or {}).get("causes") or ()
    return any(cause.get("field") == "metadata.uid" for cause in causes) or "metadata.uid" in said
