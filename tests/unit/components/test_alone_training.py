"""The training components outside of our pipelines: in somebody's own, on Kubeflow's local runner, each a process."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kfp import dsl, local

from headgate_components.deployment.model_card.component import model_card
from headgate_components.evaluation.ablate.component import ablate
from headgate_components.training.train_xgboost.component import train_xgboost
from headgate_components.training.tune.component import tune

pytestmark = pytest.mark.slow


@dsl.pipeline(name="making")  # type: ignore[untyped-decorator]
def making(train: str, evaluation: str, features: str, registration: str, metrics: str) -> None:
    """Tune, train with what was found, ablate, and a card of a version that was registered before."""
    rows, judged, built, registered, measured = (
        dsl.importer(artifact_uri=uri, artifact_class=kind, reimport=False).output
        for uri, kind in (
            (train, dsl.Dataset),
            (evaluation, dsl.Dataset),
            (features, dsl.Artifact),
            (registration, dsl.Artifact),
            (metrics, dsl.Metrics),
        )
    )
    found = tune(train=rows, features=built, label="late", time="at", trials=2, trees=20, folds=2, class_weight="balanced")
    trained = train_xgboost(train=rows, features=built, label="late", settings=found.outputs["Output"], class_weight="balanced")
    model = trained.outputs["model"]
    ablate(train=rows, evaluation=judged, features=built, model=model, label="late", groups='{"place": ["city"]}')
    model_card(registration=registered, metrics=measured, fairness=measured, owner="rail")


@pytest.fixture(scope="module")
def outputs(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Any]:
    """`outputs(step, name)`: the value a step returned, or the path of the artifact it wrote."""
    folder = tmp_path_factory.mktemp("local")
    (folder / "registration").write_text(json.dumps({"modelName": "late", "version": "1"}))
    (folder / "metrics").write_text(json.dumps({"rocAuc": 0.8}))
    local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(folder))
    making(
        train=str(trained.train_rows),
        evaluation=str(trained.evaluation_rows),
        features=str(trained.features),
        registration=str(folder / "registration"),
        metrics=str(folder / "metrics"),
    )

    def find(step: str, name: str) -> Any:
        (written,) = folder.glob(f"making-*/{step}/executor_output.json")
        content = json.loads(written.read_text())
        if name in content.get("parameterValues", {}):
            return content["parameterValues"][name]
        return Path(content["artifacts"][name]["artifacts"][0]["uri"])

    return find


def test_what_tune_returns_is_what_training_takes(outputs: Callable[[str, str], Any]) -> None:
    study = json.loads(outputs("tune", "study").read_text())
    assert json.loads(outputs("tune", "Output")) == study["best"]["settings"]
    assert "2 trials" in outputs("tune", "report").read_text()
    metrics = json.loads(outputs("train-xgboost", "metrics").read_text())
    assert metrics["trees"] == outputs("train-xgboost", "Output") <= 20
    assert metrics["positiveWeight"] > 1
    assert outputs("train-xgboost", "model").exists()


def test_ablate_leaves_a_table_and_a_report(outputs: Callable[[str, str], Any]) -> None:
    table = json.loads(outputs("ablate", "table").read_text())
    lines = table["lines"]
    assert [(line["kind"], line["name"]) for line in lines][-2:] == [("without", "place"), ("only", "place")]
    assert "without place" in outputs("ablate", "report").read_text()
    assert table["trees"] == outputs("train-xgboost", "Output"), "the whole model is the one that was trained"


def test_model_card_needs_only_what_was_run(outputs: Callable[[str, str], Any]) -> None:
    card = outputs("model-card", "card").read_text()
    assert "| owner | rail |" in card
    assert card.count("Not measured.") == 2
    assert "Model card: late version 1" in outputs("model-card", "page").read_text()
