"""Kubernetes Events on a ModelDeployment (`events.k8s.io/v1`). A failure to write one never fails a pass.

The name is a hash of what is said, so that saying the same thing again continues a series instead of filling the namespace. `eventTime`
needs six digits after the second: `isoformat()` drops zeros, and the API server refuses that.
"""

import asyncio
import hashlib
import logging
import socket
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from headgate_operator.api.names import API_VERSION, GROUP, KIND
from headgate_operator.api.spec import Owner
from headgate_operator.kube.protocol import ApiError, ConflictError, KubeApi, Object, Resource
from headgate_operator.rollout.decision import Note
from headgate_operator.rollout.observed import Subject

EVENTS: Final = Resource("events.k8s.io", "v1", "events", "Event")

_MAX_NOTES_PER_PASS: Final = 10
_MAX_REMEMBERED: Final = 2_000
_SECONDS_PER_PASS: Final = 3.0
_MAX_TEXT: Final = 1024  # bytes, not characters: the API server counts those

_log = logging.getLogger(__name__)


class Notes:
    """Writes Events and counts repetitions."""

    def __init__(self, api: KubeApi) -> None:
        self._api = api
        self._instance = socket.gethostname()[:128] or "unknown"
        self._counts: OrderedDict[str, int] = OrderedDict()

    async def post(self, subject: Subject, notes: Sequence[Note], now: datetime, owner: Owner | None = None) -> None:
        """Write Events, warnings with the model's owner; what fails or takes too long is logged and dropped."""
        try:
            async with asyncio.timeout(_SECONDS_PER_PASS):
                for note in notes[:_MAX_NOTES_PER_PASS]:
                    await self._try_post(subject, note, now, owner)
        except TimeoutError:
            _log.warning("Events on %s/%s could not be written: no answer in time", subject.namespace, subject.name)

    async def _try_post(self, subject: Subject, note: Note, now: datetime, owner: Owner | None) -> None:
        """Write one Event; one that is refused does not silence the others."""
        try:
            await self._post(subject, note, now, owner)
        except ApiError as error:
            _log.warning("an Event on %s/%s could not be written: %s", subject.namespace, subject.name, error)

    async def _post(self, subject: Subject, note: Note, now: datetime, owner: Owner | None) -> None:
        event = event_object(subject, note, now, instance=self._instance, owner=owner)
        name = event["metadata"]["name"]
        try:
            await self._api.create(EVENTS, event)
            self._counts.pop(name, None)
        except ConflictError:
            count = self._count(name)
            series = {"series": {"count": count, "lastObservedTime": event["eventTime"]}}
            await self._api.patch(EVENTS, subject.namespace, name, series)

    def _count(self, name: str) -> int:
        """How often this was said: at least twice. Counted here because reading Events is a right we do not ask for."""
        count = self._counts.pop(name, 1) + 1
        self._counts[name] = count
        if len(self._counts) > _MAX_REMEMBERED:
            self._counts.popitem(last=False)
        return count


def event_object(subject: Subject, note: Note, now: datetime, *, instance: str, owner: Owner | None = None) -> Object:
    """Return the Event that says `note` about `subject`."""
    said = "\n".join((subject.uid, note.reason, note.message, note.revision or ""))
    annotations: dict[str, Any] = {"annotations": {f"{GROUP}/revision": note.revision}} if note.revision else {}
    return {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {
            "name": f"{subject.name}.{hashlib.sha256(said.encode()).hexdigest()[:16]}",
            "namespace": subject.namespace,
            **annotations,
        },
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reportingController": f"{GROUP}/operator",
        "reportingInstance": instance,
        "action": str(note.reason),
        "reason": str(note.reason),
        "note": _cut(note.message, _signature(owner) if note.warning else ""),
        "type": "Warning" if note.warning else "Normal",
        "regarding": {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "name": subject.name,
            "namespace": subject.namespace,
            "uid": subject.uid,
        },
    }


def _signature(owner: Owner | None) -> str:
    """Say whom to call: whoever reads a warning at night may not know whose model this is."""
    words = [word for word in (owner.team, owner.contact, owner.runbook) if word] if owner is not None else []
    return f" (owner: {', '.join(words)})" if words else ""


def _cut(text: str, ending: str) -> str:
    """Shorten the text so that it fits with its ending."""
    data, room = text.encode(), _MAX_TEXT - len(ending.encode())
    return (text if len(data) <= room else data[: room - 3].decode(errors="ignore") + "…") + ending
