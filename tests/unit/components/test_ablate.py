"""Ablation: what features are worth, beside models that any model must beat."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headgate_components.evaluation.ablate.logic import Ablation, ablate
from headgate_components.step import StepError
from headgate_components.training.settings import Settings

SETTINGS = Settings(trees=40, max_depth=3, learning_rate=0.2)


@pytest.fixture
def run(trained: Any, tmp_path: Path) -> Callable[..., Ablation]:
    """`run(groups="", seconds=60)` writes `table.json` and `report.html` into the test's folder."""

    def build(groups: str = "", seconds: float = 60, *, settings: Settings = SETTINGS) -> Ablation:
        files = (trained.train_rows, trained.evaluation_rows, trained.features)
        paths = {"table": tmp_path / "table.json", "report": tmp_path / "report.html"}
        return ablate(*files, label="late", settings=settings, groups=groups, seconds=seconds, **paths)

    return build


def test_a_feature_that_matters_is_missed_and_baselines_are_beaten(run: Any, tmp_path: Path) -> None:
    lines = {(line.kind, line.name): line for line in run().lines}
    full, load = lines["full", ""], lines["without", "load"]
    assert full.more_loss == 0
    assert load.more_loss > load.margin > 0
    assert load.roc_auc < full.roc_auc
    assert abs(lines["without", "wind"].more_loss) < 0.01
    assert lines["baseline", "share of label 1"].roc_auc == 0.5
    assert lines["baseline", "best single feature: load"].log_loss < lines["baseline", "share of label 1"].log_loss
    assert lines["baseline", "logistic regression"].roc_auc > 0.75
    content = json.loads((tmp_path / "table.json").read_text())
    assert content["lines"][0]["logLoss"] == full.log_loss
    report = (tmp_path / "report.html").read_text()
    assert "without load" in report
    assert "worse" in report


def test_groups_are_left_out_together_and_also_tried_alone(run: Any) -> None:
    found = run('{"place": ["city"], "weather": ["wind", "load"], "all": ["city", "load", "wind"]}')
    kinds = [(line.kind, line.name, line.features) for line in found.lines if line.kind in ("without", "only")]
    assert kinds == [("without", "place", 2), ("only", "place", 1), ("without", "weather", 1), ("only", "weather", 2), ("only", "all", 3)]
    assert next(line for line in found.lines if line.name == "all").more_loss == 0


def test_what_there_is_no_time_for_is_named(run: Any, tmp_path: Path) -> None:
    found = run(seconds=0)
    assert [line.kind for line in found.lines] == ["full"]
    assert found.left_out[2:] == ("baseline best single feature", "without load", "without city", "without wind")
    assert "No time was left for" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("groups", "sentence"),
    [
        ("{", "the groups are not JSON"),
        ('["load"]', "the groups must be a JSON object from a name to a list"),
        ('{"a": []}', "none of them empty"),
        ('{"a": ["snow"]}', "the groups name snow, which are no features; there are city, load, wind"),
    ],
)
def test_groups_that_are_none_are_refused(run: Any, groups: str, sentence: str) -> None:
    with pytest.raises(StepError, match=sentence):
        run(groups)
