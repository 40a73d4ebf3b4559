"""Everything an object must pass before it is stored: pruning, defaults, the schema, the rules of its kind."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from headgate_devcluster.apiserver.custom import definition_violations
from headgate_devcluster.apiserver.defaulting import defaulted
from headgate_devcluster.apiserver.errors import FieldError, invalid, invalid_value
from headgate_devcluster.apiserver.kind_defaults import DEFAULTS
from headgate_devcluster.apiserver.kind_rules import RULES
from headgate_devcluster.apiserver.names import metadata_violations
from headgate_devcluster.apiserver.objects import Object, same
from headgate_devcluster.apiserver.resources import ResourceType, Schema
from headgate_devcluster.apiserver.validation import violations


class Violation(Protocol):
    """What a validator finds: where, and a sentence that says what is allowed."""

    @property
    def path(self) -> str:
        """Such as `spec.rollout.steps[1].weight`."""

    @property
    def message(self) -> str:
        """One sentence."""


Validator = Callable[[Object, Object | None], Sequence[Violation]]
"""Gets the object and, on updates, the stored one. Stands for the CEL rules of a CRD, which the double cannot run."""
Validators = Mapping[tuple[str, str], Validator]
"""By (group, kind)."""

_ENVELOPE = ("apiVersion", "kind", "metadata")
_UNCHECKED = "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"


def completed(obj: Object, resource: ResourceType) -> Object:
    """Return the object with defaults filled in."""
    if resource.custom:
        filled: Object = defaulted({name: value for name, value in obj.items() if name not in _ENVELOPE}, resource.schema)
        return {name: obj[name] for name in _ENVELOPE} | filled
    default = DEFAULTS.get((resource.group, resource.kind))
    return default(obj) if default and obj["metadata"].get("name") else obj


def require_valid(obj: Object, old: Object | None, resource: ResourceType, validators: Validators) -> None:
    """Refuse with 422 what breaks a rule, in the server's own format."""
    errors = [*metadata_violations(obj, resource), *_of_shape(obj, old, resource)]
    if resource.custom and old is not None:
        errors = [error for error in errors if not _was_so_before(error.path, obj, old)]
    validator = validators.get((resource.group, resource.kind))
    if errors:
        if validator is not None:
            errors.append(FieldError("<nil>", "Invalid value", _UNCHECKED, None, shows_value=True))
        raise invalid(resource, obj["metadata"].get("name", ""), errors)
    # Rules on a spec that stays the same are let through below whatever they say; asking them is what a status write spends its time on.
    unchanged = old is not None and same(obj.get("spec"), old.get("spec"))
    broken = validator(obj, old) if validator is not None and not unchanged else ()
    found = [_told(violation, obj) for violation in broken if old is None or not _was_so_before(violation.path, obj, old)]
    if found:
        raise invalid(resource, obj["metadata"]["name"], found)


def _of_shape(obj: Object, old: Object | None, resource: ResourceType) -> Iterator[FieldError]:
    schema_errors = list(violations(obj, _of_changes(obj, old, resource)))
    yield from schema_errors
    if schema_errors or resource.custom:
        return
    if resource.kind == "CustomResourceDefinition":
        yield from definition_violations(obj)
    elif rule := RULES.get((resource.group, resource.kind)):
        yield from rule(obj, old)


def _of_changes(obj: Object, old: Object | None, resource: ResourceType) -> Schema:
    """Return the schema of what may be wrong: an update of a custom resource is not asked about the fields that it leaves alone."""
    if old is None or not resource.custom:
        return resource.schema
    properties = resource.schema.get("properties") or {}
    return resource.schema | {"properties": {name: of for name, of in properties.items() if not same(obj.get(name), old.get(name))}}


def _was_so_before(path: str, obj: Object, old: Object) -> bool:
    """Since 1.33 what a stored object already gets wrong is let through while it stays the same (validation ratcheting)."""
    return same(_at(obj, path), _at(old, path))


def _told(violation: Violation, obj: Object) -> FieldError:
    """The real server shows the value of scalars and only the type of anything bigger."""
    value = _at(obj, violation.path)
    shown = "object" if isinstance(value, dict) else "array" if isinstance(value, list) else value
    return invalid_value(violation.path, shown, violation.message)


def _at(obj: Any, path: str) -> Any:
    for part in path.replace("[", ".").replace("]", "").split("."):
        if isinstance(obj, dict):
            obj = obj.get(part)
        elif isinstance(obj, list) and part.isdigit() and int(part) < len(obj):
            obj = obj[int(part)]
        else:
            return None
    return obj
