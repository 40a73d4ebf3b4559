"""Waiting for a condition, never for a time. Deadlines are for what never happens: generous, since one that is met costs nothing."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any


async def eventually(met: Callable[[], Any], seconds: float = 60) -> Any:
    """Ask `met`, a function or a coroutine function, until it says something true, and return that; TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while True:
            answer = met()
            found = await answer if inspect.isawaitable(answer) else answer
            if found:
                return found
            await asyncio.sleep(0.05)


async def settled(count: Callable[[], int], *, quiet: float, seconds: float) -> None:
    """Wait until a count has stayed the same for `quiet` seconds; TimeoutError after `seconds`."""
    before = -1
    async with asyncio.timeout(seconds):
        while before != (now := count()):
            before = now
            await asyncio.sleep(quiet)
