"""Hooks of a rollout in a whole cluster: the operator process asks real servers, across its own death."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.scene import STEPS, Scene
from tests.served import everything, served
from tests.waiting import eventually


class Receiver:
    """Says no at the path /no/NAME until it is opened; remembers what it was told."""

    def __init__(self) -> None:
        self.url = ""
        self.open = False
        self.got: list[tuple[str, str, dict[str, Any]]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.got.append((request.path, request.headers["Idempotency-Key"], await request.json()))
        return web.Response(status=204 if self.open or not request.path.startswith("/no") else 500)

    def asked(self, path: str) -> int:
        return sum(at == path for at, _, _ in self.got)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    one = Receiver()
    async with served(everything(one.answer)) as one.url:
        yield one


async def test_a_rollout_asks_its_hooks_across_a_kill_and_holds_at_one_that_says_no_until_a_person_retries(
    scene: Scene, receiver: Receiver, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    first, second = make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "2", seed=1)
    hooks = [
        {"name": "smoke", "type": "pre-rollout", "url": f"{receiver.url}/smoke"},
        {"name": "sign", "type": "pre-promotion", "url": f"{receiver.url}/no/sign", "retries": 1},
        {"name": "tell", "type": "notify", "url": f"{receiver.url}/tell"},
    ]
    rollout = {"steps": STEPS, "watch": {"duration": "2s", "holdback": 10}, "scaleDownDelay": "1s", "hooks": hooks}
    await scene.apply(first, rollout=rollout)
    await scene.serving(first)
    assert receiver.asked("/smoke") == 1
    assert receiver.asked("/no/sign") == 0
    async with scene.load(make_columns(500, seed=5)):
        await scene.apply(second, rollout=rollout)
        status = await scene.until(lambda s: s.candidate and s.candidate.hooks, "the candidate's smoke test is on record")
        assert status.candidate is not None
        id_ = status.candidate.id
        await scene.cluster.kill_operator(signal.SIGKILL)
        await scene.cluster.start_operator()
        await scene.until(lambda s: s.candidate and s.candidate.hold_reason == "HookFailed", "its promotion is not signed")
        assert receiver.asked("/no/sign") == 2
        promoted = await scene.headgate("promote", scene.name)
        assert promoted.exit_code == 1
        assert "retry@" in promoted.output
        receiver.open = True
        retried = await scene.headgate("retry", scene.name)
        assert retried.exit_code == 0, retried.output
        assert "sign" in retried.output
        await scene.serving(second)
    assert {"HookPassed", "HookFailed"} <= await scene.events()
    assert receiver.asked("/no/sign") == 3
    smoked = [body["metadata"]["revision"] for path, _, body in receiver.got if path == "/smoke"]
    assert smoked.count(id_) == 1, "on record before the kill, so not asked again"
    assert len({key for path, key, _ in receiver.got if path == "/no/sign"}) == 1
    await eventually(lambda: [body["phase"] for path, _, body in receiver.got if path == "/tell"][-1] == "Healthy")
    told = [body["phase"] for path, _, body in receiver.got if path == "/tell"]
    assert "Watching" in told
