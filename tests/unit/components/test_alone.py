"""The evaluation components outside of our pipelines: in somebody's own, on Kubeflow's local runner, each a process."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kfp import dsl, local

from headgate_components.evaluation.compare_to_champion.component import compare_to_champion
from headgate_components.evaluation.evaluate.component import evaluate
from headgate_components.evaluation.explain.component import explain
from headgate_components.evaluation.fairness.component import fairness

pytestmark = pytest.mark.slow


@dsl.pipeline(name="judging")  # type: ignore[untyped-decorator]
def judging(evaluation: str, features: str, model: str, tracking_uri: str) -> None:
    """Everything that is said about a model, from files that are there already."""
    judged = {
        "evaluation": dsl.importer(artifact_uri=evaluation, artifact_class=dsl.Dataset, reimport=False).output,
        "features": dsl.importer(artifact_uri=features, artifact_class=dsl.Artifact, reimport=False).output,
        "model": dsl.importer(artifact_uri=model, artifact_class=dsl.Model, reimport=False).output,
    }
    evaluate(**judged, label="late", slices=["city"], target="recall >= 0.99 at precision >= 0.99")
    fairness(**judged, label="late", groups=["city"], maximum_difference=0.01, minimum_rows=50)
    explain(**judged, rows=100)
    compare_to_champion(**judged, label="late", model_name="late", tracking_uri=tracking_uri)


@pytest.fixture(scope="module")
def outputs(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Any]:
    """`outputs(step, name)`: the value a step returned, or the path of the artifact it wrote."""
    folder = tmp_path_factory.mktemp("local")
    local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(folder))
    judging(
        evaluation=str(trained.evaluation_rows),
        features=str(trained.features),
        model=str(trained.model),
        tracking_uri=f"sqlite:///{folder}/none.db",
    )

    def find(step: str, name: str) -> Any:
        (written,) = folder.glob(f"judging-*/{step}/executor_output.json")
        content = json.loads(written.read_text())
        if name in content.get("parameterValues", {}):
            return content["parameterValues"][name]
        return Path(content["artifacts"][name]["artifacts"][0]["uri"])

    return find


def test_evaluate_returns_what_is_wrong_and_leaves_metrics_curves_and_report(outputs: Callable[[str, str], Any]) -> None:
    assert outputs("evaluate", "Output").startswith("recall is ")
    assert json.loads(outputs("evaluate", "metrics").read_text())["rocAuc"] > 0.7
    assert "Failed" in outputs("evaluate", "report").read_text()
    assert outputs("evaluate", "curves").exists()


def test_fairness_returns_what_is_wrong_and_leaves_metrics_and_report(outputs: Callable[[str, str], Any]) -> None:
    assert "where 'city' is Rome" in outputs("fairness", "Output")
    assert json.loads(outputs("fairness", "metrics").read_text())["selectionRateDifference"] > 0.01
    assert "Groups of city" in outputs("fairness", "report").read_text()


def test_explain_leaves_importance_and_report(outputs: Callable[[str, str], Any]) -> None:
    assert json.loads(outputs("explain", "importance").read_text())["features"][0]["name"] == "load"
    assert "Feature importance" in outputs("explain", "report").read_text()


def test_compare_to_champion_returns_verdict_and_reason_and_leaves_a_report(outputs: Callable[[str, str], Any]) -> None:
    assert outputs("compare-to-champion", "verdict") == "promote"
    assert outputs("compare-to-champion", "reason") == "'late' has no version with the alias 'champion' yet"
    assert json.loads(outputs("compare-to-champion", "comparison").read_text()) == {}
    assert "Passed" in outputs("compare-to-champion", "report").read_text()
