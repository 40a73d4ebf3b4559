"""The owner of a scene's clients: knows what became of each request, and tells the drift monitor a moment later."""

import asyncio
from collections.abc import Sequence

import aiohttp

from tests.scene import Scene, Traffic


async def label(scene: Scene, traffic: Traffic, late: Sequence[bool]) -> None:
    """Send what became of the requests that were answered, as their owner would: in batches, a moment later, for ever."""
    url, sent = f"{scene.cluster.monitor_url}/v1/ground-truth/{scene.name}", 0
    async with aiohttp.ClientSession() as session:
        while True:
            await asyncio.sleep(0.5)
            batch = traffic.answered[sent : sent + 1000]
            labels = [{"id": id_, "value": bool(late[row])} for id_, row in batch]
            async with session.post(url, json={"labels": labels}) as answer:
                sent += len(batch) if answer.status == 200 else 0  # a monitor that is busy gets them again
