"""The real cluster of `make e2e`, named by the environment, as a `Scene` wants it."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from headgate_devcluster.access import Access
from headgate_devcluster.apiclient import ApiClient
from tests.realcluster.external import access_of
from tests.scenarios import Exports, removed
from tests.scene import Scene

KUBECONFIG, GATEWAY, MODELS, MODELS_URI = (f"HEADGATE_E2E_{name}" for name in ("KUBECONFIG", "GATEWAY", "MODELS", "MODELS_URI"))
PATIENCE = 5
"""Images are loaded, volumes mounted, and autoscalers wait."""


@dataclass(frozen=True)
class RealCluster:
    """What a scene needs of a cluster that others run."""

    api: ApiClient
    api_url: str
    gateway_url: str
    kubeconfig: Path
    folder: Path


@pytest.fixture
def kubeconfig() -> Path:
    if KUBECONFIG not in os.environ:
        pytest.skip("no cluster to play in: `make e2e` makes one (needs docker, kind, kubectl and helm)")
    return Path(os.environ[KUBECONFIG])


@pytest.fixture
def access(kubeconfig: Path) -> Access:
    return access_of(yaml.safe_load(kubeconfig.read_text()))


@pytest.fixture
def folder(kubeconfig: Path, tmp_path: Path) -> Iterator[Path]:
    """Where the operator's log is kept, which a test that fails shows the end of."""
    (tmp_path / "logs").mkdir()
    command = ["kubectl", "--kubeconfig", str(kubeconfig), "logs", "--follow", "-n", "headgate-system", "deployment/headgate-operator"]
    with (tmp_path / "logs" / "operator.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        yield tmp_path
        process.terminate()
        process.wait(10)


@pytest.fixture
async def cluster(access: Access, kubeconfig: Path, folder: Path) -> AsyncIterator[RealCluster]:
    async with ApiClient(access) as api:
        yield RealCluster(api, access.url, os.environ[GATEWAY], kubeconfig, folder)


@pytest.fixture
async def scene(cluster: RealCluster) -> AsyncIterator[Scene]:
    """A scene that leaves nothing behind, whatever happens in it."""
    root, uri = Path(os.environ[MODELS]), os.environ[MODELS_URI]
    scene = Scene(cluster, uri=lambda export: f"{uri}/{export.relative_to(root)}", patience=PATIENCE)
    yield scene
    if await cluster.api.get("headgate.dev/v1alpha1", "modeldeployments", "ml", scene.name):
        await removed(scene)


@pytest.fixture
def exports(make_export: object, request: pytest.FixtureRequest) -> Exports:
    """Models in a folder of the test's own, which pods may read: pytest's temporary folders are their owner's alone."""
    folder = Path(os.environ[MODELS]) / str(request.node.name)
    shutil.rmtree(folder, ignore_errors=True)
    return Exports(make_export, folder)
