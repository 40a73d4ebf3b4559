"""Events: strict about times, one object for both groups, a series by merge patch."""

from typing import Any

import pytest

from tests.plainhttp import MERGE

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
    "change",
    [
        {"eventTime": "2026-01-01T00:00:00Z"},
        {"eventTime": "2026-01-01T00:00:00.123Z"},
        {"eventTime": "2026-01-01T00:00:00.123456+00:00"},
        {"eventTime": "yesterday"},
        {"eventTime": None},
        {"eventTime": 7},
        {"reportingController": None},
        {"reportingController": "no spaces"},
        {"reportingInstance": None},
        {"action": None},
        {"reason": None},
        {"type": "Danger"},
        {"note": "x" * 1025},
        {"note": "é" * 600},
        {"reportingInstance": "x" * 129},
        {"series": {"count": 1, "lastObservedTime": "2026-01-01T00:00:00.000001Z"}},
        {"regarding": {"kind": "ModelDeployment", "name": "m", "namespace": "default"}},
    ],
    ids=str,
)
async def test_what_is_wrong_with_an_event_is_refused_alike(server: Any, change: dict[str, Any], request: pytest.FixtureRequest) -> None:
    answer = await create(server, **change)
    assert answer.status == EXPECTED[str(change)], answer.body


EXPECTED: dict[str, int] = {}


async def test_a_series_is_continued_by_a_merge_patch(server: Any) -> None:
    await create(server)
    series = {"series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:05.000000Z"}}
    answer = await server.http("PATCH", server.path("events", EVENTS) + "/m.1", series, MERGE)
    assert (answer.status, answer.body["series"]["count"]) == (200, 2)
    assert answer.body["series"]["lastObservedTime"] == "2026-01-01T00:00:05.000000Z"
