"""What providers hand back, whichever they are: counters of both versions, kept apart by where they were counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class SlotReading:
    """The counters of one slot at one source, named as `exposition.read_counters` says."""

    slot: int
    counters: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class ProxyReading:
    """What one source counted: a proxy, a pod, or a series of somebody's own query. Slots that it knows nothing of are not there."""

    proxy: str
    """Its address, or the labels that tell it apart from others."""
    at: datetime
    """When its counters were taken."""
    slots: tuple[SlotReading, ...]


class UnreadableError(Exception):
    """A provider did not answer, or not with counters; one sentence says which and why."""
