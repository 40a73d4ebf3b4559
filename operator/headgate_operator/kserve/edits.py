"""Who wrote a field that differs from what we want: the API server keeps that in managedFields."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from headgate_operator.kserve.subset import is_subset

_Owned = Sequence[tuple[str, Mapping[str, Any]]]
"""Field managers, and what each set at some place of an object."""


def editor(desired: Mapping[str, Any], live: Mapping[str, Any], *, manager: str) -> str | None:
    """Return who else than `manager` set a field that differs from `desired`; None if nobody did, and it is we who changed our mind."""
    if is_subset(desired, live):
        return None
    entries = live["metadata"].get("managedFields", ())
    owned = [(str(entry.get("manager")), entry.get("fieldsV1") or {}) for entry in entries if not entry.get("subresource")]
    return next(_editors(desired, live, owned, manager), None)


def _editors(desired: Mapping[str, Any], live: Mapping[str, Any], owned: _Owned, manager: str) -> Iterator[str]:
    for key, wanted in desired.items():
        if is_subset({key: wanted}, live):
            continue
        below = [(who, fields[f"f:{key}"]) for who, fields in owned if f"f:{key}" in fields]
        if isinstance(wanted, Mapping) and isinstance(live.get(key), Mapping):
            yield from _editors(wanted, live[key], below, manager)
        elif below and all(who != manager for who, _ in below):
            yield below[0][0]


def last_editor(metadata: Mapping[str, Any], *, manager: str, field: str) -> str | None:
    """Return who else than `manager` wrote something below a field of an object last; None if nobody did."""
    entries = [
        entry
        for entry in metadata.get("managedFields") or ()
        if not entry.get("subresource") and entry.get("manager") != manager and f"f:{field}" in (entry.get("fieldsV1") or {})
    ]
    newest = max(entries, key=lambda entry: str(entry.get("time") or ""), default=None)
    return None if newest is None else str(newest.get("manager"))
