"""`headgate pipeline run`: one pipeline on this machine, each step a process of its own."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from headgate_pipelines.children import end_children
from headgate_pipelines.errors import one_sentence
from headgate_pipelines.registry_check import check_registry

GIT_TIMEOUT_SECONDS = 5
REGISTRIES = ("sqlite:///", "http://", "https://", "postgresql", "mysql", "mssql", "databricks")
"""How addresses of registries begin; MLflow takes anything else for a folder, and refuses it when it is first asked."""


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
            self.fail(f"'{value}' is not a range of months from 1 to 12, the earlier one first", param, ctx)
        return found


class Terminal:
    """Prints progress to the stdout of now: while a pipeline runs, kfp's chatter has the process's stdout."""

    def __init__(self) -> None:
        self._stream = sys.stdout

    def __call__(self, text: str, *, end: bool) -> None:
        """Prints a piece of a line, and ends it if asked to."""
        click.echo(text, file=self._stream, nl=end)


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _model(_ctx: click.Context, _param: click.Parameter, name: str) -> str:
    if not name.strip() or "/" in name or ":" in name:  # what MLflow refuses, after everything is trained
        raise click.BadParameter(f"'{name}' is not a valid model name; it must not be empty or contain '/' or ':'")
    return name


def _registry(_ctx: click.Context, _param: click.Parameter, uri: str) -> str:
    if not uri.startswith(REGISTRIES):
        raise click.BadParameter(f"'{uri}' is not a model registry; give sqlite:///PATH or the URL of an MLflow server")
    return uri


def _shared(registry_help: str) -> Decorator:
    """The options of every local run; they come after a pipeline's own."""
    options = (
        click.option("--local", is_flag=True, help="Run on this machine; `headgate pipeline submit` runs on a cluster."),
        click.option("--model-name", required=True, callback=_model, help="The name in the registry and in the path of requests."),
        click.option("--tracking-uri", required=True, callback=_registry, help=registry_help),
        click.option(
            "--output", type=click.Path(file_okay=False, path_type=Path), required=True, help="Artifacts, cache, log; runs may share it."
        ),
        click.option("--result", type=click.Path(dir_okay=False, path_type=Path), help="JSON file for the outcome."),
    )

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_RECIPE = click.option(
    "--recipe", type=click.Path(dir_okay=False, path_type=Path), help="What to know about the data; not needed for flights."
)
_DATA = click.option(
    "--data", required=True, metavar="flights|PATH", help="The flights example, or a .csv, .csv.gz or .parquet file or URI."
)
_ROC = click.option("--minimum-roc-auc", type=click.FloatRange(0, 1), help="What a model must reach; the recipe's by default.")
_PR = click.option("--minimum-pr-auc", type=click.FloatRange(0, 1), help="What a model must reach; the recipe's by default.")
_SEED = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of all randomness.")
_VERSION = "Number of the version, or an alias that names it."
_REGISTRY = "MLflow: sqlite:///PATH or the URL of a server."


@click.group()
def run() -> None:
    """Run a pipeline on this machine.

    Exit codes: 0 it ran to its end, 1 a step failed or a gate stopped it, 2 wrong usage.
    """


@run.command()
@_DATA
@_RECIPE
@click.option("--train-months", type=MonthsType(), required=True, metavar="FROM-TO", help="Months to train on, such as 1-4.")
@click.option("--evaluate-month", type=MonthsType(), required=True, metavar="MONTH", help="Month or months to evaluate on, after training.")
@click.option("--storage", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder that serving pulls models from.")
@click.option("--max-categories", type=click.IntRange(min=0), default=0, help="Categories a feature keeps; 0 keeps all.")
@click.option("--unknown", type=click.Choice(["other", "error"]), default="other", help="What serving does with other categories.")
@click.option("--trees", type=click.IntRange(1, 10_000), help="Largest number of trees; the recipe's by default.")
@click.option("--max-depth", type=click.IntRange(1, 20), help="Depth of a tree; the recipe's by default.")
@click.option("--tune-trials", type=click.IntRange(min=0), default=0, show_default=True, help="Trials to look for better settings.")
@click.option("--ablation", is_flag=True, help="Also show what features are worth.")
@_ROC
@_PR
@_SEED
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Most threads to train with.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Any other parameter of the pipeline; may be repeated.")
@_shared(_REGISTRY)
def training(*, local: bool, result: Path | None, **options: Any) -> None:
    """From data to a registered, exported model."""
    from headgate_pipelines.training_run import TrainingRequest, train

    outcome = _run(
        local, "training", options["tracking_uri"], result, lambda say: train(TrainingRequest(git_commit=_git_commit(), **options), say)
    )
    metrics = outcome["metrics"]
    shown = f"ROC AUC {metrics['rocAuc']:.3f}, PR AUC {metrics['prAuc']:.3f}, Brier {metrics['brier']:.3f}"
    click.echo(f"headgate: {shown} on {metrics['rows']:,.0f} rows")
    done = "found, registered before," if outcome["registeredBefore"] else "registered"
    click.echo(f"headgate: {done} {outcome['modelName']} version {outcome['version']}, exported to {outcome['exportUri']}")
    _tell_summary(outcome)


@run.command()
@_DATA
@_RECIPE
@click.option("--months", type=MonthsType(), required=True, metavar="FROM-TO", help="Months to validate on, such as 7.")
@click.option("--version", default="candidate", show_default=True, help=_VERSION)
@click.option("--alias", default="candidate", show_default=True, help="Alias that a good version gets.")
@_ROC
@_PR
@_SEED
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Any other parameter of the pipeline; may be repeated.")
@_shared(_REGISTRY)
def validation(*, local: bool, result: Path | None, **options: Any) -> None:
    """A registered version on fresh data: sets the alias or withholds it."""
    from headgate_pipelines.other_runs import ValidationRequest, validate

    outcome = _run(local, "validation", options["tracking_uri"], result, lambda say: validate(ValidationRequest(**options), say))
    click.echo(f"headgate: {outcome['alias']}")
    _tell_summary(outcome)


@run.command("batch-score")
@click.option("--data", required=True, metavar="PATH", help="The rows: a path or URI of a .parquet file.")
@click.option("--id", "id_column", required=True, metavar="COLUMN", help="Column that identifies a row.")
@click.option("--scores", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Parquet file for ids and probabilities.")
@click.option("--version", default="champion", show_default=True, help=_VERSION)
@_shared(_REGISTRY)
def batch_score(*, local: bool, result: Path | None, **options: Any) -> None:
    """Score a Parquet file with a registered version."""
    from headgate_pipelines.other_runs import ScoringRequest, score

    outcome = _run(local, "batch-score", options["tracking_uri"], result, lambda say: score(ScoringRequest(**options), say))
    click.echo(f"headgate: scored {outcome['rows']:,} rows with version {outcome['version']} into {outcome['scores']}")
    _tell_summary(outcome)


def _run(local: bool, name: str, registry: str, result: Path | None, work: Callable[[Terminal], dict[str, Any]]) -> dict[str, Any]:
    if not local:
        raise click.UsageError(f"without --local nothing runs; give --local, or use `headgate pipeline submit {name}` for a cluster")
    with one_sentence(), _interruptible():
        check_registry(registry)
        outcome = work(Terminal())
        if result is not None:
            result.parent.mkdir(parents=True, exist_ok=True)
            result.write_text(json.dumps(outcome, indent=1), encoding="utf-8")
    return outcome


def _tell_summary(outcome: Mapping[str, Any]) -> None:
    click.echo(f"headgate: all steps and their HTML reports are in {outcome['summary']}")


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
