"""Deploying to a cluster, with an API server, and waiting for the verdict."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from headgate_components.deployment.deploy_model import logic
from headgate_components.deployment.deploy_model.cluster import api_server, wait
from headgate_components.deployment.deploy_model.manifest import render
from headgate_components.deployment.deploy_model.verdict import verdict
from headgate_components.polling import Clock
from headgate_components.rest import Server, ServerError, Token
from headgate_components.step import StepError
from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.apiserver import ApiServer
from headgate_operator.api.crd import crd
from tests.deployments import TARGET, only, version


@pytest.fixture
async def api() -> AsyncIterator[ApiClient]:
    async with ApiServer() as server, ApiClient(server.url) as client:
        await client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}}, field_manager="test")
        await client.apply(crd(), field_manager="test")
        client.address = server.url  # type: ignore[attr-defined]
        yield client


async def applied(api: Any, *, seconds: float = 0, number: int = 7) -> logic.Deployed:
    server = Server(url=api.address)
    return await asyncio.to_thread(logic.apply_and_wait, version(number), TARGET, server, base="", wait_seconds=seconds)


async def say(api: ApiClient, **status: Any) -> None:
    body = {"apiVersion": "headgate.dev/v1alpha1", "kind": "ModelDeployment", "metadata": {"name": "flight-delay", "namespace": "ml"}}
    found = await api.get("headgate.dev/v1alpha1", "modeldeployments", "ml", "flight-delay")
    assert found is not None
    await api.apply(
        body | {"status": {"observedGeneration": found["metadata"]["generation"]} | status}, field_manager="operator", subresource="status"
    )


def pinned(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"r{number}", "modelUri": version(number).uri, "version": str(number), "isvc": "x"} | more


async def test_an_applied_version_is_there_with_its_golden_set_and_again_changes_nothing(api: Any) -> None:
    assert (await applied(api)).sentence == "version 7 was applied as ModelDeployment ml/flight-delay"
    before = await api.get("headgate.dev/v1alpha1", "modeldeployments", "ml", "flight-delay")
    await applied(api)
    after = await api.get("headgate.dev/v1alpha1", "modeldeployments", "ml", "flight-delay")
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert await api.get("v1", "configmaps", "ml", "flight-delay-7-golden")


async def test_the_verdict_is_waited_for(api: Any) -> None:
    await applied(api)
    waiting = asyncio.create_task(applied(api, seconds=120))
    await say(api, phase="Healthy", stable=pinned(7, since="2026-01-01T00:00:00Z"))
    assert "version 7 was promoted and serves" in (await waiting).sentence


async def test_a_refused_version_fails_with_the_operators_reason(api: Any) -> None:
    await applied(api)
    refused = {
        "id": "r7",
        "modelUri": version().uri,
        "version": "7",
        "reason": "ParityMismatch",
        "message": "3 of 20 answers differ",
        "at": "2026-01-01T00:00:00Z",
    }
    await say(api, phase="RolledBack", stable=pinned(6, since="2026-01-01T00:00:00Z"), rejected=[refused])
    with pytest.raises(StepError, match="version 7 was refused, ParityMismatch: 3 of 20 answers differ"):
        await applied(api, seconds=120)


async def test_a_field_that_somebody_else_manages_is_not_taken_over(api: Any) -> None:
    theirs = only(render(version(6), TARGET), "ModelDeployment")
    await api.apply(theirs, field_manager="a-person")
    with pytest.raises(ServerError, match=r"\(409\).*a-person"):
        await applied(api)


async def test_no_verdict_in_time_says_where_the_rollout_stands(api: Any) -> None:
    await applied(api)
    await say(api, phase="Holding")
    passed = iter(range(100))
    clock = Clock(now=lambda: next(passed), sleep=lambda _: None)
    with pytest.raises(StepError, match=r"no verdict on ModelDeployment ml/flight-delay after 3 s \(Holding\)"):
        await asyncio.to_thread(wait, Server(url=api.address), TARGET, uri=version().uri, generation=1, seconds=3, clock=clock)


def test_what_was_said_about_an_earlier_manifest_is_no_verdict() -> None:
    found = {"spec": {"model": {"uri": "u"}}, "status": {"observedGeneration": 1, "stable": {"modelUri": "u"}}}
    assert verdict(found, uri="u", generation=2) is None
    assert verdict(found, uri="u", generation=1) is not None


def test_a_watch_is_part_of_the_rollout_and_another_manifest_ends_it() -> None:
    found = {"spec": {"model": {"uri": "u"}}, "status": {"observedGeneration": 1, "stable": {"modelUri": "u"}, "previous": {"id": "r1"}}}
    assert verdict(found, uri="u", generation=1) is None
    ended = verdict(found, uri="another", generation=1)
    assert ended is not None
    assert "was changed to u" in ended.sentence


def test_outside_of_a_pod_an_address_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(StepError, match="this is not a pod; give its address"):
        api_server()
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    found = api_server()
    assert found.url == "https://[fd00::1]:6443"
    assert found.ca is not None


def test_a_token_file_is_read_for_every_request(tmp_path: Path) -> None:
    import requests

    token = Token(file=tmp_path / "token")
    for content in ("one", "two"):
        (tmp_path / "token").write_text(f"{content}\n")
        assert token(requests.Request("GET", "http://x").prepare()).headers["Authorization"] == f"Bearer {content}"
    (tmp_path / "token").unlink()
    with pytest.raises(ServerError, match="cannot be read: No such file"):
        token(requests.Request("GET", "http://x").prepare())
