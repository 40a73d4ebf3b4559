"""Events, the queue before the worker, and requests joined with responses."""

import base64
import json
from typing import Any

import pytest

from headgate_monitor.collector.errors import MalformedError
from headgate_monitor.collector.events import Event, batched, binary, structured
from headgate_monitor.collector.joining import Exchange, Joiner
from headgate_monitor.collector.ring import Ring

REQUEST, RESPONSE = (f"org.kubeflow.serving.inference.{kind}" for kind in ("request", "response"))


def event(id_: str, *, request: bool = True, body: bytes = b"{}") -> Event:
    return Event("flights", "r1", id_, request, body)


def test_the_three_modes_of_an_event_say_the_same() -> None:
    sent = Event("flights", "r1", "7", True, b'{"a":1}', "")
    told: dict[str, Any] = {"specversion": "1.0", "id": "7", "type": REQUEST}
    encoded = base64.b64encode(sent.body).decode()
    assert binary("flights", "r1", {"ce-id": "7", "ce-type": REQUEST}, sent.body) == sent
    assert structured("flights", "r1", json.dumps(told | {"data": {"a": 1}}).encode()) == sent
    assert list(batched("flights", "r1", json.dumps([told | {"data_base64": encoded}]).encode())) == [sent]


def test_one_bad_event_of_a_batch_costs_only_itself() -> None:
    good = {"id": "7", "type": RESPONSE, "data": {}}
    first, second, third = batched("flights", "r1", json.dumps([good, {"id": "8", "type": "other"}, 5]).encode())
    assert isinstance(first, Event)
    assert isinstance(second, MalformedError)
    assert isinstance(third, MalformedError)


@pytest.mark.parametrize("headers", [{}, {"ce-id": "7"}, {"ce-id": "x" * 300, "ce-type": REQUEST}, {"ce-id": "7", "ce-type": "cd.done"}])
def test_headers_that_are_no_event_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(MalformedError):
        binary("flights", "r1", headers, b"")


def test_the_operators_own_requests_are_known_by_their_header() -> None:
    headers = {"ce-id": "7", "ce-type": REQUEST, "ce-metadata": '{"X-Headgate-Parity": ["1"]}'}
    assert binary("flights", "r1", headers, b"").parity
    assert not event("7").parity


@pytest.mark.parametrize("request_first", [True, False])
def test_a_request_and_its_response_meet_in_whatever_order(request_first: bool) -> None:
    joiner = Joiner()
    assert joiner.add(event("7", request=request_first), 0) is None
    assert joiner.add(event("7", request=not request_first), 1) == Exchange(event("7"), event("7", request=False))
    assert len(joiner) == 0


def test_events_that_come_again_are_counted_once() -> None:
    joiner = Joiner()
    for request in (True, True, False, False, True):
        joiner.add(event("7", request=request), 0)
    assert joiner.repeated == 3


def test_the_same_id_of_two_versions_is_two_exchanges() -> None:
    joiner = Joiner()
    joiner.add(event("7"), 0)
    assert joiner.add(Event("flights", "r2", "7", False, b""), 0) is None


def test_halves_that_waited_too_long_or_are_too_much_are_given_up_oldest_first() -> None:
    joiner = Joiner(limit=3, limit_bytes=100, seconds=30)
    for number in range(5):
        joiner.add(event(str(number)), float(number))
    assert [exchange.known.id for exchange in joiner.overdue(10)] == ["0", "1"]
    joiner.add(event("large", body=b"x" * 96), 10)
    assert [exchange.known.id for exchange in joiner.overdue(10)] == ["2"]
    assert [exchange.known.id for exchange in joiner.overdue(35)] == ["3", "4"]


def test_the_queue_is_bounded_in_number_and_in_bytes() -> None:
    ring = Ring[Event](limit=10, limit_bytes=100)
    assert sum(ring.put(event(str(number)), str(number)) for number in range(20)) == 10
    assert not ring.put(event("large", body=b"x" * 200), "large")
    assert ring.dropped == 11
    assert len(ring.take(100)) == 10
    assert ring.put(event("again", body=b"x" * 100), "again")


def test_under_load_both_halves_of_an_exchange_go_or_stay_and_about_half_stay() -> None:
    ring = Ring[Event](limit=10_000, limit_bytes=10**9)
    for number in range(5001):
        ring.put(event(str(number)), str(number))
    ring.adapt()
    ring.take(10_000)
    kept = [number for number in range(2000) if ring.put(event(f"n{number}"), f"n{number}")]
    answers = [number for number in range(2000) if ring.put(event(f"n{number}", request=False), f"n{number}")]
    assert kept == answers
    assert 900 < len(kept) < 1100
    ring.take(10_000)
    ring.adapt()
    assert ring.share == 1
