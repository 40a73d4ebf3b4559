"""Watches: what is told, in which order, from which resourceVersion, and how a watch ends."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.plainhttp import MERGE


@asynccontextmanager
async def watching(server: Any, path: str = "", **query: str) -> AsyncIterator[Any]:
    """Yield a function that returns the next (type, object)."""
    query = {"watch": "true", "timeoutSeconds": "120", **query}
    async with server.http.stream("GET", path or server.path(), **query) as response:

        async def following() -> tuple[str, Any]:
            async with asyncio.timeout(60):
                event = json.loads(await response.content.readline())
            return event["type"], event["object"]

        following.status = response.status  # type: ignore[attr-defined]
        yield following


async def revision(server: Any) -> str:
    return str((await server.http("GET", server.path())).body["metadata"]["resourceVersion"])


async def told(following: Any, count: int) -> list[tuple[str, str]]:
    return [(kind, obj["metadata"]["name"]) for kind, obj in [await following() for _ in range(count)]]


async def test_a_watch_from_a_list_tells_every_change_after_it(server: Any) -> None:
    await server.api.create(server.model("before"))
    since = await revision(server)
    created = await server.api.create(server.model())
    await server.http("PATCH", f"{server.path()}/m", {"metadata": {"labels": {"a": "b"}}}, MERGE)
    await server.http("DELETE", f"{server.path()}/m")
    async with watching(server, resourceVersion=since) as following:
        events = [await following() for _ in range(3)]
    assert [(kind, obj["metadata"]["name"]) for kind, obj in events] == [("ADDED", "m"), ("MODIFIED", "m"), ("DELETED", "m")]
    versions = [int(obj["metadata"]["resourceVersion"]) for _, obj in events]
    assert versions == sorted(set(versions)), "a deletion has a version of its own"
    assert events[0][1] == created
    assert events[2][1]["metadata"]["labels"] == {"a": "b"}, "with the last state"


async def test_a_watch_without_a_version_begins_with_what_there_is(server: Any) -> None:
    await server.api.create(server.model("a"))
    await server.api.create(server.model("b"))
    async with watching(server) as following:
        assert sorted(await told(following, 2)) == [("ADDED", "a"), ("ADDED", "b")]
        await server.api.create(server.model("c"))
        assert await told(following, 1) == [("ADDED", "c")]


async def test_a_watch_can_send_a_list_first_and_marks_its_end(server: Any) -> None:
    await server.api.create(server.model("a"))
    query = {"sendInitialEvents": "true", "allowWatchBookmarks": "true", "resourceVersionMatch": "NotOlderThan"}
    async with watching(server, **query) as following:
        assert await told(following, 1) == [("ADDED", "a")]
        kind, mark = await following()
        assert (kind, mark["kind"], mark["metadata"]["annotations"]) == (
            "BOOKMARK",
            "ModelDeployment",
            {"k8s.io/initial-events-end": "true"},
        )


async def test_a_watch_from_nowhere_marks_the_end_of_what_there_is_if_bookmarks_are_welcome(server: Any) -> None:
    await server.api.create(server.model("a"))
    for query in ({}, {"resourceVersion": "0"}):
        async with watching(server, allowWatchBookmarks="true", timeoutSeconds="1", **query) as following:
            kinds = [(await following())[0] for _ in range(2)]
        assert kinds == ["ADDED", "BOOKMARK"]
        unmarked = await server.http("GET", server.path(), watch="true", timeoutSeconds="1", **query)
        assert unmarked.body["type"] == "ADDED", "and no line more"


async def test_a_watch_that_told_anything_says_before_its_end_from_where_to_go_on(server: Any) -> None:
    since = await revision(server)
    async with watching(server, resourceVersion=since, allowWatchBookmarks="true", timeoutSeconds="4") as following:
        created = await server.api.create(server.model())
        assert await told(following, 1) == [("ADDED", "m")]
        kind, mark = await following()
    assert (kind, set(mark), set(mark["metadata"])) == ("BOOKMARK", {"kind", "apiVersion", "metadata"}, {"resourceVersion"})
    assert int(mark["metadata"]["resourceVersion"]) >= int(created["metadata"]["resourceVersion"])
    again = await server.http("GET", server.path(), watch="true", resourceVersion=mark["metadata"]["resourceVersion"], timeoutSeconds="1")
    assert (again.status, again.body) == (200, ""), "nothing is told twice"


async def test_a_watch_from_before_all_that_is_remembered_ends_with_410(server: Any) -> None:
    answer = await server.http("GET", server.path(), watch="true", resourceVersion="1", timeoutSeconds="5")
    assert (answer.status, answer.body["type"]) == (200, "ERROR"), "told in the stream: its headers are gone"
    status = answer.body["object"]
    assert (status["code"], status["reason"], status["message"].partition(" (")[0]) == (410, "Expired", "too old resource version: 1")


async def test_an_object_that_no_longer_matches_is_deleted_to_a_watch_with_a_selector(server: Any) -> None:
    obj = server.model()
    obj["metadata"]["labels"] = {"team": "a"}
    since = await revision(server)
    async with watching(server, resourceVersion=since, labelSelector="team=a") as following:
        await server.api.create(obj)
        await server.api.create(server.model("other"))
        for team in ("b", "c", "a"):
            await server.http("PATCH", f"{server.path()}/m", {"metadata": {"labels": {"team": team}}}, MERGE)
        assert await told(following, 3) == [("ADDED", "m"), ("DELETED", "m"), ("ADDED", "m")]


async def test_a_watch_of_one_name(server: Any) -> None:
    since = await revision(server)
    async with watching(server, resourceVersion=since, fieldSelector="metadata.name=m") as following:
        await server.api.create(server.model("other"))
        await server.api.create(server.model())
        assert await told(following, 1) == [("ADDED", "m")]


async def test_a_finalizer_makes_a_deletion_two_events(server: Any) -> None:
    obj = server.model()
    obj["metadata"]["finalizers"] = ["example.com/hold"]
    created = await server.api.create(obj)
    async with watching(server, resourceVersion=created["metadata"]["resourceVersion"]) as following:
        answer = await server.http("DELETE", f"{server.path()}/m")
        assert (answer.status, answer.body["kind"], answer.body["metadata"]["generation"]) == (200, "ModelDeployment", 2)
        kind, marked = await following()
        assert (kind, marked["metadata"]["deletionGracePeriodSeconds"]) == ("MODIFIED", 0)
        again = await server.http("DELETE", f"{server.path()}/m")
        assert again.body["metadata"]["deletionTimestamp"] == marked["metadata"]["deletionTimestamp"]
        more = {"metadata": {"finalizers": ["example.com/hold", "example.com/more"]}}
        added = await server.http("PATCH", f"{server.path()}/m", more, MERGE)
        assert (added.status, added.body["reason"]) == (422, "Invalid")
        await server.http("PATCH", f"{server.path()}/m", {"metadata": {"finalizers": None}}, MERGE)
        assert (await following())[0] == "DELETED"


async def test_a_version_that_is_none_is_refused(server: Any) -> None:
    problem = 'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax'
    answer = await server.http("GET", server.path(), watch="true", resourceVersion="x", timeoutSeconds="5")
    assert (answer.status, answer.body["message"]) == (500, problem)
    answer = await server.http("GET", server.path(), resourceVersion="x")
    assert (answer.status, answer.body["message"]) == (400, f"invalid resource version: {problem}")


async def test_a_watch_ends_when_its_time_is_up(server: Any) -> None:
    since = await revision(server)
    async with asyncio.timeout(60):
        answer = await server.http("GET", server.path(), watch="true", resourceVersion=since, timeoutSeconds="1")
    assert (answer.status, answer.body) == (200, "")


async def test_tables_are_watched_as_tables(server: Any) -> None:
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io"
    await server.api.create(server.model())
    async with server.http.stream("GET", server.path(), accept=accept, watch="true", timeoutSeconds="5") as response:
        event = json.loads(await response.content.readline())
    assert (event["type"], event["object"]["kind"]) == ("ADDED", "Table")
    assert event["object"]["rows"][0]["cells"][0] == "m"
