"""Following an alias in a whole cluster, beside a real MLflow server that dies in the middle of a rollout."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from headgate_devcluster.errors import free_port
from headgate_devcluster.process import die_with
from headgate_operator.api.status import Phase
from tests.scene import STEPS, Scene
from tests.waiting import eventually

pytest.importorskip("mlflow", reason="needs the mlflow group of dependencies")

_START_SECONDS = 120
_ENV = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "PYTHONWARNINGS": ""}


class Mlflow:
    """A server process on a port of its own, with its database in a folder; it can die and come back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        store = ["--backend-store-uri", f"sqlite:///{self._folder}/mlflow.db", "--default-artifact-root", str(self._folder / "artifacts")]
        listen = ["--host", "127.0.0.1", "--port", str(self._port), "--workers", "1", "--no-serve-artifacts"]
        with (self._folder / "mlflow.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", "server", *store, *listen],
                stdout=log, stderr=log, env={**os.environ, **_ENV}, start_new_session=True,
                preexec_fn=die_with(os.getpid()),
            )  # fmt: skip

    async def healthy(self) -> None:
        async with aiohttp.ClientSession() as session:

            async def answers() -> bool:
                with suppress(aiohttp.ClientError):
                    async with session.get(f"{self.url}/health") as answer:
                        return answer.status == 200
                return False

            await eventually(answers, _START_SECONDS)

    def kill(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    async def post(self, path: str, **body: str) -> dict[str, Any]:
        return await self._ask("POST", path, json=body)

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        return await self._ask("GET", path, params=query)

    async def _ask(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        async with aiohttp.ClientSession() as session, session.request(method, f"{self.url}/api/2.0/mlflow/{path}", **content) as answer:
            found: dict[str, Any] = await answer.json()
            assert answer.status == 200, found
            return found

    async def register(self, name: str, export: Path) -> str:
        """Register a version with the tags that the component register_model writes; return its number."""
        found = await self.post("model-versions/create", name=name, source="s3://nobody/reads/this")
        version: str = found["model_version"]["version"]
        golden = (export / "headgate" / "golden.json").read_text()
        for key, value in {"headgate.storageUri": export.as_uri(), "headgate.golden": golden}.items():
            await self.post("model-versions/set-tag", name=name, version=version, key=key, value=value)
        return version

    async def champion(self, name: str) -> str:
        return str((await self.get("registered-models/alias", name=name, alias="champion"))["model_version"]["version"])

    async def tags(self, name: str, version: str) -> dict[str, str]:
        found = (await self.get("model-versions/get", name=name, version=version))["model_version"]
        return {tag["key"]: tag["value"] for tag in found["tags"]}


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mlflow]:
    server = Mlflow(tmp_path_factory.mktemp("mlflow"))
    server.start()
    yield server
    server.kill()


async def test_a_moved_alias_is_rolled_out_and_marked_although_the_registry_dies_in_the_middle(
    mlflow_server: Mlflow, scene: Scene, tmp_path: Path, make_export: Any, make_columns: Any
) -> None:
    await mlflow_server.healthy()
    name = "flight-delay"
    await mlflow_server.post("registered-models/create", name=name)
    exports = [make_export(tmp_path / "s", "1"), make_export(tmp_path / "s", "2", seed=1)]
    first, second = [await mlflow_server.register(name, export) for export in exports]
    await mlflow_server.post("registered-models/alias", name=name, alias="candidate", version=first)
    registry = {"name": name, "alias": "candidate", "promotedAlias": "champion", "trackingURI": mlflow_server.url, "pollInterval": "1s"}
    spec: dict[str, Any] = {
        "model": {"registry": registry, "format": {"name": "xgboost", "version": "3"}, "runtime": "headgate-xgboost"},
        "parity": {"mode": "Required"},
        "rollout": {"steps": STEPS, "watch": {"duration": "3s", "holdback": 10}, "scaleDownDelay": "1s"},
    }
    await scene.apply(exports[0], **spec)

    async def settled(version: str) -> None:
        def met(status: Any) -> bool:
            marks = status.registry.marks if status.registry is not None else []
            written = {mark.alias or "tags" for mark in marks if mark.version == version and not mark.failures}
            serves = status.stable is not None and status.stable.version == version and status.phase is Phase.HEALTHY
            return serves and written == {"champion", "tags"}

        await scene.until(met, f"version {version} of the registry serves alone and is marked", seconds=240)
        assert await mlflow_server.champion(name) == version
        assert (await mlflow_server.tags(name, version))["headgate.status"] == "Promoted"

    await settled(first)
    chain = json.loads((await scene.headgate("lineage", name, "-o", "json")).stdout)
    assert (chain["version"], chain["registered"]["aliases"], chain["deployments"]) == (second, [], [])
    chain = json.loads((await scene.headgate("lineage", name, "--alias", "champion", "-o", "json")).stdout)
    assert (chain["registered"]["status"], chain["registered"]["storageUri"]) == ("Promoted", exports[0].as_uri())
    assert [(place["name"], place["role"]) for place in chain["deployments"]] == [(scene.name, "stable")]
    async with scene.load(make_columns(500, seed=5)) as traffic:
        await mlflow_server.post("registered-models/alias", name=name, alias="candidate", version=second)
        status = await scene.until(lambda s: s.candidate and s.candidate.step == 0, "the first step of the version that the alias names")
        assert status.candidate is not None
        assert (status.candidate.version, status.candidate.parity) == (second, "Passed")
        mlflow_server.kill()
        await scene.until(
            lambda s: any(c.type == "RegistryAvailable" and c.status == "False" for c in s.conditions),
            "it is told that the registry is down",
        )
        await scene.until(
            lambda s: s.stable and s.stable.version == second and s.phase is Phase.HEALTHY, "promoted although the registry is down"
        )
        shown = await scene.headgate("status", scene.name)
        assert "not written yet" in shown.output
        mlflow_server.start()
        await mlflow_server.healthy()
        await settled(second)
        await mlflow_server.post("registered-models/alias", name=name, alias="candidate", version=first)
        await settled(first)
    assert traffic.bad() == 0, traffic.answers
    assert {"AliasMoved", "RegistryUnavailable", "RegistryWriteFailed", "KnownGood"} <= await scene.events()
