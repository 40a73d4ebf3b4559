"""The devcluster's own client against the API server double."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
import yaml

from headgate_devcluster.access import write_kubeconfig
from headgate_devcluster.apiclient import ApiClient, ApiError
from headgate_devcluster.apiserver import ApiServer
from tests.waiting import eventually

HTTP_ROUTES = ("gateway.networking.k8s.io/v1", "httproutes")


def route(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": "default", "labels": {"name": name}},
        "spec": spec,
    }


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    async with ApiServer(history_size=5) as server:
        yield server


@pytest.fixture
async def api(server: ApiServer) -> AsyncIterator[ApiClient]:
    async with ApiClient(server.url) as api:
        yield api


async def test_verbs_find_the_resource_by_the_objects_kind(api: ApiClient) -> None:
    created = await api.create(route("r", hostnames=["a"]))
    created["spec"] = {"hostnames": ["b"]}
    replaced = await api.replace(created)
    status = await api.replace_status(replaced | {"status": {"parents": []}})
    applied = await api.apply(route("r", hostnames=["b"]), field_manager="t")
    assert (status["status"], applied["spec"]) == ({"parents": []}, {"hostnames": ["b"]})
    assert [item["kind"] for item in await api.list(*HTTP_ROUTES)] == ["HTTPRoute"]
    assert await api.delete(*HTTP_ROUTES, "default", "r", uid=created["metadata"]["uid"])
    assert not await api.delete(*HTTP_ROUTES, "default", "r")
    assert await api.get(*HTTP_ROUTES, "default", "r") is None


async def test_cluster_scoped_objects_have_no_namespace(api: ApiClient) -> None:
    await api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}}, field_manager="t")
    found = await api.get("v1", "namespaces", None, "ml")
    assert found is not None
    assert found["status"] == {"phase": "Active"}


async def test_a_refusal_carries_code_reason_and_sentence(api: ApiClient) -> None:
    await api.create(route("r"))
    with pytest.raises(ApiError, match=r'httproutes\.gateway\.networking\.k8s\.io "r" already exists') as error:
        await api.create(route("r"))
    assert (error.value.status, error.value.reason) == (409, "AlreadyExists")
    with pytest.raises(ApiError, match="knows no kind Rout in gateway"):
        await api.create(route("x") | {"kind": "Rout"})


async def test_a_server_that_is_not_there_is_an_api_error_without_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headgate_devcluster.apiclient.BACKOFF_SECONDS", 0.0)
    async with ApiServer() as gone:
        url = gone.url
    async with ApiClient(url) as api:
        with pytest.raises(ApiError, match=r"^GET http://127\.0\.0\.1") as error:
            await api.get("v1", "namespaces", None, "ml")
    assert error.value.status == 0


async def test_long_lists_come_in_pages(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headgate_devcluster.apiclient._PAGE", 2)
    for name in "abcde":
        await api.create(route(name))
    assert [item["metadata"]["name"] for item in await api.list(*HTTP_ROUTES)] == list("abcde")


async def test_a_watch_begins_with_what_exists_and_follows(api: ApiClient) -> None:
    await api.create(route("a"))
    async with aclosing(api.watch(*HTTP_ROUTES)) as events:
        assert await told(events) == ("ADDED", "a")
        await api.create(route("b"))
        assert await told(events) == ("ADDED", "b")
        await api.merge_patch(*HTTP_ROUTES, "default", "b", {"spec": {"hostnames": ["x"]}})
        assert await told(events) == ("MODIFIED", "b")
        await api.delete(*HTTP_ROUTES, "default", "a")
        assert await told(events) == ("DELETED", "a")


async def test_a_watch_selects(api: ApiClient) -> None:
    async with aclosing(api.watch(*HTTP_ROUTES, "default", label_selector="name=b")) as events:
        await api.create(route("a"))
        await api.create(route("b"))
        assert await told(events) == ("ADDED", "b")


async def test_a_watch_that_was_cut_tells_what_it_missed_deletions_included(server: ApiServer, api: ApiClient) -> None:
    for name in "ab":
        await api.create(route(name))
    async with aclosing(api.watch(*HTTP_ROUTES)) as events:
        assert [await told(events), await told(events)] == [("ADDED", "a"), ("ADDED", "b")]
        await api.create(route("c"))
        assert await told(events) == ("ADDED", "c")
        server.store.end_watches()
        await api.delete(*HTTP_ROUTES, "default", "a")
        for number in range(9):  # more than the history holds: the old resourceVersion is forgotten
            await api.merge_patch(*HTTP_ROUTES, "default", "b", {"spec": {"hostnames": [str(number)]}})
        missed = {await told(events), await told(events)}
        assert missed == {("DELETED", "a"), ("MODIFIED", "b")}


async def test_many_watchers_and_a_stop_leave_nothing_behind() -> None:
    async with ApiServer() as server, ApiClient(server.url) as api:
        async with asyncio.TaskGroup() as group:
            watches = [group.create_task(drain(api)) for _ in range(20)]
            history = server.store.history(("gateway.networking.k8s.io", "httproutes"))
            await eventually(lambda: history.watchers == len(watches))
            for watch in watches:
                watch.cancel()
        await eventually(lambda: not history.watchers)
        assert history.watchers == 0


async def drain(api: ApiClient) -> None:
    async for _ in api.watch(*HTTP_ROUTES):
        pass


async def told(events: Any) -> tuple[str, str]:
    async with asyncio.timeout(60):
        kind, obj = await anext(events)
    return kind, obj["metadata"]["name"]


def test_a_kubeconfig_names_the_server_and_the_namespace(tmp_path: Path) -> None:
    config = yaml.safe_load(write_kubeconfig(tmp_path / "kubeconfig", "http://127.0.0.1:1", namespace="ml").read_text())
    assert config["clusters"][0]["cluster"]["server"] == "http://127.0.0.1:1"
    assert config["contexts"][0]["context"]["namespace"] == "ml"
    assert config["current-context"] == config["contexts"][0]["name"]
