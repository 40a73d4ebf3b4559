"""What the operator's looks, and its lists while it waits, put onto the board; and what they cost."""

import dataclasses
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from headgate_operator.api.status import Phase
from headgate_operator.controller.resources import MODEL_DEPLOYMENTS
from headgate_operator.controller.settings import Settings, SettingsError
from headgate_operator.controller.shard import Shard
from headgate_operator.controller.web_view import LIST_SECONDS, WebView
from headgate_operator.kube.protocol import UnavailableError
from headgate_operator.web.access import AccessSettings
from headgate_operator.web.server import WebSettings

KEY = ("ml", "flight-delay")


@pytest.fixture
def clock() -> list[float]:
    return [1000.0]


@pytest.fixture
async def view(world: Any, tmp_path: Path, clock: list[float]) -> AsyncIterator[WebView]:
    """A web view beside a reconciler that tells it what it sees."""
    (tmp_path / "token").write_text("a-token-for-the-tests")
    web = WebSettings(host="127.0.0.1", port=0, access=AccessSettings(token_file=tmp_path / "token"))
    settings = Settings(gateway=world.reconciler._settings.gateway, domain="example.com", web=web, namespaces=("ml",))
    made = WebView(settings, clock=lambda: clock[0])
    world.reconciler._view = made
    await made.start(world.api)
    yield made
    await made.stop()


async def test_a_look_is_shown_with_its_events_and_asks_the_api_server_nothing_more(world: Any, view: WebView) -> None:
    view.leads()
    await world.manifest()
    await world.settle()
    shown = view.board.shown(KEY)
    assert shown is not None
    assert (shown.status.phase, shown.steps) == (Phase.HEALTHY, 3)
    assert "FirstRevision" in [told.reason for told in shown.told]
    assert shown.samples[-1].weights == {shown.status.stable.id: 100}  # type: ignore[union-attr]
    calls = len(world.api.calls)
    assert await world.reconciler.look(KEY) == "unchanged"
    with_view, calls = len(world.api.calls) - calls, len(world.api.calls)
    world.reconciler._view = None
    assert await world.reconciler.look(KEY) == "unchanged"
    assert len(world.api.calls) - calls == with_view
    assert view.banner == ""


async def test_a_look_that_failed_is_shown_and_an_object_that_is_gone_is_not(world: Any, view: WebView) -> None:
    view.leads()
    await world.manifest()
    await world.settle()

    async def breaks() -> None:
        raise RuntimeError("a bug")

    world.api.before["get", "ModelDeployment"] = breaks
    assert await world.reconciler.look(KEY) == "error"
    shown = view.board.shown(KEY)
    assert shown is not None
    assert shown.trouble == "RuntimeError: a bug"
    obj = await world.get(MODEL_DEPLOYMENTS)
    await world.admin.delete(MODEL_DEPLOYMENTS, *KEY, uid=obj["metadata"]["uid"])
    assert await world.reconciler.look(KEY) == "gone"
    assert view.board.shown(KEY) is None


async def test_an_operator_that_waits_lists_at_most_so_often_and_says_so(world: Any, view: WebView, clock: list[float]) -> None:
    await world.manifest()
    await world.settle()
    view.forget(KEY)
    world.api.calls.clear()
    await view.refresh()
    await view.refresh()
    assert [call[:2] for call in world.api.calls] == [("each", "ModelDeployment")]
    shown = view.board.shown(KEY)
    assert shown is not None
    assert (shown.status.phase, shown.steps) == (Phase.HEALTHY, 3)
    assert "waits for its Lease" in view.banner
    obj = await world.get(MODEL_DEPLOYMENTS)
    await world.admin.delete(MODEL_DEPLOYMENTS, *KEY, uid=obj["metadata"]["uid"])
    clock[0] += LIST_SECONDS
    await view.refresh()
    assert len(view.board) == 0


async def test_once_it_leads_only_its_own_looks_count(world: Any, view: WebView) -> None:
    await world.manifest()
    await view.refresh()
    assert len(view.board) == 1
    view.leads()
    assert len(view.board) == 0
    await view.refresh()
    assert len(view.board) == 0


async def test_an_api_server_that_does_not_answer_is_told_beside_what_was_known(world: Any, view: WebView, clock: list[float]) -> None:
    await world.manifest()
    await view.refresh()

    async def is_down() -> None:
        raise UnavailableError("no answer")

    world.api.before["each", "ModelDeployment"] = is_down
    clock[0] += LIST_SECONDS
    await view.refresh()
    assert len(view.board) == 1
    assert "They could not be read just now: no answer" in view.banner


async def test_objects_of_another_shard_are_not_shown(world: Any, view: WebView) -> None:
    await world.manifest()
    view._settings = dataclasses.replace(view._settings, shard=Shard("headgate.dev/shard=b"))
    await view.refresh()
    assert len(view.board) == 0


async def test_a_port_that_is_taken_is_one_sentence(world: Any, view: WebView, tmp_path: Path) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        web = dataclasses.replace(view._web, port=busy.getsockname()[1])
        with pytest.raises(SettingsError, match=r"--ui-address 127.0.0.1:\d+: cannot listen there .*; choose a free port"):
            await WebView(dataclasses.replace(view._settings, web=web)).start(world.api)
