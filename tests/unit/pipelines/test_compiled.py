"""The compiled pipelines are the ones that were reviewed."""

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from headgate_pipelines.compiled import PIPELINES, write_compiled, write_manifest
from headgate_pipelines.names import PIPELINES as NAMES

MANIFESTS = Path(__file__).parents[3] / "manifests" / "pipelines"
NEVER_CACHED = {
    "training": {"compare-to-champion", "deploy-model", "register-model", "summarize-run"},
    "validation": {"compare-to-champion", "fetch-model", "set-alias", "summarize-run"},
    "batch-score": {"batch-score", "fetch-model", "summarize-run"},
}


@cache
def compiled(name: str) -> dict[str, Any]:
    _, version = yaml.safe_load_all((MANIFESTS / f"{name}.yaml").read_text())
    spec: dict[str, Any] = version["spec"]["pipelineSpec"]
    return spec


def dags(pipeline: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The tasks of the pipeline itself and of each group in it."""
    yield pipeline["root"]["dag"]["tasks"]
    yield from (component["dag"]["tasks"] for component in pipeline["components"].values() if "dag" in component)


def steps(pipeline: dict[str, Any]) -> dict[str, dict[str, Any]]:
    executed = {name for name, component in pipeline["components"].items() if "executorLabel" in component}
    return {name: task for tasks in dags(pipeline) for name, task in tasks.items() if task["componentRef"]["name"] in executed}


def test_the_command_line_offers_the_pipelines_there_are() -> None:
    assert tuple(PIPELINES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_manifest_is_what_the_pipeline_compiles_to_with_the_image_of_this_code(name: str, tmp_path: Path) -> None:
    write_manifest(name, tmp_path / "found.yaml", "kubeflow")
    assert (tmp_path / "found.yaml").read_text() == (MANIFESTS / f"{name}.yaml").read_text(), "if the change is meant, run `make pipelines`"


def test_all_pipelines_are_applied_together() -> None:
    applied = yaml.safe_load((MANIFESTS / "kustomization.yaml").read_text())["resources"]
    assert applied == [f"{name}.yaml" for name in NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_the_kubernetes_objects_hold_the_compiled_pipeline_under_a_name_of_its_content(name: str, tmp_path: Path) -> None:
    write_compiled(name, tmp_path / "plain.yaml")
    write_manifest(name, tmp_path / "objects.yaml", "ml")
    spec, platform = yaml.safe_load_all((tmp_path / "plain.yaml").read_text())
    pipeline, version = yaml.safe_load_all((tmp_path / "objects.yaml").read_text())
    assert (pipeline["kind"], version["kind"]) == ("Pipeline", "PipelineVersion")
    assert {found["metadata"]["namespace"] for found in (pipeline, version)} == {"ml"}
    assert version["spec"]["pipelineName"] == pipeline["metadata"]["name"] == name
    assert (version["spec"]["pipelineSpec"], version["spec"]["platformSpec"]) == (spec, platform)
    assert re.fullmatch(rf"{name}-\d+\.\d+\.\d+-[0-9a-f]{{8}}", version["metadata"]["name"])


def test_compiling_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    code = "import sys, pathlib; from headgate_pipelines import compiled; compiled.write_compiled('training', pathlib.Path(sys.argv[1]))"
    for name in ("a.yaml", "b.yaml"):
        subprocess.run([sys.executable, "-c", code, str(tmp_path / name)], check=True, timeout=300)
    assert (tmp_path / "a.yaml").read_bytes() == (tmp_path / "b.yaml").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_what_looks_at_or_changes_the_world_is_never_cached_and_everything_else_is(name: str) -> None:
    cached = {step: task["cachingOptions"].get("enableCache", False) for step, task in steps(compiled(name)).items()}
    assert {step for step, enabled in cached.items() if not enabled} == NEVER_CACHED[name]


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_has_a_default_and_a_description(name: str) -> None:
    parameters = compiled(name)["root"]["inputDefinitions"]["parameters"]
    assert [key for key, definition in parameters.items() if "defaultValue" not in definition or not definition.get("description")] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_summary_comes_last_whatever_happens(name: str) -> None:
    summary = compiled(name)["root"]["dag"]["tasks"]["summarize-run"]
    assert summary["triggerPolicy"] == {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
    assert len(summary["dependentTasks"]) == 1


def test_no_data_are_read_for_a_version_that_is_not_there() -> None:
    (tasks,) = [tasks for tasks in dags(compiled("validation")) if "ingest" in tasks]
    assert tasks["ingest"]["dependentTasks"] == ["fetch-model"]


@pytest.mark.parametrize(("name", "last"), [("training", "register-model"), ("validation", "set-alias")])
def test_nothing_is_handed_on_before_both_gates(name: str, last: str) -> None:
    pipeline = compiled(name)
    (tasks,) = [tasks for tasks in dags(pipeline) if last in tasks]
    reached, waiting = set(), [last]
    while waiting:
        step = waiting.pop()
        reached.add(step)
        waiting += [before for before in tasks[step].get("dependentTasks", []) if before not in reached]
    assert {"gate", "gate-2", "evaluate", "compare-to-champion"} <= reached


def test_tuning_ablation_and_deploying_are_conditions() -> None:
    conditions = [
        task["triggerPolicy"]["condition"]
        for tasks in dags(compiled("training"))
        for task in tasks.values()
        if "triggerPolicy" in task and "condition" in task["triggerPolicy"]
    ]
    for parameter in ("tune_trials", "ablation", "deploy"):
        assert any(f"pipelinechannel--{parameter}'" in condition for condition in conditions), parameter
