"""Between the handler, which must answer at once, and the worker, which takes its time: a bounded queue that sheds by id.

A slow sink makes KServe's agent hoard events until it dies, in the request path. So nothing ever waits here. When the worker falls behind,
ids are dropped by their hash: both halves of an exchange go or stay together, and what stays is a uniform sample.
"""

from collections import deque
from typing import Final, Generic, Protocol, TypeVar
from zlib import crc32

_SHARES: Final = 1024
_HALF: Final = 0.5
_RELAXED: Final = 0.25


class Sized(Protocol):
    """Something that is queued."""

    @property
    def body(self) -> bytes:
        """What it weighs."""
        ...


Item = TypeVar("Item", bound=Sized)


class Ring(Generic[Item]):
    """A queue with one producer and one consumer, bounded in number and bytes.

    Args:
        limit: How many items wait at most.
        limit_bytes: How large their bodies may be together.
    """

    def __init__(self, *, limit: int = 50_000, limit_bytes: int = 128_000_000) -> None:
        self._limit, self._limit_bytes = limit, limit_bytes
        self._items: deque[Item] = deque()
        self._taken = 0
        self._put = 0
        self._share = _SHARES
        self.dropped = 0
        """Items that were not queued."""

    def __len__(self) -> int:
        return len(self._items)

    @property
    def share(self) -> float:
        """Which share of the ids is kept now."""
        return self._share / _SHARES

    def put(self, item: Item, id_: str) -> bool:
        """Queue an item unless there is no room or its id is being shed; return whether it was queued."""
        full = len(self._items) >= self._limit or self._put - self._taken + len(item.body) > self._limit_bytes
        if full or (self._share < _SHARES and crc32(id_.encode()) % _SHARES >= self._share):
            self.dropped += 1
            return False
        self._put += len(item.body)
        self._items.append(item)
        return True

    def take(self, most: int) -> list[Item]:
        """Return the oldest items, at most so many."""
        taken = [self._items.popleft() for _ in range(min(most, len(self._items)))]
        self._taken += sum(len(item.body) for item in taken)
        return taken

    def adapt(self) -> None:
        """Keep half as many ids when more than half full, twice as many when nearly empty. Called now and then, not for every item."""
        fill = max(len(self._items) / self._limit, (self._put - self._taken) / self._limit_bytes)
        if fill > _HALF:
            self._share = max(1, self._share // 2)
        elif fill < _RELAXED:
            self._share = min(_SHARES, self._share * 2)
