"""Faults at random, of which none by itself costs a client's request.

The gateway is frozen for less than requests wait, and never restarted: that loses what is in flight. Servers are killed once they have no
traffic any more, for the same reason.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable

from headgate_devcluster.apiserver.faults import Effect
from headgate_devcluster.errors import ClusterError
from headgate_devcluster.faults import BlindWatches, CrashPod, CutWatches, Disturbance, FreezeGateway, KillOperator, PauseOperator
from tests.play import Play
from tests.storm import STORM

_PAUSE = (1.0, 6.0)
"""Seconds between two disturbances."""
_STORM = (2.0, 8.0)
"""Seconds that a fault of the API server lasts."""
_BETWEEN_CRASHES = (5.0, 30.0)
"""Seconds."""


async def bad_weather(playing: Play, chance: random.Random, suffered: Counter[str], *, kills_until: float) -> None:
    """Disturb for ever; the operator is killed until that moment of the monotonic clock only."""
    gentle: list[Callable[[], Disturbance]] = [
        CutWatches,
        lambda: BlindWatches(seconds=chance.uniform(0.5, 3.0)),
        lambda: FreezeGateway(seconds=chance.uniform(0.2, 0.8)),
        lambda: PauseOperator(seconds=chance.uniform(0.5, 4.0)),
    ]
    while True:
        await asyncio.sleep(chance.uniform(*_PAUSE))
        match chance.randrange(7):
            case 0 | 1 | 2:
                await _storm(playing, chance, suffered)
            case 3 if time.monotonic() < kills_until:
                _disturb(playing, KillOperator(), suffered)
            case _:
                _disturb(playing, chance.choice(gentle)(), suffered)


async def _storm(playing: Play, chance: random.Random, suffered: Counter[str]) -> None:
    """Let the API server misbehave in one way, for some seconds."""
    fault, faults = chance.choice(STORM), playing.scene.cluster.faults
    name = faults.inject(fault)
    suffered[f"API server: {fault.effect}{f' {fault.code}' if fault.effect is Effect.ERROR else ''}"] += 1
    await asyncio.sleep(chance.uniform(*_STORM))
    if name is not None:
        faults.remove(name)


async def crashes(playing: Play, chance: random.Random, suffered: Counter[str]) -> None:
    """Kill servers that wait to be deleted, now and then one, for ever."""
    while True:
        await asyncio.sleep(0.2)
        leaving = {version.isvc for version in (await playing.scene.status()).draining if version.left_route_at is not None}
        pods = [pod for pod in playing.scene.cluster.pids() if any(pod.startswith(f"{isvc}-predictor") for isvc in leaving)]
        if pods:
            playing.witness.crashed |= leaving
            _disturb(playing, CrashPod(chance.choice(sorted(pods))), suffered)
            await asyncio.sleep(chance.uniform(*_BETWEEN_CRASHES))


def _disturb(playing: Play, what: Disturbance, suffered: Counter[str]) -> None:
    try:
        playing.scene.cluster.faults.inject(what)
    except ClusterError:  # what is to be broken does not run just now
        return
    suffered[type(what).__name__] += 1
