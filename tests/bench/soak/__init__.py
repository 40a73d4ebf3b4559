"""Half an hour of rollouts under live traffic, good versions and bad ones in turn, in bad weather: `make bench-soak`.

Nothing may be lost but what a bad version answers itself; every good version is promoted once, every bad one refused; every change of
traffic is in the audit log. If one of these does not hold, it ends at once, with what it saw. HEADGATE_BENCH_SOAK=5m is how long (default
30m; the last rollout is finished), HEADGATE_BENCH_SEED=3 another weather.
"""

import asyncio
import json
import os
import random
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from headgate_devcluster.cluster import Cluster
from headgate_operator.api.quantities import parse_duration
from tests.bench.report import Cell, Report, Table
from tests.bench.soak.memory import Memory
from tests.bench.soak.weather import bad_weather, crashes
from tests.exports import build_columns, build_export
from tests.play import Play, play
from tests.scene import Scene
from tests.witness import at_rest, background

_CALM = 1 / 3
"""The last part of the time without kills: only a process that lives shows whether it grows."""


def run(*, quick: bool) -> Report:
    """Soak; the quick version takes two minutes."""
    seconds = 120.0 if quick else parse_duration(os.environ.get("HEADGATE_BENCH_SOAK", "30m")).total_seconds()
    seed = int(os.environ.get("HEADGATE_BENCH_SEED", "17"))
    os.environ["HEADGATE_LEADER_ELECTION"] = "false"  # or each kill would cost the 15 s of a Lease that nobody released
    with TemporaryDirectory(prefix="headgate-soak-") as folder:
        os.environ["HEADGATE_AUDIT_LOG"] = str(Path(folder) / "audit.jsonl")
        return asyncio.run(_soak(Path(folder), seconds, seed))


async def _soak(folder: Path, seconds: float, seed: int) -> Report:
    suffered, memory = Counter[str](), Memory()
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(Cluster(folder / "cluster"))
        playing = await stack.enter_async_context(play(Scene(cluster), folder, build_export, build_columns))
        chance = random.Random(seed)
        weather = bad_weather(playing, chance, suffered, kills_until=began + seconds * (1 - _CALM))
        async with background(weather, crashes(playing, chance, suffered), memory.watch(cluster.pids)):
            while (spent := time.monotonic() - began) < seconds:
                await playing.promotion()
                await playing.rollback()
                _tell(playing, suffered, spent)
        cluster.faults.clear()
        await at_rest(playing.scene)
        changes = await asyncio.to_thread(_audited, folder / "audit.jsonl")
        final = {entry.id: entry.weight for entry in (await playing.scene.status()).traffic}
        assert changes[-1]["weights"]["after"] == final, "the audit log ends elsewhere than the rollouts"
    lines = [*_figures(playing, time.monotonic() - began), ("changes of traffic in the audit log, none missing", len(changes))]
    return Report(
        tables=[
            Table(title=f"Rollouts in bad weather, seed {seed}", columns=("", ""), rows=lines),
            Table(title="The weather", columns=("what", "how often"), rows=sorted(suffered.items())),
            memory.table(calm=seconds * _CALM),
        ]
    )


def _audited(path: Path) -> list[dict[str, dict[str, dict[str, int]]]]:
    changes = [json.loads(text) for text in path.read_text().splitlines()]
    assert [one["number"] for one in changes] == list(range(1, len(changes) + 1)), "the audit log lacks a change, or has one twice"
    return changes


def _figures(playing: Play, seconds: float) -> list[tuple[Cell, ...]]:
    answers = playing.traffic.answers
    own = sum(count for (revision, code), count in answers.items() if code != 200 and revision in playing.refused)
    lost = playing.traffic.bad() - own
    return [
        ("minutes", round(seconds / 60, 1)),
        ("good versions, each promoted once", playing.promotions),
        ("bad versions, each refused", len(playing.refused)),
        ("requests", sum(answers.values())),
        ("bad answers of bad versions", own),
        ("other requests without a good answer", lost),
    ]


def _tell(playing: Play, suffered: Counter[str], seconds: float) -> None:
    asked, faults = sum(playing.traffic.answers.values()), sum(suffered.values())
    said = f"{playing.promotions} promoted, {len(playing.refused)} refused, {asked} requests, {faults} faults"
    sys.stdout.write(f"{seconds / 60:5.1f} min: {said}\n")
    sys.stdout.flush()
