"""Create, replace, patch: the verbs that write, as synchronous functions over the store. Every write is atomic by that."""

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from headgate_devcluster.apiserver.admission import Webhooks, require_admitted
from headgate_devcluster.apiserver.carrying import SERVERS_OWN, carry_over, counted, require_immutable, through_door
from headgate_devcluster.apiserver.checks import Validators, completed, require_valid
from headgate_devcluster.apiserver.decoding import StrictDecodingError, decoded, known_fields_only, strict_refusal
from headgate_devcluster.apiserver.deletion import is_held
from headgate_devcluster.apiserver.errors import (
    Refusal,
    already_exists,
    bad_request,
    conflict,
    invalid_patch,
    not_found,
    unconditional,
)
from headgate_devcluster.apiserver.event_forms import in_version, stored
from headgate_devcluster.apiserver.objects import Object, clone, key_of, now, same, to_json
from headgate_devcluster.apiserver.ownership import Writer, apply_configuration, record_update
from headgate_devcluster.apiserver.resources import ResourceType, Target
from headgate_devcluster.apiserver.store import Store
from headgate_devcluster.apiserver.typed_patch import require_typed

_SUFFIX_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True, kw_only=True)
class WriteOptions:
    """What the query string says about a write."""

    manager: str
    force: bool = False
    dry_run: bool = False
    field_validation: str = "Warn"


@dataclass
class Written:
    """The outcome of a write."""

    obj: Object
    created: bool = False
    warnings: list[str] = field(default_factory=list)


Patch = Callable[[Object], Any]
"""Turns the object a client sees into what it should become."""


class Writes:
    """The writing verbs of one server."""

    def __init__(self, store: Store, validators: Validators, webhooks: Webhooks) -> None:
        self._store, self._validators, self._webhooks = store, validators, webhooks

    def create(self, target: Target, body: Any, options: WriteOptions) -> Written:
        """POST to a collection."""
        resource = target.resource
        obj = self._placed(decoded(body, resource), target)
        if obj["metadata"].get("resourceVersion"):
            raise Refusal(500, "", "resourceVersion should not be set on objects to be created")
        if not obj["metadata"].get("name") and (prefix := obj["metadata"].get("generateName")):
            obj["metadata"]["name"] = prefix + "".join(secrets.choice(_SUFFIX_LETTERS) for _ in range(5))
        warnings = self._strictly(obj, resource, options)
        return self._insert(obj, Target(resource, target.namespace), options, warnings)

    def replace(self, target: Target, body: Any, options: WriteOptions) -> Written:
        """PUT an object, or its status."""
        resource = target.resource
        obj = self._placed(decoded(body, resource), target)
        if obj["metadata"].setdefault("name", target.name) != target.name:
            raise bad_request(f"the name of the object ({obj['metadata']['name']}) does not match the name on the URL ({target.name})")
        warnings = self._strictly(obj, resource, options)
        old = self._require(target)
        sent = obj["metadata"]
        if sent.get("uid") and sent["uid"] != old["metadata"]["uid"]:
            raise conflict(
                resource,
                target.name,
                f"Precondition failed: UID in precondition: {sent['uid']}, UID in object meta: {old['metadata']['uid']}",
            )
        if not sent.get("resourceVersion") and not resource.unconditional_update:
            raise unconditional(resource, target.name)
        return self._update(old, obj, target, options, warnings)

    def patch(self, target: Target, patch: Patch, options: WriteOptions) -> Written:
        """Apply a patch of any type but server-side apply."""
        resource, old = target.resource, self._require(target)
        outcome = patch(clone(in_version(old, resource)))
        try:
            obj = decoded(outcome, resource)
            obj, warnings = known_fields_only(obj, resource, options.field_validation)
        except StrictDecodingError as error:
            raise invalid_patch(to_json(outcome).decode(), str(error)) from None
        return self._update(old, obj, target, options, warnings)

    def apply(self, target: Target, configuration: Any, options: WriteOptions) -> Written:
        """Server-side apply: create or update."""
        resource = target.resource
        wanted = self._placed(decoded(configuration, resource), target)
        if wanted["metadata"].setdefault("name", target.name) != target.name:
            raise bad_request(f"the name of the object ({wanted['metadata']['name']}) does not match the name on the URL ({target.name})")
        if wanted["metadata"].get("managedFields"):
            raise bad_request("metadata.managedFields must be nil")
        require_typed(wanted, resource)
        old = self._store.get(resource.storage, (target.namespace, target.name))
        writer = self._writer(target, options, applies=True)
        if old is None:
            return self._apply_anew(target, wanted, writer, options)
        live = in_version(old, resource)
        result = clone(apply_configuration(live, wanted, resource, writer, force=options.force))
        return self._update(old, result, target, options, [], applied=True)

    def _apply_anew(self, target: Target, wanted: Object, writer: Writer, options: WriteOptions) -> Written:
        if target.subresource:
            raise not_found(target.resource, target.name)
        if uid := wanted["metadata"].get("uid"):
            why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            raise conflict(target.resource, target.name, why)
        obj = clone(apply_configuration(None, wanted, target.resource, writer, force=True))
        return self._insert(obj, target, options, [], applied=True)

    def _insert(self, obj: Object, target: Target, options: WriteOptions, warnings: list[str], *, applied: bool = False) -> Written:
        resource, metadata = target.resource, obj["metadata"]
        for name in (*SERVERS_OWN, "resourceVersion", "uid"):
            metadata.pop(name, None)
        if not applied:
            metadata.pop("managedFields", None)
        if resource.has_status:
            obj.pop("status", None)
        self._require_namespace(target)
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": now()} | ({"generation": 1} if resource.has_generation else {})
        obj = completed(obj, resource)
        require_valid(obj, None, resource, self._validators)
        require_admitted(obj, None, resource, self._webhooks)
        if self._store.get(resource.storage, key_of(obj)) is not None:
            raise already_exists(resource, metadata["name"])
        if not applied:
            record_update(None, obj, resource, self._writer(target, options))
        obj = stored(obj, resource)
        if not options.dry_run:
            obj = self._store.put(resource.storage, obj)
        return Written(in_version(obj, resource), created=True, warnings=warnings)

    def _update(
        self, old: Object, obj: Object, target: Target, options: WriteOptions, warnings: list[str], *, applied: bool = False
    ) -> Written:
        resource, seen = target.resource, in_version(old, target.resource)
        obj = through_door(obj, seen, target)
        carry_over(obj, seen, resource)
        obj = completed(clone(obj), resource)
        require_immutable(obj, seen, resource)
        require_valid(obj, seen, resource, self._validators)
        if not target.subresource:
            require_admitted(obj, seen, resource, self._webhooks)
        if not applied:
            record_update(seen, obj, resource, self._writer(target, options))
        if resource.has_generation and not same(counted(obj, resource), counted(seen, resource)):
            obj["metadata"]["generation"] = seen["metadata"].get("generation", 0) + 1
        obj = stored(obj, resource)
        if same(obj, old) or options.dry_run:
            return Written(in_version(obj, resource), warnings=warnings)
        metadata = obj["metadata"]
        held = metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds") or is_held(obj)
        if metadata.get("deletionTimestamp") and not held:
            written = self._store.remove(resource.storage, key_of(obj), last=obj)
        else:
            written = self._store.put(resource.storage, obj)
        return Written(in_version(written, resource), warnings=warnings)

    def _strictly(self, obj: Object, resource: ResourceType, options: WriteOptions) -> list[str]:
        """Prune the object in place; return warnings."""
        try:
            known, warnings = known_fields_only(obj, resource, options.field_validation)
        except StrictDecodingError as error:
            raise strict_refusal(error, resource) from None
        obj.clear()
        obj.update(known)
        return warnings

    def _placed(self, obj: Object, target: Target) -> Object:
        """Return a copy that knows its namespace."""
        obj = clone(obj)
        if target.resource.namespaced:
            if obj["metadata"].setdefault("namespace", target.namespace) != target.namespace:
                raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
        elif obj["metadata"].pop("namespace", None):
            raise bad_request("namespace is not allowed on this type")
        return obj

    def _require(self, target: Target) -> Object:
        obj = self._store.get(target.resource.storage, (target.namespace, target.name))
        if obj is None:
            raise not_found(target.resource, target.name)
        return obj

    def _require_namespace(self, target: Target) -> None:
        if not target.resource.namespaced:
            return
        namespace = self._store.get(("", "namespaces"), ("", target.namespace))
        if namespace is None:
            raise Refusal(404, "NotFound", f'namespaces "{target.namespace}" not found', {"name": target.namespace, "kind": "namespaces"})
        if namespace["metadata"].get("deletionTimestamp"):
            raise Refusal(
                403,
                "Forbidden",
                f'{target.resource.qualified} "{target.name}" is forbidden: unable to create new content in namespace {target.namespace} '
                "because it is being terminated",
            )

    def _writer(self, target: Target, options: WriteOptions, *, applies: bool = False) -> Writer:
        return Writer(manager=options.manager, applies=applies, api_version=target.resource.storage_version, subresource=target.subresource)
