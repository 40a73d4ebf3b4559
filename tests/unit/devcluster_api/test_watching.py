"""Watches and lists: what a client sees from a revision on."""

from typing import Any

import pytest

from headgate_devcluster.apiserver.errors import Refusal
from headgate_devcluster.apiserver.reads import ListOptions, matcher, page
from headgate_devcluster.apiserver.watching import WatchOptions, events


async def seen(api: Any, widgets: Any, *, since: str = "", selector: str = "", initial: bool = False) -> list[tuple[str, str]]:
    """Watch what has already happened; the stream ends because its time is up."""
    matches = matcher(widgets, "ml", ListOptions(label_selector=selector))
    options = WatchOptions(resource_version=since, timeout_seconds=0, initial_events=initial, bookmarks=initial)
    return [
        (kind, obj.get("metadata", {}).get("name", obj.get("code", "")))
        async for kind, obj in events(api.store, widgets, matches, "ml", options)
    ]


def revision(api: Any) -> str:
    return str(api.store.revision)


def labelled(value: str) -> Any:
    return lambda seen: seen | {"metadata": seen["metadata"] | {"labels": {"app": value}}}


async def test_a_watch_from_a_revision_sees_what_came_after(api: Any, make_widget: Any, widgets: Any) -> None:
    api.create(make_widget("a"))
    start = revision(api)
    created = api.create(make_widget("b"))
    api.patch(created, labelled("x"))
    api.delete(created)
    assert await seen(api, widgets, since=start) == [("ADDED", "b"), ("MODIFIED", "b"), ("DELETED", "b")]


async def test_a_watch_without_revision_begins_with_what_exists(api: Any, make_widget: Any, widgets: Any) -> None:
    api.create(make_widget("a"))
    assert await seen(api, widgets) == [("ADDED", "a")]


async def test_initial_events_end_with_a_bookmark(api: Any, make_widget: Any, widgets: Any) -> None:
    api.create(make_widget("a"))
    assert [kind for kind, _ in await seen(api, widgets, initial=True)] == ["ADDED", "BOOKMARK"]


async def test_an_object_that_no_longer_matches_is_deleted_to_the_watcher(api: Any, make_widget: Any, widgets: Any) -> None:
    start = revision(api)
    created = api.create(make_widget("a"))
    api.patch(created, labelled("x"))
    api.patch(created, labelled("y"))
    api.patch(created, labelled("z"))
    assert await seen(api, widgets, since=start, selector="app=x") == [("ADDED", "a"), ("DELETED", "a")]


async def test_a_forgotten_revision_is_an_error_event_with_410(new_api: Any, make_widget: Any, widgets: Any) -> None:
    api = new_api(history_size=2)
    start = revision(api)
    for name in "abc":
        api.create(make_widget(name))
    assert await seen(api, widgets, since=start) == [("ERROR", 410)]
    assert await seen(api, widgets, since=str(int(start) + 1)) == [("ADDED", "b"), ("ADDED", "c")]


async def test_the_last_removal_of_a_finalizer_is_one_deletion(api: Any, make_widget: Any, widgets: Any) -> None:
    created = api.create(make_widget("a", metadata={"finalizers": ["example.com/f"]}))
    api.delete(created)
    start = revision(api)
    api.patch(created, lambda obj: obj | {"metadata": obj["metadata"] | {"finalizers": []}})
    assert await seen(api, widgets, since=start) == [("DELETED", "a")]


async def test_a_deleted_object_carries_the_revision_of_its_deletion(api: Any, make_widget: Any, widgets: Any) -> None:
    created = api.create(make_widget("a"))
    api.delete(created)
    start = int(created["metadata"]["resourceVersion"])
    (change,) = api.store.history(widgets.storage).since(start)
    assert int(change.obj["metadata"]["resourceVersion"]) == start + 1


def test_pages_are_of_the_moment_of_the_first_one(api: Any, make_widget: Any, widgets: Any) -> None:
    created = [api.create(make_widget(name)) for name in "abcde"]
    first = page(api.store, widgets, None, ListOptions(limit=2))
    api.create(make_widget("bb"))
    api.delete(created[2])
    second = page(api.store, widgets, None, ListOptions(limit=9, continue_token=first.continue_token))
    assert [obj["metadata"]["name"] for obj in first.items] == ["a", "b"]
    assert first.remaining == 3
    assert [obj["metadata"]["name"] for obj in second.items] == ["c", "d", "e"]
    assert second.revision == first.revision


def test_a_continue_token_that_is_too_old_is_gone(new_api: Any, make_widget: Any, widgets: Any) -> None:
    api = new_api(history_size=2)
    for name in "abcde":
        api.create(make_widget(name))
    token = page(api.store, widgets, None, ListOptions(limit=2)).continue_token
    for name in "uvwxyz":
        api.create(make_widget(name))
    with pytest.raises(Refusal) as refusal:
        page(api.store, widgets, None, ListOptions(limit=2, continue_token=token))
    assert (refusal.value.code, refusal.value.reason) == (410, "Expired")
    with pytest.raises(Refusal, match="continue key is not valid"):
        page(api.store, widgets, None, ListOptions(continue_token="nonsense"))
