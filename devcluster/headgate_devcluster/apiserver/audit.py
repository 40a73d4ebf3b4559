"""The last calls that a server answered: what a test looks at to say that nothing was written, or to kill a client at each of its calls."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from headgate_devcluster.apiserver.calls import Call

_REMEMBERED: Final = 20_000


@dataclass(frozen=True)
class Answered:
    """A call and how it ended."""

    call: Call
    code: int
    """The HTTP code; 0 if no answer was sent."""


@dataclass
class Audit:
    """A bounded record of calls, oldest first."""

    _answered: deque[Answered] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def add(self, call: Call, code: int) -> None:
        """Record a call."""
        self._answered.append(Answered(call, code))

    def of(self, client: str = "", *, verbs: Iterable[str] = ()) -> list[Answered]:
        """Return the calls of clients whose User-Agent begins so, of these verbs; all of them if nothing is named."""
        wanted = frozenset(verbs)
        return [item for item in self._answered if item.call.client.startswith(client) and (not wanted or item.call.verb in wanted)]

    def clear(self) -> None:
        """Forget everything."""
        self._answered.clear()
