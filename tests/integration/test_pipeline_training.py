"""The whole training pipeline, each step a real process, on every tenth flight of January to March."""

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

import headgate_pipelines.flights as flights_package
from headgate_monitor.detectors import read_reference
from headgate_pipelines import flights
from headgate_serving.model import ExportedModel, columns_from_v2

pytestmark = pytest.mark.slow

PACKAGE = Path(flights_package.__file__).parent
COMMAND = (sys.executable, "-c", "from headgate_pipelines.command import pipeline; pipeline(prog_name='headgate pipeline')")
STEPS = 18
NEVER_CACHED = 5
TIMEOUT_SECONDS = 600
EVERYTHING = ("--tune-trials", "1", "--set", "tune_seconds=5", "--set", "deploy=git", "--set", "deploy_repository=gitops")
EVERYTHING += ("--set", "deploy_file=flight-delay.yaml", "--set", "fairness_groups=[carrier]", "--set", "slices=[origin]")


@dataclass(frozen=True)
class World:
    """A folder with data, and a first run that succeeded."""

    folder: Path
    data: Path
    recipe: Path
    first: subprocess.CompletedProcess[str]

    def run(self, *extra: str, data: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Runs the command on the data or other data, sharing output and registry."""
        return run(self.folder, data or self.data, self.recipe, *extra)

    def other(self, pipeline: str, **options: str | Path) -> subprocess.CompletedProcess[str]:
        """Runs another pipeline beside the same registry."""
        shared = {"model-name": "flight-delay", "tracking-uri": f"sqlite:///{self.folder / 'mlflow.db'}", "output": self.folder / "other"}
        given = [str(part) for name, value in (shared | options).items() for part in (f"--{name.replace('_', '-')}", value)]
        return call(self.folder, "run", pipeline, "--local", *given)

    def summary(self, of: str = "training", output: str = "output") -> str:
        """The summary of the newest run."""
        return sorted((self.folder / output / "artifacts").glob(f"{of}-*/*/summarize-run/summary"))[-1].read_text()

    @property
    def versions(self) -> int:
        """How many versions the registry has."""
        with sqlite3.connect(self.folder / "mlflow.db") as database:
            return int(database.execute("select count(*) from model_versions").fetchone()[0])


def arguments(folder: Path, data: Path, recipe: Path) -> list[str]:
    options = {
        "--data": data,
        "--recipe": recipe,
        "--train-months": "1-2",
        "--evaluate-month": "3",
        "--model-name": "flight-delay",
        "--storage": folder / "models",
        "--tracking-uri": f"sqlite:///{folder / 'mlflow.db'}",
        "--output": folder / "output",
        "--result": folder / "result.json",
    }
    return ["run", "training", "--local", *(str(part) for option in options.items() for part in option)]


def run(folder: Path, data: Path, recipe: Path, *extra: str) -> subprocess.CompletedProcess[str]:
    return call(folder, *arguments(folder, data, recipe), *extra)


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        cwd=folder,
        env=os.environ | {"TMPDIR": str(folder / "tmp")},
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A first run on a small slice of the real data, with a recipe of small trees."""
    folder = tmp_path_factory.mktemp("pipeline")
    (folder / "tmp").mkdir()
    shutil.copy(PACKAGE / "schema.yaml", folder)
    recipe = folder / "recipe.yaml"
    text = (PACKAGE / "recipe.yaml").read_text()
    recipe.write_text(re.sub(r"minimums: .*", "minimums: {rocAuc: 0.6, prAuc: 0.3}", text).replace("trees: 200", "trees: 40"))
    data = folder / "flights.parquet"
    table = flights.load()
    table[table["asked_at"] < flights.months(1, 3).end].iloc[::10].to_parquet(data, index=False)
    git(folder, "init", "--quiet", "--initial-branch=main", "gitops")
    return World(folder, data, recipe, run(folder, data, recipe, *EVERYTHING))


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.fixture
def changed_data(world: World, tmp_path: Path) -> Callable[[Callable[[bytes], bytes]], Path]:
    """`changed_data(change)`: a copy of the data whose bytes went through `change`."""

    def build(change: Callable[[bytes], bytes]) -> Path:
        path = tmp_path / "flights.parquet"
        path.write_bytes(change(world.data.read_bytes()))
        return path

    return build


def test_the_first_run_registers_and_exports_a_model_that_answers_its_golden_set(world: World) -> None:
    assert world.first.returncode == 0, world.first.stderr
    result = json.loads((world.folder / "result.json").read_text())
    assert set(result) >= {"exportUri", "exportPath", "version", "modelName", "metrics", "goldenPath", "seconds"}
    assert result["metrics"]["rocAuc"] > 0.6
    model = ExportedModel.load(Path(result["exportPath"]))
    golden = json.loads(Path(result["goldenPath"]).read_text())
    answers = model.predict(columns_from_v2(golden["request"], model.features))
    assert answers.tolist() == golden["outputs"]["probability"]
    assert model.features.names == flights.FEATURES
    assert read_reference(Path(result["exportPath"]) / "headgate" / "drift").predictions is not None


def test_the_terminal_shows_each_step_and_nothing_of_kfps_chatter(world: World) -> None:
    lines = world.first.stdout.splitlines()
    steps = [line for line in lines if re.fullmatch(r"headgate: step \d+ [a-z0-9-]+ … \d+\.\d s", line)]
    assert len(steps) == STEPS, world.first.stdout
    assert all(line.startswith("headgate: ") for line in lines)
    assert world.first.stderr == ""
    assert "Executing task" in (world.folder / "output" / "pipeline.log").read_text()


def test_no_scratch_folders_are_left(world: World) -> None:
    assert list((world.folder / "tmp").iterdir()) == []
    assert not list((world.folder / "output").glob("steps-*"))


def test_the_version_was_committed_for_whoever_deploys(world: World) -> None:
    manifest = git(world.folder / "gitops", "show", "HEAD:flight-delay.yaml")
    assert json.loads((world.folder / "result.json").read_text())["exportUri"] in manifest
    assert git(world.folder / "gitops", "log", "--format=%s").strip() == "deploy flight-delay version 1"


def test_the_summary_lists_every_step_and_report(world: World) -> None:
    summary = world.summary()
    assert summary.startswith("# training: succeeded\n")
    assert summary.count("| succeeded |") == STEPS - 1
    reports = re.findall(r"\]\((/[^)]+)\)", summary)
    made = {"validate-data", "build-features", "model-card", "tune", "evaluate", "compare-to-champion", "fairness", "explain"}
    assert {Path(report).parent.name for report in reports} == made
    assert all(Path(report).is_file() for report in reports)


def test_a_second_run_retrains_nothing_and_finds_the_version_of_the_first(world: World) -> None:
    before = world.versions
    again = world.run(*EVERYTHING)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("… cached") == STEPS - NEVER_CACHED
    assert world.versions == before
    assert "headgate: found, registered before, flight-delay version 1, exported to " in again.stdout
    assert git(world.folder / "gitops", "log", "--format=%s").strip() == "deploy flight-delay version 1"
    assert world.summary().count("| cached |") == STEPS - NEVER_CACHED
    assert "tune/report" in world.summary()


def test_a_registered_version_is_validated_on_fresh_data_and_gets_the_alias(world: World) -> None:
    done = world.other("validation", data=world.data, recipe=world.recipe, months="3", version="1", alias="validated")
    assert done.returncode == 0, done.stderr
    assert "the alias validated of flight-delay names version 1 now" in done.stdout
    assert "score-drift/report" in world.summary("validation", "other")


def test_a_file_is_scored_with_a_registered_version(world: World, tmp_path: Path) -> None:
    scores = tmp_path / "scores.parquet"
    done = world.other("batch-score", data=world.data, id="flight_id", version="1", scores=scores)
    assert done.returncode == 0, done.stderr
    assert pq.read_table(scores)["flight_id"].equals(pq.read_table(world.data)["flight_id"])
    assert f"scored {pq.read_metadata(scores).num_rows:,} rows with version 1 into {scores}" in done.stdout


def test_a_model_that_is_not_good_enough_is_stopped_before_it_is_registered_and_its_report_kept(world: World) -> None:
    before = world.versions
    stopped = world.run("--minimum-roc-auc", "0.99")
    assert stopped.returncode == 1
    assert re.fullmatch(r"headgate: error: gate: the model did not pass: ROC AUC is 0\.\d+, at least 0\.990 is required\n", stopped.stderr)
    assert "register-model" not in stopped.stdout
    assert world.versions == before
    summary = world.summary()
    assert summary.startswith("# training: failed\n\n**gate-2** failed: gate: the model did not pass: ROC AUC is 0.")
    (report,) = re.findall(r"\[evaluate\]\((.+?)\)", summary)
    assert "Failed" in Path(report).read_text()
    assert re.search(r"headgate: what ran, and its reports, are in .+/summarize-run/summary\n", stopped.stdout)


def test_data_against_the_schema_is_stopped_before_training_and_its_report_kept(world: World, tmp_path: Path) -> None:
    table = flights.load().iloc[:500].assign(distance=-1.0)
    table.to_parquet(tmp_path / "bad.parquet", index=False)
    stopped = world.run(data=tmp_path / "bad.parquet")
    assert stopped.returncode == 1
    assert stopped.stderr.startswith(
        "headgate: error: gate: the data did not pass: 500 rows fail the check in_range(1, 6000) of 'distance'"
    )
    assert "split" not in stopped.stdout
    (report,) = re.findall(r"\[validate-data\]\((.+?)\)", world.summary())
    assert "Failed" in Path(report).read_text()


def test_a_missing_data_file_stops_the_pipeline_at_ingest_with_its_name(world: World) -> None:
    stopped = world.run(data=world.folder / "nowhere.parquet")
    assert stopped.returncode == 1
    assert stopped.stderr == f"headgate: error: ingest: the data file '{world.folder}/nowhere.parquet' does not exist\n"
    assert "validate-data" not in stopped.stdout
    assert world.summary().startswith("# training: failed\n\n**ingest** failed: ingest: the data file")


def test_a_corrupt_data_file_stops_the_pipeline_at_ingest_with_its_name(
    world: World, changed_data: Callable[[Callable[[bytes], bytes]], Path]
) -> None:
    path = changed_data(lambda content: content[: len(content) // 2])
    stopped = world.run(data=path)
    assert stopped.returncode == 1
    assert stopped.stderr.startswith(f"headgate: error: ingest: the data file '{path}' is corrupt")
    assert stopped.stderr.count("\n") == 1


def test_changed_data_under_the_same_path_are_not_taken_from_the_cache(world: World) -> None:
    whole = world.data.read_bytes()
    try:
        world.data.write_bytes(whole[:-100])
        stopped = world.run()
    finally:
        world.data.write_bytes(whole)
    assert stopped.returncode == 1
    assert "is corrupt" in stopped.stderr


def test_a_feature_without_a_value_stops_the_pipeline_where_it_is_seen_and_nothing_is_registered(world: World, tmp_path: Path) -> None:
    before = world.versions
    pd.read_parquet(world.data).assign(temp=float("nan")).to_parquet(tmp_path / "bad.parquet", index=False)
    stopped = world.run(data=tmp_path / "bad.parquet")
    assert stopped.returncode == 1
    assert re.fullmatch(
        r"headgate: error: build_features: the feature 'temp' has no value in any of the [\d,]+ training rows; leave it out, "
        r"or repair where it comes from\n",
        stopped.stderr,
    )
    assert world.versions == before
    (report,) = re.findall(r"\[validate-data\]\((.+?)\)", world.summary())
    assert "Passed" in Path(report).read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_run_leaves_neither_processes_nor_scratch_folders(tmp_path: Path, number: signal.Signals) -> None:
    fifo = tmp_path / "endless.csv"
    os.mkfifo(fifo)  # ingest waits for its data until it is ended
    shutil.copy(PACKAGE / "schema.yaml", tmp_path)
    shutil.copy(PACKAGE / "recipe.yaml", tmp_path)
    running = subprocess.Popen(
        [*COMMAND, *arguments(tmp_path, fifo, tmp_path / "recipe.yaml")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        pipe = opened_by_a_reader(fifo, running)
        running.send_signal(number)
        running.communicate(timeout=TIMEOUT_SECONDS)
        assert running.returncode != 0
        with pytest.raises(BrokenPipeError), os.fdopen(pipe, "wb", buffering=0):
            write_until_nobody_reads(pipe)
    finally:
        running.kill()
        running.wait()
    assert not list((tmp_path / "output").glob("steps-*"))


def opened_by_a_reader(fifo: Path, running: "subprocess.Popen[str]") -> int:
    """The end of a pipe to write to, as soon as ingest reads from it."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        assert running.poll() is None, running.communicate()
        with contextlib.suppress(OSError):  # nobody reads yet
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.05)
    raise AssertionError("nobody reads the data")


def write_until_nobody_reads(pipe: int) -> None:
    """Raises BrokenPipeError once the last reader is gone."""
    deadline = time.monotonic() + 60
    os.set_blocking(pipe, False)
    while time.monotonic() < deadline:
        with contextlib.suppress(BlockingIOError):
            os.write(pipe, b"0")
