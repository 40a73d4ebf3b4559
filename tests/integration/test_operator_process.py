"""The operator's own life as a process: start, readiness, leadership, shutdown; every way it cannot start is one line."""

import asyncio
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.apiserver import ApiServer
from headgate_operator.api.crd import crd
from headgate_operator.api.names import API_VERSION
from tests.operatorprocess import manifest, stalled, until

LEASES = ("coordination.k8s.io/v1", "leases", "ml", "headgate-operator")


async def test_it_starts_works_on_events_and_leaves_at_once_on_sigterm(api: ApiClient, start: Any) -> None:
    await api.apply(crd(), field_manager="test")
    await api.apply(manifest("before"), field_manager="test")
    operator = await start()
    await until(lambda: stalled(api, "before"), operator)
    assert (await operator.get("/healthz"), await operator.get("/readyz")) == ((200, "ok\n"), (200, "ok\n"))
    await api.apply(manifest("after"), field_manager="test")
    await until(lambda: stalled(api, "after"), operator)
    _, metrics = await operator.get("/metrics")
    assert 'headgate_reconciles_total{result="written"}' in metrics
    assert 'headgate_rollout_phase{name="after",namespace="ml",phase="Stalled"} 1.0' in metrics
    code, seconds = await operator.end()
    assert code == 0, operator.said
    assert seconds < operator.at_once
    assert await holder(api) == ""
    assert "Traceback" not in operator.said


async def test_a_deleted_object_is_forgotten(api: ApiClient, start: Any) -> None:
    await api.apply(crd(), field_manager="test")
    await api.apply(manifest(), field_manager="test")
    operator = await start("--no-leader-election")
    await until(lambda: stalled(api), operator)
    await api.delete(API_VERSION, "modeldeployments", "ml", "flight-delay")

    async def forgotten() -> bool:
        return 'name="flight-delay"' not in (await operator.get("/metrics"))[1]

    await until(forgotten, operator)
    assert "Traceback" not in operator.said


async def test_it_waits_for_its_crd_and_is_not_ready_meanwhile(api: ApiClient, start: Any) -> None:
    operator = await start("--no-leader-election")

    async def waits() -> bool:
        return "waiting" in operator.said

    await until(waits, operator)
    assert "the API server does not know modeldeployments.headgate.dev/v1alpha1: install it with `headgate crd" in operator.said
    assert await operator.get("/readyz") == (503, "waiting for the API server\n")
    assert (await operator.get("/healthz"))[0] == 200
    await api.apply(crd(), field_manager="test")
    await api.apply(manifest(), field_manager="test")
    await until(lambda: stalled(api), operator)
    assert (await operator.get("/readyz"))[0] == 200


async def test_it_refuses_to_work_with_a_crd_older_than_itself_until_that_is_replaced(api: ApiClient, start: Any) -> None:
    older = crd()
    del older["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]["rejected"]
    await api.apply(older, field_manager="test")
    await api.apply(manifest(), field_manager="test")
    impatient = await start("--no-leader-election", "--start-timeout", "1s")
    async with asyncio.timeout(60):
        assert await impatient.process.wait() == 1
    assert "the installed CRD modeldeployments.headgate.dev is older than this operator: it does not know status.rejected" in impatient.said
    assert "Traceback" not in impatient.said
    operator = await start("--no-leader-election")

    async def waits() -> bool:
        return "older than this operator" in operator.said

    await until(waits, operator)
    found = await api.get(API_VERSION, "modeldeployments", "ml", "flight-delay")
    assert found is not None
    assert found["status"] == {"observedGeneration": -1}, "nothing was written"
    await api.apply(crd(), field_manager="test")
    await until(lambda: stalled(api), operator)


async def test_sigterm_while_it_waits_ends_it(api: ApiClient, start: Any) -> None:
    operator = await start()

    async def waits() -> bool:
        return "waiting" in operator.said

    await until(waits, operator)
    code, seconds = await operator.end()
    assert code == 0, operator.said
    assert seconds < operator.at_once


async def holder(api: ApiClient) -> str:
    lease = await api.get(*LEASES)
    assert lease is not None
    return str(lease["spec"].get("holderIdentity", ""))


async def test_of_two_operators_one_works_and_the_other_takes_over_when_it_leaves(api: ApiClient, start: Any) -> None:
    await api.apply(crd(), field_manager="test")
    first = await start()
    await until(first.leads, first)
    second = await start()

    async def waits() -> bool:
        return "another operator leads" in second.said

    await until(waits, second)
    assert (await second.get("/readyz"))[0] == 200, "a standby is ready, or a rolling update would never end"
    assert not await second.leads()
    held = await holder(api)
    await first.end()
    assert await holder(api) != held, "it gave its Lease back: nobody has to wait until that is over"
    await until(second.leads, second)
    await api.apply(manifest(), field_manager="test")
    await until(lambda: stalled(api), second)


@pytest.mark.slow
async def test_a_killed_leader_is_replaced_after_its_lease(api: ApiClient, start: Any) -> None:
    await api.apply(crd(), field_manager="test")
    first = await start()
    await until(first.leads, first)
    second = await start()
    await first.end(signal.SIGKILL)
    await until(second.leads, second)


async def test_a_leader_that_lost_its_lease_ends_at_once(api: ApiClient, start: Any) -> None:
    await api.apply(crd(), field_manager="test")
    operator = await start()
    await until(operator.leads, operator)
    await api.merge_patch(*LEASES, {"spec": {"holderIdentity": "somebody-else"}})
    async with asyncio.timeout(60):
        assert await operator.process.wait() == 1
    assert "is now held by somebody-else; ending" in operator.said


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (lambda path: path.unlink(), "kubeconfig"),
        (lambda path: path.write_text("just words"), "kubeconfig"),
        (lambda path: path.write_text(path.read_text().replace("127.0.0.1:", "127.0.0.1:1")), "http"),
    ],
    ids=["no kubeconfig", "broken kubeconfig", "unreachable server"],
)
async def test_an_api_server_that_cannot_be_reached_is_one_line(
    server: ApiServer, tmp_path: Path, start: Any, prepare: Any, sentence: str
) -> None:
    prepare(tmp_path / "kubeconfig")
    operator = await start("--start-timeout", "1s")
    async with asyncio.timeout(60):
        assert await operator.process.wait() == 1
    last = operator.said.splitlines()[-1]
    assert last.startswith("headgate: error: the operator cannot start: "), operator.said
    assert sentence in last
    assert "Traceback" not in operator.said


async def test_a_missing_crd_is_one_line_when_patience_ends(api: ApiClient, start: Any) -> None:
    operator = await start("--start-timeout", "1s")
    async with asyncio.timeout(60):
        assert await operator.process.wait() == 1
    assert operator.said.splitlines()[-1] == (
        "headgate: error: the operator cannot start: the API server does not know modeldeployments.headgate.dev/v1alpha1: "
        "install it with `headgate crd | kubectl apply --server-side -f -`"
    )
    assert "Traceback" not in operator.said


async def test_a_busy_port_is_one_line(api: ApiClient, start: Any) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        operator = await start(port=port)
        async with asyncio.timeout(60):
            assert await operator.process.wait() == 1
    assert operator.said.splitlines()[-1] == (
        f"headgate: error: the operator cannot start: --health-address 127.0.0.1:{port}: cannot listen there "
        "(Address already in use); choose a free port"
    )
    assert "Traceback" not in operator.said
