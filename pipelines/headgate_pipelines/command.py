"""`headgate pipeline`: compiles the pipelines and runs them on this machine.

Everything heavy is imported when a subcommand runs: `headgate --help` must not wait for kfp.
"""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import click

from headgate_components.step import ERROR_PREFIX, StepError
from headgate_pipelines.children import end_children

PIPELINES = ("training",)
GIT_TIMEOUT_SECONDS = 5


class PipelineFailure(click.ClickException):
    """Ends the command with exit code 1 and one sentence."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Prints the sentence the way all of Headgate does."""
        click.echo(f"{ERROR_PREFIX}{self.message}", file=file, err=True)


class MonthsType(click.ParamType[tuple[int, int]]):
    """A month or a range of months: 5 or 1-4."""

    name = "months"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """The first and the last month, both included."""
        if isinstance(value, tuple):
            return value
        first, separator, last = str(value).partition("-")
        try:
            found = int(first), int(last if separator else first)
        except ValueError:
            self.fail(f"'{value}' is not a range of months; give one such as 1-4", param, ctx)
        if not 1 <= found[0] <= found[1] <= 12:
            self.fail(f"'{value}' is not a range of months of 1 to 12, the earlier first", param, ctx)
        return found


@click.group()
def pipeline() -> None:
    """Compile the pipelines for a Kubeflow cluster, or run them on this machine."""


@pipeline.command("compile")
@click.argument("name", type=click.Choice(PIPELINES), default="training")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The YAML file to write.")
def compile_pipeline(name: str, output: Path) -> None:
    """Write a pipeline as the YAML that Kubeflow Pipelines takes."""
    from headgate_pipelines.compiled import write_compiled

    try:
        write_compiled(name, output)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        raise PipelineFailure(f"cannot write '{output}': {error.strerror}") from error
    click.echo(f"headgate: wrote {output}")


@pipeline.command()
@click.argument("name", type=click.Choice(PIPELINES))
@click.option("--local", is_flag=True, help="Run on this machine; clusters take the compiled YAML.")
@click.option("--data", required=True, metavar="flights|PATH", help="The flights example, or a .csv, .csv.gz or .parquet file or URI.")
@click.option("--recipe", type=click.Path(dir_okay=False, path_type=Path), help="What to know about the data; not needed for flights.")
@click.option("--train-months", type=MonthsType(), required=True, metavar="FROM-TO", help="Months to train on, such as 1-4.")
@click.option("--evaluate-month", type=MonthsType(), required=True, metavar="MONTH", help="Month or months to evaluate on, after training.")
@click.option("--model-name", required=True, help="The name in the registry and in the path of requests.")
@click.option("--storage", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder that serving pulls models from.")
@click.option("--tracking-uri", required=True, help="MLflow: sqlite:///PATH or the URL of a server.")
@click.option("--max-categories", type=click.IntRange(min=0), default=0, help="Categories a feature keeps; 0 keeps all.")
@click.option("--unknown", type=click.Choice(["other", "error"]), default="other", help="What serving does with other categories.")
@click.option("--trees", type=click.IntRange(1, 10_000), help="Largest number of trees; the recipe's by default.")
@click.option("--max-depth", type=click.IntRange(1, 20), help="Depth of a tree; the recipe's by default.")
@click.option("--minimum-roc-auc", type=click.FloatRange(0, 1), help="What a model must reach; the recipe's by default.")
@click.option("--minimum-pr-auc", type=click.FloatRange(0, 1), help="What a model must reach; the recipe's by default.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of all randomness.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Most threads to train with.")
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), required=True, help="Artifacts, cache, log; runs may share it.")
@click.option("--result", type=click.Path(dir_okay=False, path_type=Path), help="JSON file for the outcome.")
def run(name: str, *, local: bool, result: Path | None, **options: Any) -> None:
    """Run a pipeline from data to a registered, exported model.

    Exit codes: 0 registered, 1 a step failed or a gate stopped it, 2 wrong usage.
    """
    if not local:
        raise click.UsageError(f"only --local runs here; for a cluster use `headgate pipeline compile {name}` and upload the YAML")
    from headgate_pipelines.flights import FlightsError
    from headgate_pipelines.local import PipelineError
    from headgate_pipelines.recipe import RecipeError
    from headgate_pipelines.training_run import TrainingRequest, train

    try:
        with _interruptible():
            outcome = train(TrainingRequest(git_commit=_git_commit(), **options), Terminal())
        if result is not None:
            result.parent.mkdir(parents=True, exist_ok=True)
            result.write_text(json.dumps(outcome, indent=1), encoding="utf-8")
    except (PipelineError, RecipeError, FlightsError, StepError) as error:
        raise PipelineFailure(str(error)) from error
    except OSError as error:
        where = f" '{error.filename}'" if error.filename else ""
        raise PipelineFailure(f"{error.strerror or error}{where}") from error
    _summarize(outcome)


class Terminal:
    """Prints progress to the stdout of now: while a pipeline runs, kfp's chatter has the process's stdout."""

    def __init__(self) -> None:
        self._stream = sys.stdout

    def __call__(self, text: str, *, end: bool) -> None:
        """Prints a piece of a line, and ends it if asked to."""
        click.echo(text, file=self._stream, nl=end)


def _summarize(outcome: Mapping[str, Any]) -> None:
    metrics = outcome["metrics"]
    shown = f"ROC AUC {metrics['rocAuc']:.3f}, PR AUC {metrics['prAuc']:.3f}, Brier {metrics['brier']:.3f}"
    click.echo(f"headgate: {shown} on {metrics['rows']:,.0f} rows")
    click.echo(f"headgate: registered {outcome['modelName']} version {outcome['version']}, exported to {outcome['exportUri']}")
    click.echo(f"headgate: HTML reports are validate-data/report and evaluate/report in {outcome['artifacts']}")


def _git_commit() -> str:
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=GIT_TIMEOUT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM and Ctrl-C end the running step, too, and remove scratch folders."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        end_children()
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
