"""`headgate pipeline`: usage, and errors as one sentence."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from headgate_pipelines.command import pipeline

OPTIONS = ("--train-months", "1-4", "--evaluate-month", "5", "--model-name", "m", "--storage", "s", "--tracking-uri", "sqlite:///x.db")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(pipeline, arguments)


def test_compile_writes_the_yaml(tmp_path: Path) -> None:
    result = run("compile", "training", "--output", str(tmp_path / "deep" / "training.yaml"))
    assert result.exit_code == 0
    assert "name: training" in (tmp_path / "deep" / "training.yaml").read_text()


def test_compile_into_a_place_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("compile", "training", "--output", str(tmp_path / "file" / "training.yaml"))
    assert result.exit_code == 1
    assert result.stderr.startswith("headgate: error: cannot write")
    assert result.stderr.count("\n") == 1


def test_compile_into_another_format_is_wrong_usage(tmp_path: Path) -> None:
    result = run("compile", "training", "--output", str(tmp_path / "training.json"))
    assert result.exit_code == 2
    assert "must end in .yaml" in result.stderr


@pytest.mark.parametrize("months", ["0-3", "4-1", "1-13", "spring"])
def test_months_that_are_none_are_wrong_usage(months: str, tmp_path: Path) -> None:
    result = run("run", "training", "--local", "--data", "flights", *OPTIONS, "--train-months", months, "--output", str(tmp_path))
    assert result.exit_code == 2
    assert "is not a range of months" in result.stderr


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [("--model-name", "team/churn", "is not a valid model name"), ("--tracking-uri", "mlflow.db", "give sqlite:///PATH or the URL")],
)
def test_what_the_registry_would_refuse_in_the_end_is_refused_at_once(option: str, value: str, says: str, tmp_path: Path) -> None:
    result = run("run", "training", "--local", "--data", "flights", *OPTIONS, option, value, "--output", str(tmp_path))
    assert result.exit_code == 2
    assert says in result.stderr


def test_without_local_the_way_to_a_cluster_is_told(tmp_path: Path) -> None:
    result = run("run", "training", "--data", "flights", *OPTIONS, "--output", str(tmp_path))
    assert result.exit_code == 2
    assert "headgate pipeline submit training" in result.stderr


@pytest.mark.parametrize("name", ["training", "validation"])
def test_a_parameter_that_there_is_not_is_told_before_the_data_are_looked_at(name: str, tmp_path: Path) -> None:
    given = {"training": OPTIONS, "validation": ("--months", "7", "--model-name", "m", "--tracking-uri", "sqlite:///x.db")}[name]
    result = run("run", name, "--local", "--data", "flights", *given, "--set", "speed=1", "--output", str(tmp_path / "runs"))
    assert result.exit_code == 1
    assert "the pipeline has no parameter 'speed'; it has" in result.stderr
    assert not (tmp_path / "runs").exists()


def test_a_file_to_score_that_is_not_there_is_told_before_a_model_is_fetched(tmp_path: Path) -> None:
    given = ("--id", "id", "--scores", str(tmp_path / "scores"), "--model-name", "m", "--tracking-uri", "sqlite:///x.db")
    result = run("run", "batch-score", "--local", "--data", "nowhere.parquet", *given, "--output", str(tmp_path / "runs"))
    assert (result.exit_code, result.stderr) == (1, "headgate: error: the data file 'nowhere.parquet' does not exist\n")
    assert not (tmp_path / "runs").exists()


def test_own_data_without_a_recipe_is_refused(tmp_path: Path) -> None:
    result = run("run", "training", "--local", "--data", "rows.csv", *OPTIONS, "--output", str(tmp_path))
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "needs --recipe FILE" in result.stderr


def test_the_command_loads_without_kfp_pandas_or_xgboost() -> None:
    code = "import sys, headgate_pipelines.command; print({'kfp', 'pandas', 'xgboost', 'mlflow'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=300)
    assert found.stdout.strip() == "set()"
