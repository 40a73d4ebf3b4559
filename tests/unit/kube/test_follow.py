"""A kind of object is followed for ever: nothing is told twice, nothing is missed, and errors are waited for."""

import asyncio
import logging
from collections import deque
from typing import Any

import pytest

from headgate_operator.controller.resources import INFERENCE_SERVICES
from headgate_operator.kube.client import KubeClient
from headgate_operator.kube.follow import Follower, _wait
from headgate_operator.kube.protocol import ApiError, UnavailableError

LABEL = "owner"


def thing(name: str, version: int, owner: str = "x") -> dict[str, Any]:
    return {"metadata": {"namespace": "ml", "name": name, "resourceVersion": str(version), "labels": {LABEL: owner}}}


class Server:
    """Has lists and watches to answer with, one after the other; afterwards nothing happens any more."""

    def __init__(self, *answers: Any) -> None:
        self.answers = deque(answers)
        self.asked: list[str] = []
        self.finished = asyncio.Event()

    async def each(self, resource: Any, namespace: Any, see: Any, *, label_selector: str, anew: Any) -> str:
        self.asked.append("list")
        version, *objects = await self._next()
        for obj in objects:
            see(obj)
        return str(version)

    async def watch(self, resource: Any, namespace: Any, *, since: str, label_selector: str) -> Any:
        self.asked.append(since)
        for event in await self._next():
            if isinstance(event, Exception):
                raise event
            yield event

    async def _next(self) -> Any:
        if not self.answers:
            self.finished.set()
            await asyncio.Event().wait()
        answer = self.answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer


async def play(server: Server) -> list[tuple[Any, bool]]:
    """Follow until the server has no more to say; return what was told."""
    told: list[tuple[Any, bool]] = []
    task = asyncio.create_task(Follower(server, INFERENCE_SERVICES, "ml", lambda *args: told.append(args), label=LABEL).run())
    await server.finished.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return told


@pytest.fixture
def follow(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Follow a server that says this, without waiting after errors; return names and whether they are gone, and what was asked."""
    monkeypatch.setattr("headgate_operator.kube.follow._wait", lambda _: 0)

    async def run(*answers: Any) -> tuple[list[tuple[str, bool]], list[str]]:
        server = Server(*answers)
        return [(obj["metadata"]["name"], gone) for obj, gone in await play(server)], server.asked

    return run


async def test_a_list_comes_first_and_the_watch_goes_on_from_there(follow: Any) -> None:
    told, asked = await follow((7, thing("a", 5)), [("ADDED", thing("b", 8)), ("DELETED", thing("a", 9))])
    assert told == [("a", False), ("b", False), ("a", True)]
    assert asked == ["list", "7", "9"]


async def test_a_bookmark_tells_nobody_anything_but_moves_the_place_to_go_on_from(follow: Any) -> None:
    told, asked = await follow((7,), [("BOOKMARK", {"metadata": {"resourceVersion": "40"}})])
    assert (told, asked) == ([], ["list", "7", "40"])


async def test_a_watch_that_breaks_goes_on_where_it_was_and_is_told_once(follow: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        told, asked = await follow(
            (7, thing("a", 5)), UnavailableError("cut"), UnavailableError("cut"), UnavailableError("cut"), [("MODIFIED", thing("a", 8))]
        )
    assert told == [("a", False), ("a", False)]
    assert asked == ["list", "7", "7", "7", "7", "8"]
    assert [record.message for record in caplog.records] == [
        "cut; changes come late until that works again",
        "inferenceservices are followed again",
    ]


async def test_what_is_gone_when_a_list_has_to_be_begun_anew_is_told_as_gone(client: KubeClient, script: Any) -> None:
    script.say({"items": [thing("a", 5)], "metadata": {"resourceVersion": "7"}})
    script.say('{"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old"}}\n')
    script.say({"items": [thing("a", 5)], "metadata": {"resourceVersion": "8", "continue": "t"}})
    script.refuse(410, "the provided continue parameter is too old")
    script.say({"items": [], "metadata": {"resourceVersion": "9"}})
    script.say("")
    told: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()
    follower = Follower(client, INFERENCE_SERVICES, "ml", lambda obj, gone: told.put_nowait((obj["metadata"]["name"], gone)), label=LABEL)
    following = asyncio.create_task(follower.run())
    async with asyncio.timeout(10):
        assert [await told.get(), await told.get()] == [("a", False), ("a", True)]
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def test_after_410_a_list_tells_what_is_new_and_what_is_gone_and_nothing_twice(follow: Any) -> None:
    told, asked = await follow(
        (7, thing("a", 5), thing("b", 6), thing("c", 7)),
        [("MODIFIED", thing("b", 8)), ApiError("too old", 410)],
        (20, thing("b", 8), thing("c", 15)),
        [],
    )
    assert told == [("a", False), ("b", False), ("c", False), ("b", False), ("c", False), ("a", True)]
    assert asked == ["list", "7", "list", "20", "20"]


async def test_a_deletion_that_was_missed_is_told_with_the_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headgate_operator.kube.follow._wait", lambda _: 0)
    told = await play(Server((7, thing("a", 5, owner="flight-delay")), ApiError("too old", 410), (9,)))
    assert told[-1] == ({"metadata": {"namespace": "ml", "name": "a", "labels": {LABEL: "flight-delay"}}}, True)


def test_it_waits_longer_after_each_failure_but_not_for_ever() -> None:
    assert 0.1 < _wait(0) < 0.3
    assert 0.5 < _wait(3) < 1.1
    assert _wait(1_000_000) < 40


@pytest.mark.parametrize("errors", [[ApiError("no such version", 400)], [UnavailableError("too large resource version", 504)] * 5])
async def test_where_going_on_does_not_help_it_begins_with_a_list(follow: Any, errors: list[Exception]) -> None:
    _, asked = await follow((7,), *errors, (3,), [])
    assert asked == ["list", *["7"] * len(errors), "list", "3", "3"]


async def test_an_object_whose_label_was_changed_is_told_although_the_list_was_all_there_is(follow: Any) -> None:
    told, _ = await follow((7, thing("a", 5, owner="x")), ApiError("too old", 410), (9, thing("a", 8, owner="y")), [])
    assert told == [("a", False), ("a", False)]
