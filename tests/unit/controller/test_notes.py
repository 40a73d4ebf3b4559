"""Kubernetes Events: one object a sentence, repetitions as a series, and never a failed pass."""

import asyncio
from datetime import UTC, datetime

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import Owner
from headgate_operator.controller.notes import Notes, event_object
from headgate_operator.kube.protocol import ConflictError, InvalidError, UnavailableError
from headgate_operator.rollout.decision import Note
from headgate_operator.rollout.observed import Subject

SUBJECT = Subject(name="flight-delay", namespace="ml", uid="u-1", generation=1)
NOW = datetime(2026, 11, 21, 10, 0, 0, 0, tzinfo=UTC)


class EventServer:
    """Keeps Events as an API server does: a name is taken once."""

    def __init__(self, error: Exception | None = None, hang: bool = False) -> None:
        self.events: dict[str, dict] = {}
        self.error = error
        self.hang = hang
        self.asked = 0

    async def create(self, resource, obj):
        self.asked += 1
        if self.hang:
            await asyncio.Event().wait()
        if self.error:
            raise self.error
        if obj["metadata"]["name"] in self.events:
            raise ConflictError("exists", 409)
        self.events[obj["metadata"]["name"]] = dict(obj)
        return obj

    async def patch(self, resource, namespace, name, patch):
        self.events[name] |= patch
        return self.events[name]


def note(message: str = "it fails", **changes) -> Note:
    return Note(**{"reason": Reason.ERRORS_WORSE, "message": message, "revision": "r1", "warning": True} | changes)


def test_the_time_has_six_digits_even_on_the_full_second() -> None:
    assert event_object(SUBJECT, note(), NOW, instance="pod")["eventTime"] == "2026-11-21T10:00:00.000000Z"


def test_an_event_says_who_what_and_about_whom() -> None:
    event = event_object(SUBJECT, note(), NOW, instance="pod")
    assert (event["reason"], event["note"], event["type"]) == ("ErrorsWorse", "it fails", "Warning")
    assert event["regarding"] == {
        "apiVersion": "headgate.dev/v1alpha1",
        "kind": "ModelDeployment",
        "name": "flight-delay",
        "namespace": "ml",
        "uid": "u-1",
    }
    assert event["metadata"]["annotations"] == {"headgate.dev/revision": "r1"}
    assert event_object(SUBJECT, note(warning=False), NOW, instance="pod")["type"] == "Normal"


@pytest.mark.parametrize("change", [{"message": "other"}, {"revision": "r2"}, {"reason": Reason.ALL_FAILING}])
def test_the_name_depends_on_what_is_said(change) -> None:
    names = {event_object(SUBJECT, one, NOW, instance="pod")["metadata"]["name"] for one in (note(), note(), note(**change))}
    assert len(names) == 2
    assert all(name.startswith("flight-delay.") for name in names)


@pytest.mark.parametrize("message", ["x" * 5000, "x" * 1023 + "…", "ü" * 700, "x" + "ü" * 700, "€" * 400])
def test_a_long_message_is_cut_to_the_bytes_that_an_api_server_takes(message) -> None:
    said = event_object(SUBJECT, note(message), NOW, instance="pod")["note"]
    assert 1020 <= len(said.encode()) <= 1024
    assert message.startswith(said[:-1])
    assert said.endswith("…")


def test_a_message_that_fits_is_left_as_it_is() -> None:
    assert event_object(SUBJECT, note("ü" * 512), NOW, instance="pod")["note"] == "ü" * 512


async def test_saying_the_same_again_counts_in_a_series() -> None:
    server = EventServer()
    notes = Notes(server)
    for _ in range(3):
        await notes.post(SUBJECT, [note()], NOW)
    (event,) = server.events.values()
    assert event["series"] == {"count": 3, "lastObservedTime": "2026-11-21T10:00:00.000000Z"}


async def test_a_pass_cannot_write_more_than_ten() -> None:
    server = EventServer()
    await Notes(server).post(SUBJECT, [note(str(number)) for number in range(50)], NOW)
    assert len(server.events) == 10


async def test_an_event_that_is_refused_does_not_silence_the_next(monkeypatch) -> None:
    server = EventServer()
    create = server.create

    async def picky(resource, obj):
        if obj["note"] == "refused":
            raise InvalidError("no", 422)
        return await create(resource, obj)

    monkeypatch.setattr(server, "create", picky)
    await Notes(server).post(SUBJECT, [note("refused"), note("taken")], NOW)
    assert [event["note"] for event in server.events.values()] == ["taken"]


async def test_an_api_server_that_refuses_events_fails_no_pass() -> None:
    server = EventServer(error=UnavailableError("no"))
    await Notes(server).post(SUBJECT, [note()], NOW)
    assert server.asked
    assert not server.events


def test_an_api_server_that_hangs_holds_no_pass_for_long(on_fake_time) -> None:
    async def run() -> float:
        start = asyncio.get_running_loop().time()
        await Notes(EventServer(hang=True)).post(SUBJECT, [note()], NOW)
        return asyncio.get_running_loop().time() - start

    assert on_fake_time(run()) <= 5


def test_a_warning_says_whom_to_call_however_long_it_is_and_other_events_do_not() -> None:
    owner = Owner(team="ops-analytics", contact="oncall@example.com")
    said = event_object(SUBJECT, note("x" * 2000), NOW, instance="pod", owner=owner)["note"]
    assert said.endswith("… (owner: ops-analytics, oncall@example.com)")
    assert len(said.encode()) <= 1024
    assert event_object(SUBJECT, note("fine", warning=False), NOW, instance="pod", owner=owner)["note"] == "fine"
    assert event_object(SUBJECT, note("bad"), NOW, instance="pod", owner=Owner())["note"] == "bad"
