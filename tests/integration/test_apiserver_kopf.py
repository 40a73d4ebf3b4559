"""The API server double under kopf, with the settings the operator uses."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import kopf
import pytest

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.apiserver import ApiServer
from headgate_operator.api.crd import crd
from tests.waiting import eventually

MODELS = ("headgate.dev/v1alpha1", "modeldeployments")
SERVICES = ("serving.kserve.io/v1beta1", "inferenceservices")
OWNER = "headgate.dev/model-deployment"

Seen = list[tuple[str | None, str, str]]


def model(name: str) -> dict[str, Any]:
    served = {"uri": "s3://models/m/1", "format": {"name": "xgboost"}, "runtime": "headgate-xgboost"}
    return {
        "apiVersion": MODELS[0], "kind": "ModelDeployment", "metadata": {"name": name, "namespace": "default"}, "spec": {"model": served},
    }  # fmt: skip


def service(name: str, labels: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": SERVICES[0], "kind": "InferenceService", "metadata": {"name": name, "namespace": "default", "labels": labels},
        "spec": {"predictor": {}},
    }  # fmt: skip


def operator(url: str, seen: Seen) -> tuple[kopf.OperatorRegistry, kopf.OperatorSettings]:
    """An operator that notes (event type, plural, name)."""
    settings, registry = kopf.OperatorSettings(), kopf.OperatorRegistry()
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.watching.chunk_size = 2
    settings.watching.server_timeout = 600
    settings.queueing.idle_timeout = 0.5
    settings.queueing.exit_timeout = 0.1
    settings.watching.label_selectors["serving.kserve.io", "v1beta1", "inferenceservices"] = OWNER

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return kopf.ConnectionInfo(server=url)

    for api_version, plural in (MODELS, SERVICES):

        @kopf.on.event(*api_version.split("/"), plural, registry=registry, id=plural)
        async def note(type: str | None, name: str, plural: str = plural, **_: Any) -> None:  # noqa: A002 - kopf's name
            seen.append((type, plural, name))

    return registry, settings


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    async with ApiServer(history_size=50) as server, ApiClient(server.url) as api:
        await api.create(crd())
        yield server


@pytest.fixture
async def api(server: ApiServer) -> AsyncIterator[ApiClient]:
    async with ApiClient(server.url) as api:
        yield api


@pytest.fixture
async def seen(server: ApiServer, api: ApiClient) -> AsyncIterator[Seen]:
    """What an operator in a thread of its own has seen; five ModelDeployments exist before it starts."""
    for number in range(5):
        await api.create(model(f"m{number}"))
    found: Seen = []
    registry, settings = operator(server.url, found)
    stop, ready = threading.Event(), threading.Event()

    def run() -> None:
        asyncio.run(
            kopf.operator(registry=registry, settings=settings, namespaces=["default"], standalone=True, stop_flag=stop, ready_flag=ready)
        )

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        await asyncio.to_thread(thread.join, 60)
        assert not thread.is_alive()


async def test_everything_that_exists_arrives_page_by_page_then_every_change(api: ApiClient, seen: Seen) -> None:
    await eventually(lambda: {name for _, _, name in seen} == {f"m{number}" for number in range(5)})
    await api.create(model("later"))
    await eventually(lambda: ("ADDED", "modeldeployments", "later") in seen)
    await api.merge_patch(*MODELS, "default", "later", {"metadata": {"annotations": {"headgate.dev/command": "abort@r1"}}})
    await eventually(lambda: ("MODIFIED", "modeldeployments", "later") in seen)
    await api.delete(*MODELS, "default", "later")
    await eventually(lambda: ("DELETED", "modeldeployments", "later") in seen)


async def test_only_selected_children_arrive_and_losing_the_label_is_a_deletion(api: ApiClient, seen: Seen) -> None:
    await eventually(lambda: len(seen) >= 5)
    await api.create(service("foreign", {}))
    await api.create(service("ours", {OWNER: "m0"}))
    await eventually(lambda: ("ADDED", "inferenceservices", "ours") in seen)
    await api.merge_patch(*SERVICES, "default", "ours", {"metadata": {"labels": {OWNER: None}}})
    await eventually(lambda: ("DELETED", "inferenceservices", "ours") in seen)
    assert not any(name == "foreign" for _, _, name in seen)


async def test_a_cut_watch_goes_on_and_a_forgotten_revision_lists_again(server: ApiServer, api: ApiClient, seen: Seen) -> None:
    await eventually(lambda: len(seen) >= 5)
    server.store.end_watches()
    await api.create(model("after-the-cut"))
    await eventually(lambda: any(name == "after-the-cut" for _, _, name in seen))
    history = server.store.history(("headgate.dev", "modeldeployments"))
    await eventually(lambda: history.watchers > 0)
    seen.clear()
    history.end_all()
    await api.create(model("compacted"))
    history.forget_all(server.store.revision)
    await eventually(lambda: any(name == "compacted" for _, _, name in seen))
