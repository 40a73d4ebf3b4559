"""Asking a server again until there is an answer, or the time is over."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from headgate_components.rest import UnreachableError

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Clock:
    """Seconds that pass, so that a test need not wait."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Standing:
    """There is no answer yet; how things stand."""

    sentence: str


def poll(ask: Callable[[], Answer | Standing], *, seconds: float, pause: float, clock: Clock | None = None) -> Answer | Standing:
    """The first answer, or how things stood after that many seconds.

    A server that cannot be reached meanwhile is only a reason to ask again. It is asked at least once.

    Args:
        ask: asks once.
        seconds: how long to go on asking.
        pause: seconds between two questions.
        clock: the time.
    """
    clock = clock or Clock()
    deadline = clock.now() + seconds
    while True:
        try:
            found = ask()
        except UnreachableError as error:
            found = Standing(f"not known ({error})")
        if not isinstance(found, Standing) or clock.now() >= deadline:
            return found
        clock.sleep(min(pause, max(0.0, deadline - clock.now())))
