"""Fixtures of the integration tests."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from headgate_devcluster.access import write_kubeconfig
from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.apiserver import ApiServer
from headgate_devcluster.cluster import Cluster
from headgate_devcluster.errors import free_port
from headgate_devcluster.process import die_with
from tests.operatorprocess import Operator
from tests.scene import Scene


@pytest.fixture
def with_monitor() -> bool:
    """A test's file says otherwise if the cluster should have a drift monitor."""
    return False


@pytest.fixture
async def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_monitor: bool) -> AsyncIterator[Cluster]:
    monkeypatch.setenv("HEADGATE_LEADER_ELECTION", "false")  # a killed leader's lease lasts 15 s; test_operator_process.py waits for it
    monkeypatch.setenv("HEADGATE_ALLOW_URL", "http://127.0.0.1")  # the hooks, registries and servers of tests
    async with Cluster(tmp_path / "cluster", monitor=with_monitor) as cluster:
        yield cluster


@pytest.fixture
def scene(cluster: Cluster) -> Scene:
    return Scene(cluster)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ApiServer]:
    async with ApiServer() as running:
        write_kubeconfig(tmp_path / "kubeconfig", running.url, namespace="ml")
        yield running


@pytest.fixture
async def api(server: ApiServer) -> AsyncIterator[ApiClient]:
    async with ApiClient(server.url) as client:
        await client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}}, field_manager="test")
        yield client


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Operator]]]:
    """Start an operator; all of them are gone at the end."""
    running: list[Operator] = []

    async def launch(*flags: str, kubeconfig: Path = tmp_path / "kubeconfig", port: int | None = None) -> Operator:
        log, free = tmp_path / f"operator-{len(running)}.log", port or free_port()
        arguments = ["--kubeconfig", str(kubeconfig), "--namespace", "ml", "--health-address", f"127.0.0.1:{free}", *flags]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("HEADGATE_")}
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "headgate_operator.controller",
                *arguments,
                stdout=output,
                stderr=output,
                env=environment,
                preexec_fn=die_with(os.getpid()),
            )
        running.append(Operator(process, log, free))
        return running[-1]

    yield launch
    for operator in running:
        with suppress(ProcessLookupError):
            operator.process.kill()
        await operator.process.wait()
