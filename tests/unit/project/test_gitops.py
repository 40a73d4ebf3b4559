"""The example of a GitOps repository: it builds, its checks really run, and a pipeline can write into it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from headgate_components.deployment.deploy_model import logic
from headgate_components.deployment.deploy_model.manifest import Target, Version
from headgate_operator.cli.main import main
from tests.overlays import KUBECTL, NEEDS_KUBECTL, kustomized

EXAMPLE = Path(__file__).parents[3] / "examples" / "gitops"
WORKFLOW = EXAMPLE / ".github" / "workflows" / "models.yaml"
OVERLAYS = sorted(str(path.relative_to(EXAMPLE)) for path in EXAMPLE.glob("apps/*/overlays/*"))
needs_kubectl = pytest.mark.skipif(KUBECTL is None, reason=NEEDS_KUBECTL)


def steps() -> list[dict[str, Any]]:
    workflow = yaml.safe_load(WORKFLOW.read_text())
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def read(path: str) -> list[Any]:
    return list(yaml.safe_load_all((EXAMPLE / path).read_text()))


def built(folder: Path, kind: str) -> Any:
    (found,) = [obj for obj in kustomized(folder) if obj["kind"] == kind]
    return found


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The example as a git working tree."""
    shutil.copytree(EXAMPLE, tmp_path / "models")
    for command in (["init", "-qb", "main"], ["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(tmp_path / "models"), *command], check=True, timeout=300)
    return tmp_path / "models"


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_overlay_builds_into_valid_manifests_and_nothing_that_the_operator_makes(overlay: str, tmp_path: Path) -> None:
    objects = kustomized(EXAMPLE / overlay)
    assert {obj["kind"] for obj in objects} <= {"ModelDeployment", "ConfigMap"}
    assert {obj["metadata"]["namespace"] for obj in objects} == {f"ml-{Path(overlay).name}"}
    (tmp_path / "built.yaml").write_text(yaml.safe_dump_all(objects))
    linted = CliRunner().invoke(main, ["lint", "-q", str(tmp_path / "built.yaml")])
    assert linted.exit_code == 0, linted.output
    (deployment,) = [obj for obj in objects if obj["kind"] == "ModelDeployment"]
    golden = deployment["spec"]["parity"].get("golden", {}).get("configMap")
    assert [obj["metadata"]["name"] for obj in objects if obj["kind"] == "ConfigMap"] == ([golden] if golden else [])


def test_flux_and_argo_cd_both_know_every_overlay() -> None:
    flux = [path["spec"]["path"] for file in EXAMPLE.glob("flux/*.yaml") for path in read(str(file)) if path["kind"] == "Kustomization"]
    assert sorted(flux) == [f"./{overlay}" for overlay in OVERLAYS]
    (argo,) = read("argocd/applicationset.yaml")
    (generator,) = argo["spec"]["generators"]
    found = [path for directory in generator["git"]["directories"] for path in EXAMPLE.glob(directory["path"])]
    assert sorted(str(path.relative_to(EXAMPLE)) for path in found) == OVERLAYS
    assert "ignoreDifferences" not in argo["spec"]["template"]["spec"]


def test_the_workflow_is_one_by_the_published_schema_with_pinned_actions_and_few_rights() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(WORKFLOW)]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert checked.returncode == 0, checked.stdout
    uses = [step["uses"] for step in steps() if "uses" in step]
    assert uses
    assert all(re.fullmatch(r"[\w/-]+@v\d+\.\d+\.\d+", use) for use in uses), uses
    assert yaml.safe_load(WORKFLOW.read_text())["permissions"] == {"contents": "read"}


def checked(folder: Path) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run the commands of the workflow as its runner does, but for the installation of what is installed here."""
    commands = [step["run"] for step in steps() if "run" in step and step.get("id") != "install"]
    summary = folder / "summary.md"
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "GITHUB_STEP_SUMMARY": str(summary)}
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(commands)],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=3000, check=False,
    )  # fmt: skip
    return done, summary.read_text() if summary.exists() else ""


@needs_kubectl
def test_the_commands_of_the_workflow_check_and_rehearse_every_overlay(tree: Path) -> None:
    for overlay in OVERLAYS:
        if overlay != "apps/flight-delay/overlays/staging":  # one rehearsal shows as much as four
            shutil.rmtree(tree / overlay)
    done, summary = checked(tree)
    assert done.returncode == 0, done.stderr
    assert "ModelDeployment ml-staging/flight-delay is valid" in done.stdout
    assert "## flight-delay-staging" in summary
    assert "false rollback: at most" in summary


@needs_kubectl
def test_a_pull_request_with_a_bad_manifest_fails_with_the_reason(tree: Path) -> None:
    bad = tree / "apps/flight-delay/overlays/prod/prod.yaml"
    bad.write_text(bad.read_text().replace("weight: 25", "weight: 75"))
    done, summary = checked(tree)
    assert (done.returncode, summary) == (1, "")
    assert "must rise from step to step" in done.stderr


@needs_kubectl
def test_the_pipeline_writes_a_version_into_staging_and_a_copy_brings_it_to_prod(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "pipeline")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "pipeline@example.com")
    app = tree / "apps/flight-delay/overlays"
    prod = kustomized(app / "prod")
    version = Version("flight-delay", "9", "s3://models/flight-delay/9", '{"format": 1}')
    file = "apps/flight-delay/overlays/staging/model.yaml"
    done = logic.commit(version, Target("flight-delay", "ml-staging"), repository=str(tree), file=file, base="", remote="")
    assert "committed" in done.sentence
    staging = built(app / "staging", "ModelDeployment")["spec"]
    assert (staging["model"]["uri"], staging["parity"]["golden"]["configMap"]) == (version.uri, "flight-delay-9-golden")
    assert staging["rollout"]["steps"] == [{"weight": 50, "minDuration": "5m", "minRequests": 50}], "what people tuned stays"
    assert built(app / "staging", "ConfigMap")["metadata"]["name"] == "flight-delay-9-golden"
    assert kustomized(app / "prod") == prod
    shutil.copy(tree / file, app / "prod/model.yaml")
    promoted = built(app / "prod", "ModelDeployment")
    assert (promoted["metadata"]["namespace"], promoted["spec"]["model"]["uri"]) == ("ml-prod", version.uri)
    assert len(promoted["spec"]["rollout"]["steps"]) == 3
