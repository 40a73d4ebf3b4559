"""Rollouts under traffic whose operator is killed: at every write, at any call, at random. They end as without kills.

`make crash-tests` does the same exhaustively: every single call of a promotion and of a rollback, before and after, and 200 random kills.
"""

import asyncio
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from headgate_devcluster import operator_process
from headgate_devcluster.apiserver.faults import Effect, Fault, Moment
from headgate_devcluster.faults import KillOperator
from tests.play import play
from tests.scene import Scene
from tests.storm import EVERY_CALL
from tests.witness import WRITES, at_rest, background, written

KILLS = int(os.environ.get("HEADGATE_KILLS", "6"))
MOMENTS = (Moment.BEFORE, Moment.AFTER) if EVERY_CALL else (Moment.AFTER,)


@pytest.fixture
def restarts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Deployment's back-off would only make the test longer."""
    monkeypatch.setattr(operator_process, "_RESTART_SECONDS", 0.0)


@pytest.fixture
def audit_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADGATE_AUDIT_LOG", str(tmp_path / "audit.jsonl"))
    return tmp_path / "audit.jsonl"


async def kill_at_every_write(scene: Scene, kills: list[str]) -> None:
    """Let no write ever return: the operator dies of each; where there is time for it, before each too."""
    while True:
        for moment in MOMENTS:
            fault = scene.cluster.faults.inject(Fault(effect=Effect.CRASH, verbs=frozenset(WRITES), moment=moment, limit=1))
            while any(active.id == fault for active in scene.cluster.faults.active()):  # noqa: ASYNC110 - it is over by itself
                await asyncio.sleep(0.05)
            kills.append(moment)


async def kill_at_random(scene: Scene, kills: list[str], seed: int = 11) -> None:
    """Kill each process some time after it was started: some while they start, most while they work."""
    moments = random.Random(seed)
    while len(kills) < KILLS:
        while (pid := scene.cluster.pids().get("operator")) is None:  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.05)
        await asyncio.sleep(moments.choice((1, 4, 5, 6, 7)) * moments.uniform(0.5, 1))
        scene.cluster.faults.inject(KillOperator())
        while scene.cluster.pids().get("operator") == pid:  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.02)
        kills.append("at random")


@pytest.mark.slow
@pytest.mark.usefixtures("restarts_at_once")
async def test_killed_at_every_write_all_the_way_through_a_promotion_and_a_rollback(
    audit_log: Path, scene: Any, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    kills: list[str] = []
    async with play(scene, tmp_path, make_export, make_columns) as playing:
        async with background(kill_at_every_write(scene, kills)):
            await playing.promotion()
            await playing.rollback()
        scene.cluster.faults.clear()
    assert len(kills) > 20
    lines = [json.loads(text) for text in await asyncio.to_thread(lambda: audit_log.read_text().splitlines())]
    assert [line["number"] for line in lines] == list(range(1, len(lines) + 1)), "every change of traffic is written down once"
    assert lines[-1]["weights"]["after"] == {entry.id: entry.weight for entry in (await scene.status()).traffic}


@pytest.mark.slow
@pytest.mark.usefixtures("restarts_at_once")
async def test_killed_at_random_under_traffic(scene: Any, tmp_path: Path, make_export: Any, make_columns: Any) -> None:
    kills: list[str] = []
    async with play(scene, tmp_path, make_export, make_columns) as playing, background(kill_at_random(scene, kills)):
        while len(kills) < KILLS:
            await playing.promotion()
            await playing.rollback()


@pytest.mark.skipif(not EVERY_CALL, reason="takes an hour: make crash-tests")
@pytest.mark.slow
@pytest.mark.usefixtures("restarts_at_once")
@pytest.mark.parametrize("direction", ["promotion", "rollback"])
async def test_killed_once_before_and_after_each_single_call(
    scene: Any, tmp_path: Path, make_export: Any, make_columns: Any, direction: str
) -> None:
    async with play(scene, tmp_path, make_export, make_columns) as playing:
        story = getattr(playing, direction)
        scene.cluster.faults.audit.clear()
        await story()
        writes = len(written(scene))
        assert writes > 10
        for number in range(writes):
            for moment in Moment:
                fault = Fault(effect=Effect.CRASH, verbs=frozenset(WRITES), moment=moment, skip=number, limit=1)
                scene.cluster.faults.inject(fault)
                await story()
                await at_rest(scene, 1.0)
                scene.cluster.faults.clear()
