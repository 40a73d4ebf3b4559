"""The comparison with the champion: who is promoted, who is kept, and that each reason is a sentence in a report."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from mlflow import MlflowClient

from headgate_components import models, tables
from headgate_components.data_processing.build_features.logic import Parts, build_features
from headgate_components.evaluation.compare_to_champion.bootstrap import Metric
from headgate_components.evaluation.compare_to_champion.judgement import KEEP, PROMOTE, Measured, Rule, judge, metric_named
from headgate_components.evaluation.compare_to_champion.logic import Comparison, Registered, compare
from headgate_components.registered import STORAGE_TAG
from headgate_components.step import StepError
from headgate_components.training.settings import Settings
from headgate_components.training.train_xgboost.logic import train
from headgate_serving.model import write_export

# MLflow's own use of its own libraries.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")

RULE = Rule(resamples=200)


@dataclass(frozen=True)
class World:
    """A registry whose champion is a weak model of one feature, beside the well-trained one of the other tests."""

    trained: Any
    weak: Any
    client: MlflowClient
    registered: Registered
    folder: Path

    def run(self, challenger: Any, rule: Rule = RULE, *, rows: Path | None = None, registered: Registered | None = None) -> Comparison:
        return compare(
            rows or self.trained.evaluation_rows,
            challenger.features,
            challenger.model,
            label="late",
            registered=registered or self.registered,
            rule=rule,
            metrics_path=self.folder / "metrics",
            report=self.folder / "report.html",
        )

    @property
    def report(self) -> str:
        return (self.folder / "report.html").read_text()

    def name_champion(self, model_name: str, uri: str) -> Registered:
        """Registers a version with that storage URI and lets the alias name it."""
        self.client.create_registered_model(model_name)
        version = self.client.create_model_version(model_name, source="unused", tags={STORAGE_TAG: uri} if uri else {})
        self.client.set_registered_model_alias(model_name, "champion", version.version)
        return replace(self.registered, model_name=model_name)


def export(trained: Any, storage: Path) -> Path:
    features = models.read_features(trained.features)
    golden: dict[str, Any] = {}
    content = trained.model.read_bytes()
    return write_export(storage, model_name="late", version="1", booster=content, features=features, metadata={}, golden=golden)


@pytest.fixture(scope="session")
def weak(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("weak")
    parts = Parts(trained.train_rows, trained.evaluation_rows)
    kept = Parts(folder / "train", folder / "evaluation")
    build_features(parts, kept, folder / "features", categories=[], numbers=["wind", "load"], unknown="other", max_categories=0)
    train(kept.train, folder / "features", folder / "model", label="late", settings=Settings(trees=1, max_depth=1))
    return replace(trained, features=folder / "features", model=folder / "model")


@pytest.fixture(scope="session")
def world(trained: Any, weak: Any, tracking_uri: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    Path(tracking_uri.removeprefix("sqlite:///")).parent.mkdir(exist_ok=True)
    folder = tmp_path_factory.mktemp("compared")
    made = World(trained, weak, MlflowClient(tracking_uri), Registered("late", tracking_uri, "champion"), folder)
    made.name_champion("late", export(weak, folder / "storage").as_uri())
    return made


def test_a_better_challenger_is_promoted_with_the_numbers_though_the_champion_reads_other_features(world: World) -> None:
    found = world.run(world.trained)
    assert found.judgement.verdict == PROMOTE
    assert found.judgement.reason.startswith("roc_auc is 0.87")
    assert "where version 1 has 0." in found.judgement.reason
    assert found.metrics == json.loads((world.folder / "metrics").read_text())
    assert found.metrics["improvementLowerBound"] > 0
    assert 0.1 < found.shift == found.metrics["predictionShift"] < 1
    assert "Passed" in world.report
    assert world.report.count("<svg") == 1


@pytest.mark.parametrize("metric", Metric)
def test_the_champion_itself_gains_nothing_and_passes_only_with_a_margin(world: World, metric: Metric) -> None:
    kept = world.run(world.weak, replace(RULE, metric=metric)).judgement
    assert kept.verdict == KEEP
    assert world.run(world.weak).shift == 0
    assert kept.reason.endswith("an improvement of +0.0000, of at least +0.0000 with 95% confidence; more than 0 is needed")
    assert "Failed" in world.report
    assert world.run(world.weak, replace(RULE, metric=metric, margin=0.001)).judgement.verdict == PROMOTE


def test_a_challenger_that_takes_too_long_is_not_promoted() -> None:
    measured = Measured(rows=1000, champion=0.7, challenger=0.8, lower_bound=0.05, shift=0.1, champion_ms=0.1, challenger_ms=0.25)
    rule = Rule(latency_ratio=2)
    assert judge(measured, Rule(), "3").verdict == PROMOTE
    slow = judge(measured, rule, "3")
    assert slow.verdict == KEEP
    assert slow.reason.startswith("a single row takes 2.50 times as long as with version 3, at most 2 times are allowed; roc_auc is 0.8000")
    assert judge(replace(measured, challenger_ms=0.2), rule, "3").verdict == PROMOTE


def test_a_bound_at_minus_the_margin_exactly_is_not_enough() -> None:
    measured = Measured(rows=1000, champion=0.7, challenger=0.7, lower_bound=-0.01, shift=0.1, champion_ms=1, challenger_ms=1)
    assert judge(measured, Rule(margin=0.01), "3").reason.endswith("more than -0.01 is needed")
    assert judge(measured, Rule(margin=0.0101), "3").verdict == PROMOTE


@pytest.mark.parametrize(("model_name", "alias"), [("late", "nobody"), ("unheard-of", "champion")])
def test_without_a_champion_the_challenger_is_promoted(world: World, model_name: str, alias: str) -> None:
    found = world.run(world.trained, registered=replace(world.registered, model_name=model_name, alias=alias))
    assert found.judgement.verdict == PROMOTE
    assert found.judgement.reason == f"'{model_name}' has no version with the alias '{alias}' yet"
    assert found.metrics == {}
    assert found.shift == 0
    assert f"&#x27;{alias}&#x27; yet" in world.report


def test_a_registry_that_is_not_there_yet_has_no_champion_and_is_not_made(world: World, tmp_path: Path) -> None:
    found = world.run(world.trained, registered=replace(world.registered, tracking_uri=f"sqlite:///{tmp_path}/new.db"))
    assert found.judgement.verdict == PROMOTE
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "uri", "sentence"),
    [
        ("gone", "file:///nowhere/late/1", "the model folder /nowhere/late/1 lacks a readable metadata.json"),
        ("far", "s3://bucket/late/1", "the model 's3://bucket/late/1' has an unknown scheme"),
        ("untagged", "", "version 1 of 'untagged' has no tag headgate.storageUri"),
    ],
)
def test_a_champion_that_cannot_be_read_is_kept_with_the_reason(world: World, name: str, uri: str, sentence: str) -> None:
    found = world.run(world.trained, registered=world.name_champion(name, uri)).judgement
    assert found.verdict == KEEP
    assert found.reason.startswith(f"the champion cannot be read: {sentence}")
    assert "the champion cannot be read" in world.report


def test_a_registry_that_cannot_be_asked_keeps_its_champion(world: World, tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_text("nonsense" * 100)
    found = world.run(world.trained, registered=replace(world.registered, tracking_uri=f"sqlite:///{tmp_path}/broken.db")).judgement
    assert found.verdict == KEEP
    assert "cannot be read: the model registry at 'sqlite:///" in found.reason
    assert "file is not a database" in found.reason


def test_rows_that_cannot_be_compared_keep_the_champion(world: World, make_table: Callable[..., pa.Table], tmp_path: Path) -> None:
    def reason(table: pa.Table) -> str:
        tables.write(table, tmp_path / "rows")
        found = world.run(world.trained, rows=tmp_path / "rows").judgement
        assert found.verdict == KEEP
        return found.reason.removeprefix("nothing can be compared: ")

    whole = make_table(200)
    place = whole.column_names.index("late")
    assert reason(whole.slice(0, 5)) == "5 evaluation rows are too few; at least 100 are needed"
    rare = whole.set_column(place, "late", pa.array([1.0] * 3 + [0.0] * 197))
    assert reason(rare) == "one of the classes has only 3 evaluation rows; at least 10 are needed"
    words = whole.set_column(whole.column_names.index("wind"), "wind", pa.array(["calm"] * 200))
    with pytest.raises(StepError, match="feature 'wind' must hold numbers or null, found 'calm'"):  # the challenger's own fault
        reason(words)


def test_a_champion_that_cannot_answer_the_rows_is_kept(world: World, tmp_path: Path) -> None:
    tables.write(tables.read(world.trained.evaluation_rows).drop_columns(["city"]), tmp_path / "rows")
    registered = world.name_champion("wide", export(world.trained, tmp_path / "storage").as_uri())
    found = world.run(world.weak, rows=tmp_path / "rows", registered=registered).judgement
    assert found.verdict == KEEP
    assert found.reason.startswith("nothing can be compared: version 1 cannot answer the evaluation rows: the table has no column 'city'")


@pytest.mark.parametrize(
    ("field", "wrong", "sentence"),
    [
        ("margin", -0.1, "margin is -0.1; allowed are 0"),
        ("confidence", 95.0, "confidence is 95.0; allowed are shares above 0.5 and below 1, such as 0.95"),
        ("resamples", 10, "resamples is 10; allowed are 100 to 100,000"),
        ("latency_ratio", -1.0, "maximum_latency_ratio is -1.0"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(field: str, wrong: float, sentence: str) -> None:
    with pytest.raises(StepError, match=sentence):
        replace(RULE, **{field: wrong})  # type: ignore[arg-type]


def test_an_unknown_metric_is_refused_with_the_known_ones() -> None:
    with pytest.raises(StepError, match="the metric is 'accuracy'; allowed are roc_auc, pr_auc, log_loss, brier"):
        metric_named("accuracy")
