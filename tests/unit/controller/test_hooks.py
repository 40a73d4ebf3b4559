"""Calls to real servers: slow, hanging, refusing, redirecting, endless ones; and what a crash between answer and record means."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from headgate_operator.api.spec import Hook
from headgate_operator.controller.allowed import AllowList, parse_allow_list
from headgate_operator.controller.hooks import Hooks
from headgate_operator.controller.payload import Delivery
from headgate_operator.rollout.observed import HookAnswer, HookCall
from tests.served import everything, served
from tests.waiting import eventually

KEY = ("ml", "flight-delay")
LOOPBACK = parse_allow_list(["http://127.0.0.1"])


@dataclass
class Receiver:
    """A server that behaves as its path says, and what it got."""

    url: str = ""
    got: list[tuple[dict[str, str], Any]] = field(default_factory=list)
    busy: int = 0
    busiest: int = 0
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        try:
            self.got.append((dict(request.headers), json.loads(await request.read())))
            return await self._answer(request)
        finally:
            self.busy -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        match request.path:
            case "/no":
                return web.Response(status=500, text="3 of 20\nrequests   failed")
            case "/elsewhere":
                return web.Response(status=307, headers={"Location": f"{self.url}/yes"})
            case "/wait":
                await self.release.wait()
            case "/endless":
                return await _endless(request, 200)
            case "/endless-no":
                return await _endless(request, 503)
        return web.Response(status=204)


async def _endless(request: web.Request, status: int) -> web.StreamResponse:
    response = web.StreamResponse(status=status)
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65_536)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    one = Receiver()
    async with served(everything(one.answer)) as one.url:
        yield one
        one.release.set()


@pytest.fixture
async def make_hooks() -> AsyncIterator[Callable[..., Hooks]]:
    made: list[Hooks] = []

    def make(allowed: AllowList = LOOPBACK, wake: Callable[[Any], None] = lambda _: None) -> Hooks:
        made.append(Hooks(allowed=allowed, wake=wake))
        return made[-1]

    yield make
    for hooks in made:
        await hooks.close()


def call(url: str, name: str = "smoke", patience: str = "5s") -> tuple[HookCall, Delivery]:
    hook = Hook.model_validate({"name": name, "type": "pre-rollout", "url": url, "timeout": patience})
    about = HookCall(name=name, type=hook.type, definition="d", revision="r3f9a1c02")
    return about, Delivery(hook=hook, body={"name": "flight-delay"}, id="u1/smoke/r3f9a1c02")


async def ask(hooks: Hooks, url: str, patience: str = "5s") -> HookAnswer:
    hooks.start(KEY, *call(url, patience=patience))
    await eventually(lambda: hooks.answers(KEY))
    (answer,) = hooks.answers(KEY)
    return answer


async def test_an_answer_of_2xx_agrees_and_the_object_is_woken(receiver, make_hooks) -> None:
    woken: list[Any] = []
    hooks = make_hooks(wake=woken.append)
    answer = await ask(hooks, f"{receiver.url}/yes")
    assert answer.passed
    assert woken == [KEY]
    headers, body = receiver.got[0]
    assert body == {"name": "flight-delay"}
    assert headers["Idempotency-Key"] == "u1/smoke/r3f9a1c02"
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("path", "patience", "message"),
    [
        ("/no", "5s", "it answered HTTP 500: 3 of 20 requests failed"),
        ("/elsewhere", "5s", "it answered HTTP 307, and redirects are not followed"),
        ("/wait", "1s", "no answer within 1s"),
        ("/endless-no", "5s", "it answered HTTP 503: " + "x" * 200),
    ],
)
async def test_anything_else_does_not_and_says_why(receiver, make_hooks, path, patience, message) -> None:
    answer = await ask(make_hooks(), f"{receiver.url}{path}", patience)
    assert (answer.passed, answer.message) == (False, message)
    assert len(receiver.got) == 1


async def test_an_endless_answer_of_2xx_agrees_without_being_read(receiver, make_hooks) -> None:
    answer = await ask(make_hooks(), f"{receiver.url}/endless")
    assert answer.passed
    await eventually(lambda: receiver.busy == 0)


async def test_a_server_that_is_not_there_is_an_answer_too(make_hooks) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and listens to nobody
        answer = await ask(make_hooks(), f"http://127.0.0.1:{nobody.getsockname()[1]}/")
    assert not answer.passed
    assert answer.message.startswith("it cannot be asked: Cannot connect to host 127.0.0.1")


async def test_an_address_that_the_operator_may_not_ask_is_not_asked(receiver, make_hooks) -> None:
    answer = await ask(make_hooks(AllowList()), f"{receiver.url}/yes")
    assert not answer.passed
    assert "--allow-url" in answer.message
    assert receiver.got == []


async def test_the_same_call_is_never_under_way_twice_nor_repeated_before_its_answer_is_on_record(receiver, make_hooks) -> None:
    hooks = make_hooks()
    for _ in range(3):
        hooks.start(KEY, *call(f"{receiver.url}/wait"))
    await eventually(lambda: receiver.got)
    receiver.release.set()
    await eventually(lambda: hooks.answers(KEY))
    hooks.start(KEY, *call(f"{receiver.url}/wait"))
    await asyncio.sleep(0)
    assert len(receiver.got) == 1
    hooks.recorded(KEY, hooks.answers(KEY))
    assert hooks.answers(KEY) == ()
    await ask(hooks, f"{receiver.url}/wait")
    assert len(receiver.got) == 2


async def test_only_so_many_calls_are_under_way_at_the_same_time(receiver, make_hooks) -> None:
    hooks = make_hooks()
    for number in range(50):
        hooks.start(("ml", f"model-{number}"), *call(f"{receiver.url}/wait"))
    await eventually(lambda: receiver.busy == 32)
    receiver.release.set()
    await eventually(lambda: all(hooks.answers(("ml", f"model-{number}")) for number in range(50)))
    assert receiver.busiest == 32


async def test_calls_of_an_object_that_is_gone_are_given_up(receiver, make_hooks) -> None:
    hooks = make_hooks()
    hooks.start(KEY, *call(f"{receiver.url}/wait"))
    await eventually(lambda: receiver.busy)
    hooks.forget(KEY)
    receiver.release.set()
    await hooks.close()
    assert hooks.answers(KEY) == ()


@pytest.fixture
def rollout(receiver):
    def spec(*hooks, **settings):
        return {"rollout": {"steps": [{"weight": 50, "minDuration": "0s", "minRequests": 0}], "hooks": list(hooks), **settings}}

    return spec


async def started(world) -> None:
    """The first revision's pods are ready, and one more look was taken at them."""
    await world.reconciler.look(KEY)
    await world.kserve()
    await world.reconciler.look(KEY)
    await world.reconciler.look(KEY)


async def test_a_pass_returns_while_a_hook_still_thinks_and_its_answer_brings_the_next(world, receiver, rollout) -> None:
    await world.manifest(**rollout({"name": "smoke", "type": "pre-rollout", "url": f"{receiver.url}/wait", "metadata": {"cmd": "test"}}))
    await started(world)
    await eventually(lambda: receiver.got)
    assert (await world.status()).stable is None
    ready = next(c for c in (await world.status()).conditions if c.type == "Reconciling")
    assert ready.reason == "WaitingForHook"
    receiver.release.set()
    key, _ = await asyncio.wait_for(world.queue.get(), 60)
    world.queue.done(key)
    await eventually(lambda: world.observer._background.hooks.answers(KEY))
    await world.settle()
    status = await world.status()
    assert status.stable is not None
    assert len(receiver.got) == 1
    _, body = receiver.got[0]
    facts = body.pop("metadata")
    assert body == {"name": "flight-delay", "namespace": "ml", "phase": "Pending", "checksum": status.stable.id}
    assert facts["cmd"] == "test"
    assert (facts["revision"], facts["version"], facts["hook"], facts["hookType"]) == (status.stable.id, "1", "smoke", "pre-rollout")
    assert facts["candidateAddress"] == f"http://{status.stable.isvc}-predictor.ml.svc.cluster.local"


async def test_a_success_that_could_not_be_put_on_record_is_kept_and_not_asked_again(world, receiver, rollout) -> None:
    spec = rollout({"name": "smoke", "type": "pre-rollout", "url": f"{receiver.url}/wait"})
    await world.manifest(**spec)
    await started(world)
    receiver.release.set()
    await eventually(lambda: world.observer._background.hooks.answers(KEY))

    async def somebody_writes() -> None:
        await world.manifest(annotations={"touched": "yes"}, **spec)

    world.api.before["replace_status", "ModelDeployment"] = somebody_writes
    assert await world.reconciler.look(KEY) == "conflict"
    await world.settle()
    assert (await world.status()).stable is not None
    assert len(receiver.got) == 1


async def test_a_success_that_died_with_the_process_is_asked_for_again_under_the_same_key(world, receiver, rollout) -> None:
    spec = rollout({"name": "smoke", "type": "pre-rollout", "url": f"{receiver.url}/wait"})
    await world.manifest(**spec)
    await started(world)
    receiver.release.set()
    await eventually(lambda: world.observer._background.hooks.answers(KEY))
    world.observer._background.hooks.forget(KEY)  # all that a new process knows
    await world.reconciler.look(KEY)
    await eventually(lambda: world.observer._background.hooks.answers(KEY))
    await world.settle()
    assert [headers["Idempotency-Key"] for headers, _ in receiver.got] == [receiver.got[0][0]["Idempotency-Key"]] * 2
    world.observer._background.hooks.forget(KEY)
    await world.settle()
    assert len(receiver.got) == 2, "what is on record is never asked again"


async def test_notify_gets_flaggers_words_for_an_event(world, receiver, rollout) -> None:
    await world.manifest(**rollout({"name": "tell", "type": "notify", "url": f"{receiver.url}/yes", "metadata": {"revision": "mine"}}))
    await started(world)
    await eventually(lambda: receiver.got)
    _, body = receiver.got[0]
    assert body["phase"] == "Pending"
    assert set(body["metadata"]) >= {"eventType", "eventMessage", "timestamp", "delivery"}
    assert body["metadata"]["revision"].startswith("r"), "our words win"
