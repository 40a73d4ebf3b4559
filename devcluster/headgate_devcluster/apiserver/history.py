"""What happened to one kind of object, newest last: the source of watches.

Bounded like the real server's watch cache: who asks for a change that was forgotten gets 410 and has to list again.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from enum import Enum

from headgate_devcluster.apiserver.errors import expired
from headgate_devcluster.apiserver.objects import Object

MAX_WAITING = 10_000
"""Changes a watcher may be behind before it is cut off: a client that never reads must not fill the memory."""


@dataclass(frozen=True)
class Change:
    """One write."""

    revision: int
    obj: Object
    """After the write; for a deletion the last state, with the deletion's own resourceVersion."""
    before: Object | None
    deleted: bool = False


class Ending(Enum):
    """Why there will be no more changes."""

    CUT = "cut"
    """The watcher fell behind, or the server stops: the watcher may go on from where it was."""
    EXPIRED = "expired"
    """What comes next was forgotten: the watcher has to list again."""


Subscription = asyncio.Queue[Change | Ending]
"""Changes as they happen."""


class History:
    """The last changes of one storage, and who wants the next ones."""

    def __init__(self, revision: int, size: int) -> None:
        self._changes: deque[Change] = deque()
        self._size = size
        self._forgotten = revision
        self._subscriptions: set[Subscription] = set()
        self._muted = False

    @property
    def watchers(self) -> int:
        """How many watches run now."""
        return len(self._subscriptions)

    def append(self, change: Change) -> None:
        """Remember a change and tell everyone who watches."""
        self._changes.append(change)
        if len(self._changes) > self._size:
            self._forgotten = self._changes.popleft().revision
        if self._muted:
            return
        for subscription in tuple(self._subscriptions):
            if subscription.qsize() >= MAX_WAITING:
                self._end(subscription)
            else:
                subscription.put_nowait(change)

    def require(self, revision: int) -> None:
        """Refuse with 410 if changes after this revision were forgotten."""
        if revision < self._forgotten:
            raise expired(f"too old resource version: {revision} ({self._forgotten})")

    def since(self, revision: int) -> list[Change]:
        """Return the changes after a revision, oldest first; 410 if some of them were forgotten."""
        self.require(revision)
        return [change for change in self._changes if change.revision > revision]

    def subscribe(self) -> Subscription:
        """Return a queue of all changes from now on."""
        subscription: Subscription = asyncio.Queue()
        self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription."""
        self._subscriptions.discard(subscription)

    def forget_all(self, revision: int) -> None:
        """Drop everything remembered, as after a compaction: older watches have to list again."""
        self._changes.clear()
        self._forgotten = revision

    def mute(self) -> None:
        """Tell watchers nothing from now on, until `expire`."""
        self._muted = True

    def expire(self, revision: int) -> None:
        """Forget everything up to now and end every watch with 410: who watched missed it for good."""
        self._muted = False
        self.forget_all(revision)
        for subscription in tuple(self._subscriptions):
            self._end(subscription, Ending.EXPIRED)

    def end_all(self) -> None:
        """Cut every watch off."""
        for subscription in tuple(self._subscriptions):
            self._end(subscription)

    def _end(self, subscription: Subscription, why: Ending = Ending.CUT) -> None:
        self._subscriptions.discard(subscription)
        subscription.put_nowait(why)
