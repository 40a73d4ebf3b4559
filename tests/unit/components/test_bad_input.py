"""Bad input: whichever step sees it first says one sentence that names it, and nothing is written that a later step could go on with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from headgate_components.data_processing.build_features.logic import Parts, build_features
from headgate_components.data_processing.ingest.logic import ingest
from headgate_components.data_processing.split.logic import Period, split
from headgate_components.data_processing.split.roles import Columns
from headgate_components.data_processing.validate_data.logic import validate
from headgate_components.deployment.deploy_model.manifest import Version
from headgate_components.deployment.fit_drift_reference.logic import How, fit
from headgate_components.deployment.make_golden.logic import golden
from headgate_components.evaluation.ablate.logic import ablate
from headgate_components.evaluation.compare_to_champion.judgement import Rule
from headgate_components.evaluation.evaluate.logic import Limits
from headgate_components.evaluation.score_drift.logic import score_drift
from headgate_components.files import read_object
from headgate_components.models import read_features, read_model
from headgate_components.step import StepError
from headgate_components.tables import sample
from headgate_components.training.settings import Settings
from headgate_components.training.train_xgboost.logic import train
from headgate_components.training.tune.logic import tune
from headgate_components.training.tune.search import Budget

ROWS = 600
SMALL = Settings(trees=5)
SCHEMA = "columns: {id: {dtype: str, unique: true}, load: {dtype: float64}, wind: {dtype: float64, nullable: true}}"


class Steps:
    """The steps as plain functions on one table, each with files of its own."""

    def __init__(self, folder: Path, trained: Any, write: Callable[..., Path]) -> None:
        self._folder = folder
        self._trained = trained
        self._write = write

    def run(self, step: str, table: pa.Table) -> None:
        """Run one step; validate fails as the gate behind it does."""
        path = self._write(table, "input.parquet")
        getattr(self, step)(path)

    def ingest(self, path: Path) -> None:
        ingest(str(path), self._folder / "ingested")

    def validate(self, path: Path) -> None:
        if problems := validate(path, SCHEMA, self._folder / "report.html").problems:
            raise StepError("; ".join(problems))

    def split(self, path: Path) -> None:
        self._split(path, Period("2024-01-01", "2024-01-15"))

    def split_backwards(self, path: Path) -> None:
        self._split(path, Period("2024-01-15", "2024-01-01"))

    def split_offset(self, path: Path) -> None:
        self._split(path, Period("2024-01-01T00:00:00Z", "2024-01-15"))

    def _split(self, path: Path, period: Period) -> None:
        parts = {"train_path": self._folder / "train", "evaluation_path": self._folder / "evaluation"}
        split(path, Columns("at", "late", "id"), ["city", "load", "wind"], period, Period("2024-01-15", "2024-01-22"), **parts)

    def build_features(self, path: Path) -> None:
        target = Parts(self._folder / "train", self._folder / "evaluation")
        kinds: dict[str, Any] = {"categories": ["city"], "numbers": ["load", "wind"]}
        build_features(Parts(path, path), target, self._folder / "features", **kinds, unknown="other", max_categories=0)

    def train(self, path: Path) -> None:
        train(path, self._trained.features, self._folder / "model", label="late", settings=SMALL)

    def tune(self, path: Path) -> None:
        files = {"study_path": self._folder / "study", "report": self._folder / "tuning.html"}
        tune(path, self._trained.features, label="late", base=SMALL, budget=Budget(1, 10), folds=3, time="at", **files)

    def ablate(self, path: Path) -> None:
        files = {"table": self._folder / "table", "report": self._folder / "ablation.html"}
        ablate(self._trained.train_rows, path, self._trained.features, label="late", settings=SMALL, groups="", seconds=0, **files)

    def drift(self, path: Path) -> None:
        fit(path, self._trained.features, self._folder / "drift", How(time="at", window_rows=100, excluded=[], seed=0))

    def golden(self, path: Path) -> None:
        golden(path, self._trained.features, self._trained.model, self._folder / "golden", count=20)


def column(name: str, values: Any) -> Callable[[pa.Table], pa.Table]:
    return lambda table: table.set_column(table.column_names.index(name), name, values)


def without(name: str) -> Callable[[pa.Table], pa.Table]:
    return lambda table: table.drop_columns([name])


def empty(table: pa.Table) -> pa.Table:
    return table.slice(0, 0)


def reversed_rows(table: pa.Table) -> pa.Table:
    return table.take(list(range(table.num_rows - 1, -1, -1)))


ONES = pa.array([1.0] * ROWS)
LATE_ONES = pa.array([0.0] * 300 + [1.0] * 300)

CASES = [
    # wrong schema
    ("validate", without("load"), "the column 'load' is missing"),
    ("validate", column("load", pa.array(["x"] * ROWS)), r"the column 'load' is text, such as x; the schema says float64"),
    ("split", without("at"), "the table has no column 'at'; it has id, city"),
    ("split", column("at", pa.array(["2024-01-02"] * ROWS)), "the time 'at' holds string; it must hold timestamps"),
    ("split", column("id", pa.array([[1]] * ROWS)), "the id 'id' holds list<.*>; it must hold texts or whole numbers"),
    (
        "split",
        column("late", pa.array(["yes", "no"] * 300)),
        r"the label 'late' takes the values \['no', 'yes'\] in training; it must be 0 and 1",
    ),
    ("build_features", without("wind"), "the table has no column 'wind'"),
    ("build_features", column("wind", pa.array(["x"] * ROWS)), "the feature 'wind' is a number, but its column holds string"),
    ("build_features", column("wind", pa.array([True] * ROWS)), "the feature 'wind' is a number, but its column holds bool"),
    ("build_features", column("city", pa.array(range(ROWS))), "the feature 'city' is a category, but its column holds int64"),
    ("train", without("load"), "the table has no column 'load'"),
    ("train", column("late", pa.array(["yes"] * ROWS)), "the label 'late' holds 'yes' in the training rows; allowed are 0 and 1"),
    ("train", column("late", pa.array([2.0, 1.0] * 300)), "the label 'late' holds 2.0 in the training rows; allowed are 0 and 1"),
    ("train", column("load", pa.array([float("inf")] * ROWS)), "feature 'load' is infinite"),
    ("drift", column("at", pa.array(["May"] * ROWS)), "the column 'at' holds string; it must hold times or numbers"),
    ("golden", without("load"), "the table has no column 'load'"),
    # empty data
    ("ingest", empty, r"the data file '.*input\.parquet' has no rows"),
    ("validate", empty, "the table has no rows"),
    ("split", empty, "the table has no rows"),
    ("build_features", empty, "there are no training rows to learn the features from"),
    ("train", empty, "0 training rows are too few; at least 100 are needed"),
    ("tune", empty, "0 training rows are too few"),
    ("ablate", empty, "0 evaluation rows are too few"),
    ("drift", empty, "timestamps and columns must have one common length above 0"),
    ("golden", empty, "there are no rows to choose a golden set from"),
    # one class only, or a constant that is none
    ("split", column("late", ONES), r"the label 'late' takes the values \[1\.0\] in training; it must be 0 and 1, and both must occur"),
    ("split", column("late", pa.array([7.5] * ROWS)), r"the label 'late' takes the values \[7\.5\] in training"),
    ("split", column("late", pa.nulls(ROWS, pa.float64())), "the label 'late' has no value in training"),
    ("train", column("late", ONES), "the label 'late' is 1 in all 600 training rows; rows of both classes are needed"),
    ("tune", column("late", LATE_ONES), "fold 1 has rows with label 0 only; use fewer folds or a longer training period"),
    ("ablate", column("late", ONES), "the label 'late' is 1 in all 600 evaluation rows"),
    # a column without a single value
    ("validate", column("load", pa.nulls(ROWS, pa.float64())), "600 rows fail the check not_nullable of 'load'"),
    (
        "build_features",
        column("wind", pa.nulls(ROWS, pa.float64())),
        "the feature 'wind' has no value in any of the 600 training rows; leave it out",
    ),
    ("build_features", column("load", pa.array([float("nan")] * ROWS)), "the feature 'load' has no value in any of the 600 training rows"),
    ("build_features", column("city", pa.nulls(ROWS)), "the feature 'city' has no value in any of the 600 training rows"),
    # ids that occur twice
    ("validate", column("id", pa.array(["a"] * ROWS)), "of 'id', such as a"),
    ("split", column("id", pa.array(["a", "b"] * 300)), "2 values of 'id' occur more than once in training and evaluation, such as a"),
    # time going backwards
    ("split_backwards", lambda table: table, "training goes back in time: it starts at 2024-01-15 and ends at 2024-01-01"),
    ("split_offset", lambda table: table, "'2024-01-01T00:00:00Z' names an offset; give it in the clock of the table"),
    ("split", column("at", pa.nulls(ROWS, pa.timestamp("ms"))), "600 rows have no time in 'at'"),
    ("tune", reversed_rows, "the training rows go back in time: 'at' is .* in row 1, after .*; sort them by it"),
    ("drift", column("at", pa.nulls(ROWS, pa.timestamp("ms"))), "600 rows have no value in 'at', by which rows are ordered"),
    # categories that are none
    (
        "build_features",
        column("city", pa.array(map(str, range(ROWS)))),
        "the feature 'city' has 600 categories in 600 training rows; leave it out",
    ),
    (
        "build_features",
        column("city", pa.array(["x" * 9_999] + ["a"] * 599)),
        "the feature 'city' has a category of 9,999 characters; at most 1,000",
    ),
]


@pytest.mark.parametrize(("step", "spoil", "sentence"), CASES, ids=[f"{step}-{number}" for number, (step, *_) in enumerate(CASES)])
def test_a_step_says_what_is_wrong_and_leaves_nothing_to_go_on_with(
    step: str, spoil: Callable[[pa.Table], pa.Table], sentence: str, make_table: Any, write_table: Any, trained: Any, tmp_path: Path
) -> None:
    with pytest.raises(StepError, match=sentence) as raised:
        Steps(tmp_path, trained, write_table).run(step, spoil(make_table(ROWS)))
    assert "\n" not in str(raised.value)
    left = {path.name for path in tmp_path.iterdir()} - {"input.parquet"}
    assert left == ({"report.html"} if step == "validate" else set())


@pytest.mark.parametrize("step", ["ingest", "validate", "split", "build_features", "train", "tune", "ablate", "drift", "golden"])
def test_an_unreadable_parquet_file_is_named_by_every_step(
    step: str, write_table: Any, make_table: Any, trained: Any, tmp_path: Path
) -> None:
    path = write_table(make_table(ROWS), "input.parquet")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(StepError, match=r"input\.parquet' (is corrupt|cannot be read): "):
        getattr(Steps(tmp_path, trained, write_table), step)(path)
    assert [found.name for found in tmp_path.iterdir()] == ["input.parquet"]


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_one_of_the_libraries_does_not_take_is_refused_by_every_step_that_takes_one(seed: int, tmp_path: Path) -> None:
    takers: list[Callable[[], Any]] = [
        lambda: Settings(seed=seed),
        lambda: Rule(seed=seed),
        lambda: How(time="at", seed=seed),
        lambda: sample(tmp_path / "rows", ["load"], rows=10, seed=seed),
    ]
    for take in takers:
        with pytest.raises(StepError, match=f"the seed {seed} is not possible; allowed are 0 to 4,294,967,295"):
            take()


@pytest.mark.parametrize("limit", [float("nan"), -0.1])
def test_a_limit_that_is_none_lets_no_model_pass(limit: float, tmp_path: Path) -> None:
    judges: dict[str, Callable[[], Any]] = {
        "margin": lambda: Rule(margin=limit),
        "maximum_latency_ratio": lambda: Rule(latency_ratio=limit),
        "minimum_roc_auc": lambda: Limits(roc_auc=limit),
        "minimum_pr_auc": lambda: Limits(pr_auc=limit),
        "minimum_slice_roc_auc": lambda: Limits(slice_roc_auc=limit),
        "maximum_latency_ms": lambda: Limits(latency_ms=limit),
        "maximum_share": lambda: score_drift(tmp_path, tmp_path, tmp_path, maximum_share=limit),
    }
    for name, judge in judges.items():
        with pytest.raises(StepError, match=f"{name} is {limit}; allowed are 0"):
            judge()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "cannot be read as JSON: Expecting value"),
        (b"PAR1\xff\xfe", "cannot be read as JSON: "),
        (b'{"rocAuc": NaN}', "cannot be read as JSON: NaN is no number"),
        (b"[1]", "must hold a JSON object"),
    ],
)
def test_an_artifact_of_another_step_in_the_wrong_place_is_told(content: bytes, sentence: str, tmp_path: Path) -> None:
    path, golden = tmp_path / "artifact", tmp_path / "golden"
    path.write_bytes(content)
    golden.write_text("{}")
    readers: dict[str, Callable[[Path], Any]] = {
        "metrics": lambda path: read_object(path, "metrics"),
        "feature artifact": read_features,
        "registration": lambda path: Version.read(path, golden),
    }
    for what, read in readers.items():
        with pytest.raises(StepError, match=f"the {what} '{path}' {sentence}"):
            read(path)
    with pytest.raises(StepError, match="cannot read the model"):
        read_model(path)
