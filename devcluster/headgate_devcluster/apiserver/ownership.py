"""Who owns which field (`metadata.managedFields`), and what that means for server-side apply.

Two kinds of owners: whoever changed a field with any other write (Update) and whoever wrote it into an applied configuration (Apply).
Applying means: fields that the configuration names are merged in; fields that it named last time, names no more, and nobody else owns are
removed; fields that others own and that would change are conflicts, unless forced.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from headgate_devcluster.apiserver.errors import Refusal
from headgate_devcluster.apiserver.fieldsets import FieldSet, Path, compare, leaves, parse, render, with_parents
from headgate_devcluster.apiserver.merging import merged, without
from headgate_devcluster.apiserver.objects import Object, now, same
from headgate_devcluster.apiserver.resources import ResourceType, Schema

_OWNERLESS = ("apiVersion", "kind", "metadata")
_OWNERLESS_METADATA = (
    "name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields", "resourceVersion", "deletionTimestamp",
    "deletionGracePeriodSeconds",
)  # fmt: skip
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Who writes, and through which door."""

    manager: str
    applies: bool = False
    api_version: str
    subresource: str = ""

    @property
    def operation(self) -> str:
        """As in managedFields."""
        return "Apply" if self.applies else "Update"


@dataclass(frozen=True)
class Share:
    """The fields of one writer."""

    fields: FieldSet
    time: str


Shares = Mapping[Writer, Share]


def read_shares(obj: Object) -> dict[Writer, Share]:
    """Read managedFields; entries that make no sense are dropped, as the real server does."""
    shares = {}
    for entry in obj["metadata"].get("managedFields") or ():
        if entry.get("fieldsType") == "FieldsV1":
            writer = Writer(
                manager=entry.get("manager", ""),
                applies=entry.get("operation") == "Apply",
                api_version=entry.get("apiVersion", ""),
                subresource=entry.get("subresource", ""),
            )
            shares[writer] = Share(parse(entry.get("fieldsV1") or {}), entry.get("time", ""))
    return shares


def write_shares(obj: Object, shares: Shares) -> None:
    """Write managedFields into an object that is not stored yet."""
    entries = [
        {
            "manager": writer.manager,
            "operation": writer.operation,
            "apiVersion": writer.api_version,
            "time": share.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": render(share.fields),
            **({"subresource": writer.subresource} if writer.subresource else {}),
        }
        for writer, share in sorted(
            shares.items(), key=lambda item: (not item[0].applies, item[1].time, item[0].manager, item[0].subresource)
        )
        if share.fields
    ]
    obj["metadata"].pop("managedFields", None)
    if entries:
        obj["metadata"]["managedFields"] = entries


def record_update(old: Object | None, new: Object, resource: ResourceType, writer: Writer) -> None:
    """Write into `new` who owns what after an ordinary write: the writer owns what it changed, and nobody else does any more."""
    base = new if _gives_shares(new) else old
    shares = read_shares(base) if base is not None else {}
    difference = compare(_ownable(old), _ownable(new), resource.schema)
    own = shares.pop(writer, Share(frozenset(), ""))
    kept = {other: replace(share, fields=share.fields - difference.changed - difference.removed) for other, share in shares.items()}
    fields = (own.fields | difference.changed) - difference.removed
    write_shares(new, kept | {writer: Share(fields, own.time if fields == own.fields else now())})


def apply_configuration(live: Object | None, configuration: Object, resource: ResourceType, writer: Writer, *, force: bool) -> Object:
    """Return the live object with the configuration applied, managedFields included; 409 if others own fields it would change."""
    schema = resource.schema
    shares = read_shares(live) if live is not None else {}
    last = shares.pop(writer, Share(frozenset(), ""))
    configuration = _writable(configuration, resource, writer)
    fields = frozenset(leaves(_ownable(configuration), schema))
    others = [share.fields for share in shares.values()]
    result = _pruned(merged(live or {}, configuration, schema), last.fields, [fields, *others], schema)
    difference = compare(_ownable(live), _ownable(result), schema)
    granted = _last_applied(live, schema) if writer.manager == "kubectl" else frozenset()
    taken = {other: (share.fields & difference.changed) - granted for other, share in shares.items()}
    if any(taken.values()) and not force:
        raise _conflict(taken)
    kept = {other: replace(share, fields=share.fields - difference.changed - difference.removed) for other, share in shares.items()}
    result["metadata"] = dict(result["metadata"])
    write_shares(result, kept | {writer: Share(fields, last.time if fields == last.fields else now())})
    return result  # type: ignore[no-any-return]


def _pruned(obj: Any, last: FieldSet, still_owned: list[FieldSet], schema: Schema) -> Any:
    """Remove what was applied last time and is owned by nobody now."""
    if not last:
        return obj
    keep = with_parents(path for fields in still_owned for path in fields)
    return without(obj, with_parents(last) - keep, schema)


def _last_applied(live: Object | None, schema: Schema) -> FieldSet:
    """Return what `kubectl apply` wrote last without --server-side: kubectl may take that over without conflict."""
    text = ((live or {}).get("metadata", {}).get("annotations") or {}).get(_LAST_APPLIED)
    try:
        last = leaves(_ownable(json.loads(text)), schema) if text else {}
    except (ValueError, AttributeError, TypeError):  # anyone can write the annotation
        return frozenset()
    present = leaves(_ownable(live), schema)
    return frozenset(path for path, value in last.items() if path in present and same(present[path], value))


def _gives_shares(obj: Object) -> bool:
    """Say whether the client sent managedFields of its own; kubectl does so to turn client-side into server-side apply."""
    return bool(obj["metadata"].get("managedFields") is not None)


def _ownable(obj: Object | None) -> Object:
    """Return the part of an object that can be owned."""
    if obj is None:
        return {}
    part = {name: value for name, value in obj.items() if name not in _OWNERLESS}
    metadata = {name: value for name, value in (obj.get("metadata") or {}).items() if name not in _OWNERLESS_METADATA}
    return part | ({"metadata": metadata} if metadata else {})


def _writable(configuration: Object, resource: ResourceType, writer: Writer) -> Object:
    """Drop what this door does not write: status through the main one, everything else through the status door."""
    if not writer.subresource:
        return {name: value for name, value in configuration.items() if not (name == "status" and resource.has_status)}
    identity = {name: value for name, value in configuration["metadata"].items() if name in _OWNERLESS_METADATA}
    written = {name: configuration[name] for name in ("apiVersion", "kind", writer.subresource) if name in configuration}
    return written | {"metadata": identity}


def _conflict(taken: Mapping[Writer, FieldSet]) -> Refusal:
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {_named(writer)}", "field": readable(path)}
        for writer, paths in taken.items()
        for path in sorted(paths)
    ]
    if len(causes) == 1:
        told = f"1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        blocks = (
            f"conflicts with {_named(writer)}:" + "".join(f"\n- {readable(path)}" for path in sorted(paths))
            for writer, paths in taken.items()
            if paths
        )
        told = f"{len(causes)} conflicts: " + "\n".join(blocks)
    return Refusal(409, "Conflict", f"Apply failed with {told}", {"causes": causes})


def _named(writer: Writer) -> str:
    door = f' with subresource "{writer.subresource}"' if writer.subresource else ""
    return f'"{writer.manager}"{door}' + ("" if writer.applies else f" using {writer.api_version}")


def readable(path: Path) -> str:
    """Write a path the way the server does in messages: `.spec.containers[name="a"].image`."""
    text = ""
    for element in path:
        kind, rest = element[:2], element[2:]
        if kind == "f:":
            text += f".{rest}"
        elif kind == "k:":
            text += f"[{','.join(f'{key}={json.dumps(value)}' for key, value in json.loads(rest).items())}]"
        else:
            text += f"[={rest}]"
    return text
