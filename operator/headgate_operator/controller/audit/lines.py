"""One line of the audit log. The format is a contract: docs/audit.md describes it, and only fields may be added within one number."""

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any, Final

from headgate_operator.api.status import TrafficChange, TrafficShare
from headgate_operator.rollout.observed import Subject

FORMAT: Final = 1
_ID: Final = re.compile(rb'^\{"id": "([0-9a-f]{16})"', re.MULTILINE)


def line_id(uid: str, change: TrafficChange) -> str:
    """Return what makes two lines the same one, whichever process wrote them: also after a status was lost and the count began anew."""
    said = json.dumps([uid, change.model_dump(mode="json")], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def line(subject: Subject, change: TrafficChange, *, look: str | None, repeated: bool) -> bytes:
    """Return a change as a line.

    Args:
        subject: The ModelDeployment.
        change: As its status has it.
        look: Id of the pass that decided or saw it, as log lines have it; None if another process did.
        repeated: Whether it may have been written before.
    """
    said = change.model_dump(mode="json", by_alias=True)
    fields: dict[str, Any] = {
        "id": line_id(subject.uid, change),
        "format": FORMAT,
        "time": said["at"],
        "kind": said["kind"],
        "object": {"namespace": subject.namespace, "name": subject.name, "uid": subject.uid, "generation": change.generation},
        "number": change.number,
        "stable": {"before": change.stable_before, "after": change.stable},
        "weights": {"before": _weights(change.before), "after": _weights(change.after)},
        "mirrors": {"before": _mirrors(change.before), "after": _mirrors(change.after)},
        "reason": change.reason,
        "message": change.message,
        "actor": change.actor,
        "command": change.command,
        "evidence": said["evidence"],
        "pass": look,
        "repeated": repeated,
    }
    return json.dumps(fields, allow_nan=False).encode() + b"\n"


def ids(text: bytes) -> set[str]:
    """Return the ids of the lines in a part of a log."""
    return {found.decode() for found in _ID.findall(text)}


def _weights(shares: Iterable[TrafficShare]) -> dict[str, int]:
    return {share.id: share.weight for share in shares if share.weight}


def _mirrors(shares: Iterable[TrafficShare]) -> dict[str, int]:
    return {share.id: share.mirror for share in shares if share.mirror}
