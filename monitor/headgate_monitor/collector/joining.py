"""Requests joined with their responses by id, in whatever order they come; bounded in number, bytes and time."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from headgate_monitor.collector.events import Event

_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its response; one of them may never have come."""

    request: Event | None
    response: Event | None

    @property
    def known(self) -> Event:
        """One of the two."""
        event = self.request or self.response
        assert event is not None
        return event


class Joiner:
    """Holds events until their other half comes, they are too old, or there are too many.

    Args:
        limit: How many events wait at most; also how many finished ids are remembered, to know events that come twice.
        limit_bytes: How large their bodies may be together.
        seconds: How long an event waits.
    """

    def __init__(self, *, limit: int = 20_000, limit_bytes: int = 64_000_000, seconds: float = 30.0) -> None:
        self._limit, self._limit_bytes, self._seconds = limit, limit_bytes, seconds
        self._waiting: OrderedDict[_Key, tuple[Event, float]] = OrderedDict()
        self._done: OrderedDict[_Key, None] = OrderedDict()
        self._bytes = 0
        self.repeated = 0
        """Events that came again, and were ignored."""

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, event: Event, at: float) -> Exchange | None:
        """Add an event; return the exchange that it completes."""
        key = (event.deployment, event.version, event.id)
        held = self._waiting.get(key)
        if key in self._done or (held is not None and held[0].is_request == event.is_request):
            self.repeated += 1
            return None
        if held is None:
            self._waiting[key] = (event, at)
            self._bytes += len(event.body)
            return None
        other = self._release(key)
        return Exchange(event, other) if event.is_request else Exchange(other, event)

    def overdue(self, at: float) -> Iterator[Exchange]:
        """Yield, as halves, what waited too long or is too much, oldest first."""
        while self._waiting:
            key, (event, since) = next(iter(self._waiting.items()))
            if at - since < self._seconds and len(self._waiting) <= self._limit and self._bytes <= self._limit_bytes:
                return
            self._release(key)
            yield Exchange(event, None) if event.is_request else Exchange(None, event)

    def _release(self, key: _Key) -> Event:
        event, _ = self._waiting.pop(key)
        self._bytes -= len(event.body)
        self._done[key] = None
        if len(self._done) > self._limit:
            self._done.popitem(last=False)
        return event
