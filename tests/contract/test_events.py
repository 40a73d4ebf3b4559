"""Events: strict about times, one object for both groups, a series by merge patch."""

from typing import Any

import pytest

from tests.plainhttp import MERGE

SERIES_OF_ONE = {"series": {"count": 1, "lastObservedTime": "2026-01-01T00:00:00.000001Z"}}
EVENTS = "/apis/events.k8s.io/v1"


def event(server: Any, **change: Any) -> dict[str, Any]:
    regarding = {"apiVersion": "headgate.dev/v1alpha1", "kind": "ModelDeployment", "name": "m", "namespace": server.namespace}
    return {
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "m.1", "namespace": server.namespace},
        "type": "Normal", "eventTime": "2026-01-01T00:00:00.000001Z", "reportingController": "headgate.dev/operator",
        "reportingInstance": "headgate-0", "action": "Promoted", "reason": "Promoted", "note": "it serves all traffic",
        "regarding": regarding, **change,
    }  # fmt: skip


async def create(server: Any, **change: Any) -> Any:
    return await server.http("POST", server.path("events", EVENTS), event(server, **change))


async def test_an_event_is_taken_and_seen_by_both_groups(server: Any) -> None:
    assert (await create(server)).status == 201
    old = (await server.http("GET", server.path("events", "/api/v1") + "/m.1")).body
    assert (old["message"], old["involvedObject"]["name"], old["reason"]) == ("it serves all traffic", "m", "Promoted")
    chosen = await server.http("GET", server.path("events", "/api/v1"), fieldSelector="involvedObject.name=m")
    assert len(chosen.body["items"]) == 1


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"eventTime": "2026-01-01T00:00:00Z"}, 400, 'cannot parse "Z" as ".000000"'),
        ({"eventTime": "2026-01-01T00:00:00.123Z"}, 400, 'cannot parse ".123Z" as ".000000"'),
        ({"eventTime": "yesterday"}, 400, "cannot parse"),
        ({"eventTime": None}, 422, 'Event "m.1" is invalid: eventTime: Required value'),
        ({"eventTime": 7}, 400, "json: cannot unmarshal number into Go struct field Event.eventTime of type string"),
        ({"reportingController": None}, 422, "reportingController: Required value"),
        (
            {"reportingController": "no spaces"},
            422,
            'reportingController: Invalid value: "no spaces": name part must consist',
        ),
        ({"reportingInstance": None}, 422, 'Event "m.1" is invalid: reportingInstance: Required value'),
        ({"action": None}, 422, 'Event "m.1" is invalid: action: Required value'),
        ({"reason": None}, 422, 'Event "m.1" is invalid: reason: Required value'),
        ({"type": "Danger"}, 422, 'type: Invalid value: "": has invalid value: Danger'),
        ({"note": "x" * 1025}, 422, 'message: Invalid value: "": can have at most 1024 characters'),
        ({"note": "é" * 600}, 422, 'message: Invalid value: "": can have at most 1024 characters'),
        ({"reportingInstance": "x" * 129}, 422, 'reportingInstance: Invalid value: "": can have at most 128 characters'),
        (SERIES_OF_ONE, 422, 'series.count: Invalid value: "": should be at least 2'),
        ({"regarding": {"kind": "Node", "name": "n"}}, 422, 'involvedObject.namespace: Invalid value: "": does not match event.namespace'),
    ],
    ids=lambda value: str(value)[:50],
)
async def test_what_is_wrong_with_an_event_is_refused(server: Any, change: dict[str, Any], status: int, words: str) -> None:
    answer = await create(server, **change)
    assert (answer.status, words in answer.body["message"]) == (status, True), answer.body


async def test_a_time_may_have_an_offset(server: Any) -> None:
    assert (await create(server, eventTime="2026-01-01T00:00:00.123456+00:00")).status == 201


async def test_a_series_is_continued_by_a_merge_patch(server: Any) -> None:
    await create(server)
    series = {"series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:05.000000Z"}}
    answer = await server.http("PATCH", server.path("events", EVENTS) + "/m.1", series, MERGE)
    assert (answer.status, answer.body["series"]["count"]) == (200, 2)
    assert answer.body["series"]["lastObservedTime"] == "2026-01-01T00:00:05.000000Z"
