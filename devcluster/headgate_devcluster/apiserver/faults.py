"""Faults on purpose: what a client has to live with when a real API server is overloaded, restarted or cut off.

Faults strike requests on resources only; health, discovery and the OpenAPI documents always work. Unless a fault names a client, the
devcluster's own parts (see `OWN_CLIENT`) are spared, so that what breaks is the program under test and not the cluster around it.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import count
from typing import Final

from headgate_devcluster.apiserver.calls import Call
from headgate_devcluster.apiserver.errors import Refusal

OWN_CLIENT: Final = "headgate-devcluster"
"""What the User-Agent of the devcluster's controllers, its demo and its tests' client begins with."""
EVERYONE: Final = "*"

_REASONS: Final = {
    403: ("Forbidden", "forbidden by an injected fault"),
    404: ("NotFound", "not found, says an injected fault"),
    409: ("Conflict", "the object has been modified; please apply your changes to the latest version and try again"),
    410: ("Expired", "too old resource version"),
    429: ("TooManyRequests", "the server has received too many requests and has asked us to try again later"),
    500: ("InternalError", "Internal error occurred: etcdserver: request timed out"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: ("Timeout", "Timeout: request did not complete within requested timeout - context deadline exceeded"),
}


class Effect(StrEnum):
    """What happens to a request."""

    ERROR = "error"
    """It is answered with an error code."""
    LATENCY = "latency"
    """It is answered late."""
    DROP = "drop"
    """Its connection is closed without an answer."""
    CRASH = "crash"
    """Its client is killed: the operator, where the cluster runs one."""


class Moment(StrEnum):
    """When a fault strikes. After: the request was carried out and only its answer is lost or wrong, the case clients forget."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Which requests are struck, and by what. Empty fields match everything."""

    effect: Effect
    verbs: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
    """Plurals, with the subresource: `modeldeployments`, `modeldeployments/status`."""
    namespace: str = ""
    name: str = ""
    client: str = ""
    """The beginning of a User-Agent; empty for everyone but the devcluster itself, `*` for everyone."""
    code: int = 500
    retry_after: int | None = None
    """Seconds, told to the client of an error."""
    delay: float = 0.0
    """Seconds, of a latency."""
    moment: Moment = Moment.BEFORE
    probability: float = 1.0
    skip: int = 0
    """How many matching requests pass before the first is struck."""
    limit: int | None = None
    """How many requests are struck before the fault is over; without one it lasts until its time is up or it is cleared."""
    seconds: float | None = None
    """How long the fault lasts."""

    def matches(self, call: Call) -> bool:
        """Say whether a call is one that the fault is about."""
        return (
            (not self.verbs or call.verb in self.verbs)
            and (not self.resources or call.path in self.resources)
            and self.namespace in {"", call.namespace}
            and self.name in {"", call.name}
            and self._is_about(call.client)
        )

    def _is_about(self, client: str) -> bool:
        if self.client == EVERYONE:
            return True
        return client.startswith(self.client) if self.client else not client.startswith(OWN_CLIENT)

    def refusal(self) -> Refusal:
        """Return the answer of an error."""
        reason, message = _REASONS.get(self.code, ("", f"an injected fault answers {self.code}"))
        return Refusal(self.code, reason, message, {"retryAfterSeconds": self.retry_after} if self.retry_after is not None else None)


@dataclass(frozen=True)
class ActiveFault:
    """A fault that is set, and what it did so far."""

    id: str
    fault: Fault
    seen: int = 0
    """Matching requests."""
    struck: int = 0
    ends: float | None = None
    """On the monotonic clock."""


@dataclass
class Faults:
    """The faults of one server; `seed` makes probabilities repeatable."""

    seed: int | None = None
    clock: Callable[[], float] = time.monotonic
    _active: dict[str, ActiveFault] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - no secret

    def add(self, fault: Fault) -> str:
        """Set a fault; return its id."""
        name = f"f{next(self._numbers)}"
        self._active[name] = ActiveFault(name, fault, ends=None if fault.seconds is None else self.clock() + fault.seconds)
        return name

    def remove(self, name: str) -> bool:
        """Take a fault back; False if there is none of that id (any more)."""
        return self._active.pop(name, None) is not None

    def clear(self) -> None:
        """Take every fault back."""
        self._active.clear()

    def active(self) -> list[ActiveFault]:
        """Return the faults in force, oldest first."""
        now = self.clock()
        self._active = {name: item for name, item in self._active.items() if item.ends is None or item.ends > now}
        return list(self._active.values())

    def strike(self, call: Call) -> list[Fault]:
        """Return the faults that this call meets, and count it."""
        if not self._active:
            return []
        return [item.fault for item in self.active() if item.fault.matches(call) and self._hits(item)]

    def _hits(self, item: ActiveFault) -> bool:
        seen = replace(item, seen=item.seen + 1)
        hit = item.seen >= item.fault.skip and self._random.random() < item.fault.probability
        struck = replace(seen, struck=item.struck + hit)
        if struck.struck == item.fault.limit:
            self.remove(item.id)
        else:
            self._active[item.id] = struck
        return hit
