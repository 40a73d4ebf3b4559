"""Runs the real command on real files."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from headgate_devcluster.access import write_kubeconfig
from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.apiserver import ApiServer
from headgate_operator.api.crd import crd
from headgate_operator.cli.main import main
from tests.livedeployment import STATUS, Cluster


def manifest(**spec: Any) -> dict[str, Any]:
    model = {"uri": "s3://models/flight-delay/7", "format": {"name": "xgboost", "version": "3"}, "runtime": "headgate-xgboost"}
    return {
        "apiVersion": "headgate.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": "flight-delay", "namespace": "ml"},
        "spec": {"model": model} | spec,
    }


@pytest.fixture
def headgate() -> Callable[..., Result]:
    def run(*args: str | Path, stdin: str | None = None) -> Result:
        nobodys = {"MLFLOW_TRACKING_URI": None}  # MLflow sets it for the rest of the process, where a test registers something
        return CliRunner(env=nobodys).invoke(main, [str(arg) for arg in args], input=stdin)

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write documents (objects or YAML text) into one file."""

    def to_file(*documents: dict[str, Any] | str, name: str = "manifest.yaml") -> Path:
        texts = [document if isinstance(document, str) else yaml.safe_dump(document) for document in documents]
        path = tmp_path / name
        path.write_text("---\n".join(texts), encoding="utf-8")
        return path

    return to_file


@pytest.fixture
def build() -> Callable[..., dict[str, Any]]:
    """Build a valid ModelDeployment with these parts of the spec."""
    return manifest


@pytest.fixture
async def cluster(
    tmp_path: Path, headgate: Callable[..., Result], build: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Cluster]:
    monkeypatch.setattr("headgate_operator.cli.commands._ACKNOWLEDGED_WITHIN_SECONDS", 300.0)
    async with ApiServer() as server, ApiClient(server.url) as api:
        await api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}}, field_manager="test")
        await api.apply(crd(), field_manager="test")
        await api.apply(build(), field_manager="test")
        running = Cluster(api, write_kubeconfig(tmp_path / "kubeconfig", server.url, namespace="ml"), headgate)
        await running.set_status(**STATUS)
        yield running
