"""Waiting for a condition, never for a time."""

import asyncio
from collections.abc import Callable
from typing import Any


async def eventually(met: Callable[[], Any], seconds: float = 30) -> None:
    """Wait until `met` says something true; TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not met():  # noqa: ASYNC110 - the condition is in another process
            await asyncio.sleep(0.05)
