"""The API servers that the contract is tested on: the devcluster's double and a real one, the same tests for both."""

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from headgate_devcluster.access import Access
from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.apiserver import ApiServer
from headgate_devcluster.installed import define
from headgate_operator.api.names import API_VERSION, KIND
from tests.plainhttp import Http
from tests.realcluster.controlplane import ControlPlane, control_plane
from tests.realcluster.definitions import definitions_beside_kserve
from tests.realcluster.external import external
from tests.realcluster.programs import KUBECONFIG, REQUIRED, NoRealApiError, Programs, find_programs

Object = dict[str, Any]


@dataclass(frozen=True)
class Server:
    """One API server, as its administrator, and a namespace of the test's own on it."""

    access: Access
    api: ApiClient
    http: Http
    namespace: str
    real: bool

    def path(self, plural: str = "modeldeployments", api: str = f"/apis/{API_VERSION}") -> str:
        """The URL path of the namespace's objects of a kind."""
        return f"{api}/namespaces/{self.namespace}/{plural}"

    def model(self, name: str = "m", **spec: Any) -> Object:
        """A valid ModelDeployment, not created yet."""
        served = {"uri": "s3://models/m/1", "format": {"name": "xgboost", "version": "3"}, "runtime": "headgate-xgboost"}
        meta = {"name": name, "namespace": self.namespace}
        return {"apiVersion": API_VERSION, "kind": KIND, "metadata": meta, "spec": {"model": served, **spec}}


@pytest.fixture(scope="session")
def real_programs() -> Programs:
    """How to start a control plane; without one the test is skipped, or fails where one is required."""
    try:
        return find_programs()
    except NoRealApiError as missing:
        if os.environ.get(REQUIRED):
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def real_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One real API server for all tests of a run."""
    if kubeconfig := os.environ.get(KUBECONFIG):
        yield external(Path(kubeconfig))
        return
    programs: Programs = request.getfixturevalue("real_programs")
    with control_plane(tmp_path_factory.mktemp("control-plane"), programs, definitions=definitions_beside_kserve()) as plane:
        yield plane


@pytest.fixture(params=["double", pytest.param("real", marks=pytest.mark.real_api)])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    """An API server that serves the kinds Headgate needs, with a namespace of the test's own."""
    real = request.param == "real"
    async with AsyncExitStack() as stack:
        access = request.getfixturevalue("real_server").access if real else Access((await stack.enter_async_context(ApiServer())).url)
        api = await stack.enter_async_context(ApiClient(access))
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)))
        if not real:
            await define(api)
        namespace = f"test-{secrets.token_hex(4)}"
        await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        yield Server(access, api, Http(access, session), namespace, real)
        await api.delete("v1", "namespaces", None, namespace)
