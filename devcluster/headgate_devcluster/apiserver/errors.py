"""Refusals in the API server's own format: a `Status` object with code, reason, message and causes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from headgate_devcluster.apiserver.objects import Object
from headgate_devcluster.apiserver.resources import ResourceType

_CAUSES = {
    "Invalid value": "FieldValueInvalid",
    "Required value": "FieldValueRequired",
    "Unsupported value": "FieldValueNotSupported",
    "Duplicate value": "FieldValueDuplicate",
    "Too long": "FieldValueTooLong",
    "Too many": "FieldValueTooMany",
    "Forbidden": "FieldValueForbidden",
}


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with one field."""

    path: str
    problem: str
    """One of the server's own words, such as `Invalid value`."""
    detail: str = ""
    value: Any = None
    shows_value: bool = False

    @property
    def text(self) -> str:
        """Everything but the path."""
        parts = [self.problem]
        if self.shows_value:
            parts.append(json.dumps(self.value, ensure_ascii=False, separators=(",", ":"), default=str))
        return ": ".join(filter(None, [*parts, self.detail]))

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"

    @property
    def cause(self) -> Object:
        """As it stands in `details.causes`."""
        return {"reason": _CAUSES[self.problem], "message": self.text, "field": self.path}


def invalid_value(path: str, value: Any, detail: str) -> FieldError:
    """Return the most frequent field error."""
    return FieldError(path, "Invalid value", detail, value, shows_value=True)


def required(path: str, detail: str = "") -> FieldError:
    """Return the error of a missing field."""
    return FieldError(path, "Required value", detail)


class Refusal(Exception):  # noqa: N818 - not an error of ours: an answer
    """The server's answer to a request it does not grant."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.code, self.reason, self.details = code, reason, details

    @property
    def status(self) -> Object:
        """The body of the answer."""
        status: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": str(self)}
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        return status | {"code": self.code}


def _about(resource: ResourceType, name: str) -> Object:
    return {"name": name, **({"group": resource.group} if resource.group else {}), "kind": resource.plural}


def not_found(resource: ResourceType, name: str) -> Refusal:
    """The object does not exist."""
    return Refusal(404, "NotFound", f'{resource.qualified} "{name}" not found', _about(resource, name))


def already_exists(resource: ResourceType, name: str) -> Refusal:
    """The name is taken."""
    return Refusal(409, "AlreadyExists", f'{resource.qualified} "{name}" already exists', _about(resource, name))


def conflict(resource: ResourceType, name: str, why: str) -> Refusal:
    """The object is not the one, or not the version, that was meant."""
    return Refusal(409, "Conflict", f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}', _about(resource, name))


def another(resource: ResourceType, name: str, why: str) -> Refusal:
    """What is to be deleted is not what the preconditions say; unlike other conflicts, this one names the kind."""
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    details = _about(resource, name) | {"kind": resource.kind}
    return Refusal(409, "Conflict", f'Operation cannot be fulfilled on {kind} "{name}": {why}', details)


def modified(resource: ResourceType, name: str) -> Refusal:
    """The resourceVersion sent is not the current one."""
    return conflict(resource, name, "the object has been modified; please apply your changes to the latest version and try again")


def invalid(resource: ResourceType, name: str, errors: Sequence[FieldError]) -> Refusal:
    """The object breaks rules of its schema or its kind."""
    group = "" if resource.kind == "Event" else resource.group  # Events of both groups are refused as those of the core
    kind = f"{resource.kind}.{group}" if group else resource.kind
    told = str(errors[0]) if len(errors) == 1 else f"[{', '.join(map(str, errors))}]"
    details = {"name": name, **({"group": group} if group else {}), "kind": resource.kind}
    return Refusal(422, "Invalid", f'{kind} "{name}" is invalid: {told}', details | {"causes": [error.cause for error in errors]})


def unconditional(resource: ResourceType, name: str) -> Refusal:
    """A PUT without a resourceVersion; unlike other invalid objects, this one is named by its resource."""
    error = invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
    details = _about(resource, name) | {"causes": [error.cause]}
    return Refusal(422, "Invalid", f'{resource.qualified} "{name}" is invalid: {error}', details)


def invalid_patch(patch: str, detail: str) -> Refusal:
    """The outcome of a patch cannot be read as an object of this kind."""
    error = invalid_value("patch", patch, detail)
    return Refusal(422, "Invalid", f' "" is invalid: {error}', {"causes": [error.cause]})


def bad_request(message: str) -> Refusal:
    """The request makes no sense, whatever is stored."""
    return Refusal(400, "BadRequest", message)


def undecodable(resource: ResourceType, why: str) -> Refusal:
    """The body cannot be read as an object of this kind."""
    return bad_request(f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {why}')


def expired(message: str) -> Refusal:
    """The resourceVersion or continue token is older than what is remembered."""
    return Refusal(410, "Expired", message)


def unsupported_media_type(accepted: Sequence[str]) -> Refusal:
    """The body's content type is not taken for this resource."""
    return Refusal(
        415,
        "UnsupportedMediaType",
        f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}",
    )


def method_not_allowed() -> Refusal:
    """The path has no such verb."""
    return Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def verb_not_supported(resource: ResourceType, verb: str) -> Refusal:
    """A custom resource's `status` has no such verb."""
    message = f'{verb} is not supported on resources of kind "{resource.qualified}"'
    return Refusal(405, "MethodNotAllowed", message, {"group": resource.group, "kind": resource.plural})


def no_such_resource() -> Refusal:
    """A built-in version has no resource at this path."""
    return Refusal(404, "NotFound", "the server could not find the requested resource", {})


def too_large_version(wanted: int, current: int) -> Refusal:
    """The resourceVersion is one that there has not been yet. The real server waits for it, for 3 s."""
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    message = f"Timeout: Too large resource version: {wanted}, current: {current}"
    return Refusal(504, "Timeout", message, {"causes": [cause], "retryAfterSeconds": 1})


class NoSuchPathError(Exception):
    """Nothing lives at this path, in no version that is built in. The real server answers that in plain text."""
