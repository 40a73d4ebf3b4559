"""Waiting for another process."""

import time
from collections.abc import Callable
from typing import Any, Final

POLL_SECONDS: Final = 0.1


def within(seconds: float, met: Callable[[], Any]) -> bool:
    """Wait until `met` says something true; False if it did not in time."""
    deadline = time.monotonic() + seconds
    while not met():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
