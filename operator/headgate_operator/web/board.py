"""What the operator's passes saw of every object, for the pages: the last status, and how it came to that.

Memory only: it begins anew with the process, and an object's part goes with the object. At rest an object takes about 3 KB; what happened
over time (samples and Events) takes at most `PAST_BYTES` altogether, and those where nothing happened for longest give theirs up first.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from headgate_operator.api.spec import Owner
from headgate_operator.api.status import ModelDeploymentStatus, Phase, Rejected
from headgate_operator.pages.chart import Gauge, Split
from headgate_operator.pages.deployment import Shown, Told, highest_evidence, split
from headgate_operator.pages.sample import sample_of
from headgate_operator.web.ring import Ring
from headgate_operator.web.slim import compressed, packed, unpacked

Key = tuple[str, str]
"""Namespace and name."""

PAST_BYTES: Final = 32 << 20
"""Of samples and Events of all objects together."""
MOST_TOLD: Final = 50
"""Events of one object."""
_TOLD_BYTES: Final = 500
"""Of an Event, beside its message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the list."""

    namespace: str
    name: str
    phase: Phase
    stable: str
    candidate: str
    split: Split
    evidence: tuple[str, Gauge] | None
    reason: str
    changed_at: datetime | None

    @property
    def address(self) -> str:
        """Where its page is. Names of objects need no quoting."""
        return f"/ui/d/{self.namespace}/{self.name}"

    @property
    def words(self) -> str:
        """What a search looks in."""
        return f"{self.namespace}/{self.name} {self.stable} {self.candidate} {self.reason}".casefold()


@dataclass(slots=True)
class _Record:
    key: Key
    status: bytes = b""
    said: int = 0
    """Hash of the status before compression: most looks change nothing."""
    row: Row | None = None
    steps: int = 0
    owner: Owner | None = None
    seen_at: datetime | None = None
    trouble: str = ""
    ring: Ring = field(default_factory=Ring)
    told: deque[Told] = field(default_factory=lambda: deque(maxlen=MOST_TOLD))
    version: int = 0

    @property
    def past(self) -> int:
        """Bytes of what happened."""
        return self.ring.size + sum(_TOLD_BYTES + len(told.message) for told in self.told)


class Board:
    """Everything the pages know."""

    def __init__(self, *, past_bytes: int = PAST_BYTES) -> None:
        self.version = 0
        """Grows with every change."""
        self.past = 0
        """Bytes of what happened to all objects, about."""
        self._past_bytes = past_bytes
        self._records: OrderedDict[Key, _Record] = OrderedDict()
        """Those that something happened to most recently last."""

    def __len__(self) -> int:
        return len(self._records)

    def saw(
        self, key: Key, status: ModelDeploymentStatus, *, at: datetime, steps: int, owner: Owner | None = None, told: Iterable[Told] = ()
    ) -> None:
        """Take over what a look came to."""
        record = self._record(key)
        before = record.past
        self._take_over(record, status)
        record.steps, record.owner, record.seen_at, record.trouble = steps, owner, at, ""
        record.ring.add(sample_of(status, at.timestamp(), just_refused=_just_refused(status, at)))
        record.told.extend(told)
        self._grew(record, before)

    def failed(self, key: Key, why: str) -> None:
        """Take note of a look that failed; what was known stays."""
        if (record := self._records.get(key)) is not None:
            record.trouble = why
            self._touch(record)

    def forget(self, key: Key) -> None:
        """Drop an object that is gone, or that another operator serves."""
        if (record := self._records.pop(key, None)) is not None:
            self.past -= record.past
            self.version += 1

    def keep_only(self, keys: Iterable[Key]) -> None:
        """Drop all other objects."""
        for key in self._records.keys() - set(keys):
            self.forget(key)

    def rows(self) -> list[Row]:
        """Return every object's line."""
        return [record.row for record in self._records.values() if record.row is not None]

    def version_of(self, key: Key) -> int | None:
        """Return what grows with every change of an object; None if it is unknown."""
        record = self._records.get(key)
        return record.version if record is not None else None

    def shown(self, key: Key) -> Shown | None:
        """Return all that is known of an object."""
        record = self._records.get(key)
        if record is None:
            return None
        return Shown(
            namespace=key[0], name=key[1], status=unpacked(record.status), steps=record.steps, owner=record.owner, seen_at=record.seen_at,
            trouble=record.trouble, samples=list(record.ring), told=tuple(reversed(record.told)),
        )  # fmt: skip

    def _record(self, key: Key) -> _Record:
        if (record := self._records.get(key)) is None:
            record = self._records[key] = _Record(key)
        return record

    def _take_over(self, record: _Record, status: ModelDeploymentStatus) -> None:
        text = packed(status)
        if record.row is None or hash(text) != record.said:
            record.status, record.said, record.row = compressed(text), hash(text), _row(record.key, status)
            self._records.move_to_end(record.key)

    def _grew(self, record: _Record, before: int) -> None:
        """Keep the sum, and stay within bounds: whoever was quiet for longest loses its past first."""
        self.past += record.past - before
        self._touch(record)
        if self.past <= self._past_bytes:
            return
        for quiet in list(self._records.values()):
            self.past -= quiet.past
            quiet.ring.shorten()
            quiet.told.clear()
            self.past += quiet.past
            self._touch(quiet)
            if self.past <= self._past_bytes * 0.9:  # so that this is done seldom
                return

    def _touch(self, record: _Record) -> None:
        self.version += 1
        record.version = self.version


def _just_refused(status: ModelDeploymentStatus, at: datetime) -> Rejected | None:
    """Return the version that this look refused; refusals are dated to the second."""
    return next((entry for entry in status.rejected[:1] if at - entry.at < timedelta(seconds=1)), None)


def _row(key: Key, status: ModelDeploymentStatus) -> Row:
    shown = Shown(namespace=key[0], name=key[1], status=status, steps=0)
    reason, stable, candidate = shown.reason, status.stable, status.candidate
    moments = [condition.last_transition_time for condition in status.conditions] + [role.since for role in shown.roles]
    return Row(
        namespace=key[0],
        name=key[1],
        phase=status.phase,
        stable=stable.version if stable is not None else "",
        candidate=candidate.version if candidate is not None else "",
        split=split(status),
        evidence=highest_evidence(status),
        reason=reason.reason if reason is not None else "",
        changed_at=max(moments, default=None),
    )
