"""The commands of the documentation, run page by page as a reader would: in one shell, one block after the other.

The quickstart's cluster and its first two versions are made here, from small models and with less patience than the demo has. `make
docs-test` (HEADGATE_DOCS=all) runs the blocks that take minutes, too: then the demo itself makes that cluster.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd
import pytest
import yaml

from headgate_devcluster.demo.manifest import golden_config_map, model_deployment
from headgate_monitor.detectors.alibi import KSDrift
from headgate_pipelines import flights
from tests.docblocks import ALL, OUTPUT, PAGES, ROOT, Block, blocks
from tests.overlays import KUBECTL
from tests.saveddetectors import save

pytestmark = [pytest.mark.slow, pytest.mark.kubectl]

EVERYTHING = os.environ.get("HEADGATE_DOCS") == "all"
RUN = {"run", "run: refused"} | ({"run: minutes"} if EVERYTHING else set())
SECONDS = 1800 if EVERYTHING else 300
QUICKSTART = ROOT / "docs/quickstart.md"
CHECKOUT = ("Makefile", "pyproject.toml", "uv.lock", "manifests", "examples")
"""What readers use of it. Copies: whatever they write is theirs."""


class MakeExport(Protocol):
    def __call__(self, storage: Path, version: str, *, seed: int = ...) -> Path: ...


class Shell:
    """A reader's shell in a folder that looks like a checkout, with the environment of `make setup`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in CHECKOUT:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, folder / name)
            os.utime(folder / name, (0, 0))  # older than the environment: `make setup` must not sync that with a copy
        (folder / ".venv").symlink_to(sys.prefix)
        (folder / "build").mkdir()
        self._environment = os.environ | {
            "PATH": f"{folder}/.venv/bin:{os.environ['PATH']}",
            "KUBECONFIG": f"{folder}/build/demo/cluster/kubeconfig",
            "TMPDIR": str(folder / "build"),
        }

    def run(self, script: str, *, seconds: float = SECONDS) -> str:
        """Run a script to its end; whatever it leaves running in the background ends with it."""
        command = ["bash", "-c", "set -euo pipefail\n" + script]
        process = subprocess.Popen(
            command, cwd=self.folder, env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, start_new_session=True,
        )  # fmt: skip
        try:
            said, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as expired:
            raise AssertionError(f"not over after {seconds:g} s:\n{(expired.stdout or b'').decode()}") from None
        finally:
            with_children_gone(process)
        assert process.returncode == 0, said
        return said


def with_children_gone(process: "subprocess.Popen[str]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    try:
        yield shell
    finally:
        if (tmp_path / "build/demo/cluster").exists():
            shell.run("headgate dev down --folder build/demo/cluster")


def script(page: Path) -> str:
    """What a page tells its reader to type, and the files it tells him to write."""
    return "".join(f"echo '--- {block.place}'\n{_steps(block)}\n" for block in blocks(page) if block.mark in RUN or block.file)


def _steps(block: Block) -> str:
    if block.file:
        return f"cat > {block.file} <<'END OF {block.file}'\n{block.text}END OF {block.file}"
    if block.language == "python":
        return f"python - <<'END OF PYTHON'\n{block.text}END OF PYTHON"
    if block.mark == "run: refused":
        return "\n".join(f"if {line}; then echo 'this should have been refused'; exit 1; fi" for line in block.text.splitlines())
    return block.text


def words(text: str) -> str:
    return " ".join(text.split())


def pages() -> list[Any]:
    told = {block.page for block in ALL if block.mark in RUN}
    return [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES if page in told and page != QUICKSTART]


def stage_detector(folder: Path) -> None:
    """The saved detector that a reader of docs/drift.md has."""
    save(folder / "saved", KSDrift(np.random.default_rng(0).normal(size=(2000, 3)).astype(np.float32)))


def stage_rows(folder: Path) -> None:
    """The files of rows that a reader of docs/pipelines.md has: a customer an hour, and flights to be scored."""
    random = np.random.default_rng(0)
    spend = random.gamma(2, 20, 5000)
    customers = {
        "customer_id": [f"c{number}" for number in range(5000)],
        "seen_at": pd.date_range("2024-01-01", periods=5000, freq="1h").strftime("%Y-%m-%d %H:%M:%S"),
        "plan": random.choice(["free", "basic", "pro"], 5000),
        "region": random.choice(["north", "south"], 5000),
        "logins": random.poisson(3, 5000).astype(float),
        "spend": spend,
        "churned": (random.random(5000) < 1 / (1 + spend / 10)).astype(int),
    }
    pd.DataFrame(customers).to_csv(folder / "customers.csv", index=False)
    flights.load().head(1000).to_parquet(folder / "rows.parquet", index=False)


STAGES: Final[dict[str, Callable[[Path], None]]] = {"drift.md": stage_detector}
if EVERYTHING:
    STAGES["pipelines.md"] = stage_rows


@pytest.mark.parametrize("page", pages())
def test_a_page_can_be_followed(shell: Shell, page: Path) -> None:
    STAGES.get(page.name, lambda _: None)(shell.folder)
    said = words(shell.run(script(page)))
    for before, block in pairwise(blocks(page)):
        assert block.mark != OUTPUT or before.mark not in RUN or words(block.text) in said, (
            f"{block.place} is not what {before.place} prints"
        )


@pytest.mark.skipif(KUBECTL is None, reason="the quickstart uses kubectl, which is not installed")
def test_the_quickstart_can_be_followed(shell: Shell, make_export: MakeExport) -> None:
    if not EVERYTHING:
        stage_demo(shell, make_export)
    said = shell.run(script(QUICKSTART))
    assert "x-headgate-revision" in said
    assert said.count("Healthy") >= 2


def stage_demo(shell: Shell, make_export: MakeExport) -> None:
    """Leave what `make demo ARGS=--keep` leaves and the quickstart looks at: a cluster, two versions promoted, and a third one trained."""
    demo = shell.folder / "build/demo"
    shell.run("headgate dev up --detach --folder build/demo/cluster")
    for version in (1, 2):
        export = make_export(demo / "models", str(version), seed=version)
        manifest = _impatient(model_deployment(version, export.as_uri()))
        golden = golden_config_map(version, export / "headgate/golden.json")
        (demo / f"flight-delay-{version}.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False, default_flow_style=None, width=120))
        (demo / "golden.yaml").write_text(yaml.safe_dump(golden))
        shell.run(f"kubectl apply --server-side -f build/demo/golden.yaml -f build/demo/flight-delay-{version}.yaml")
        if version == 2:
            shell.run("until headgate promote flight-delay --full; do sleep 0.2; done", seconds=120)
        shell.run("headgate status flight-delay --wait")
    mine = make_export(demo / "models", "3", seed=3)
    (shell.folder / "build/mine.json").write_text(json.dumps({"exportPath": str(mine)}))


def _impatient(manifest: dict[str, Any]) -> dict[str, Any]:
    rollout, analysis = manifest["spec"]["rollout"], manifest["spec"]["analysis"]
    rollout["steps"] = [step | {"minDuration": "1s", "minRequests": 5} for step in rollout["steps"]]
    rollout["watch"]["duration"] = rollout["scaleDownDelay"] = analysis["interval"] = "1s"
    analysis["requirePromotionEvidence"] = False
    return manifest
