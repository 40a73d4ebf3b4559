"""One local run of the training pipeline, from what a person asks for to what came of it."""

import hashlib
import json
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Protocol

from headgate_pipelines.flights import months, prepare
from headgate_pipelines.local import Progress, run_locally
from headgate_pipelines.recipe import Recipe, RecipeError, read_recipe
from headgate_pipelines.training import training
from headgate_pipelines.transcript import StepRun

FLIGHTS = "flights"


class Say(Protocol):
    """Prints a piece of progress; the line goes on if it does not end."""

    def __call__(self, text: str, *, end: bool) -> None:
        """Prints it."""


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """What to train, on what, and where to put it. None means: as the recipe says."""

    data: str
    recipe: Path | None
    train_months: tuple[int, int]
    evaluate_month: tuple[int, int]
    model_name: str
    storage: Path
    tracking_uri: str
    max_categories: int
    unknown: str
    trees: int | None
    max_depth: int | None
    minimum_roc_auc: float | None
    minimum_pr_auc: float | None
    seed: int
    threads: int
    output: Path
    git_commit: str


def train(request: TrainingRequest, say: Say) -> dict[str, Any]:
    """Runs the pipeline.

    Returns:
        The registration (modelName, version, exportUri, exportPath, goldenPath, metrics) and `seconds` by step, 0 for cached ones.

    Raises:
        PipelineError: a step failed or a gate stopped the pipeline.
        RecipeError: the recipe is missing or wrong.
        FlightsError: the flights data cannot be read.
    """
    recipe = _recipe(request)
    source = str(_flights(request.output, say)) if request.data == FLIGHTS else request.data
    finished = run_locally(training, _arguments(request, recipe, source), request.output.absolute(), _progress(say))
    registration: dict[str, Any] = json.loads(finished.output.read_text(encoding="utf-8"))
    return {**registration, "artifacts": str(finished.output.parents[1]), "seconds": _seconds(finished.steps)}


def _recipe(request: TrainingRequest) -> Recipe:
    if request.recipe is not None:
        return read_recipe(request.recipe)
    if request.data != FLIGHTS:
        raise RecipeError(f"the data '{request.data}' needs --recipe FILE, which names its columns; examples/flights/recipe.yaml is one")
    with as_file(files("headgate_pipelines.flights")) as folder:
        return read_recipe(folder / "recipe.yaml")


def _flights(output: Path, say: Say) -> Path:
    say("headgate: joining flights and weather … ", end=False)
    path = prepare(output.absolute() / "data")
    say("done", end=True)
    return path


def _arguments(request: TrainingRequest, recipe: Recipe, source: str) -> dict[str, Any]:
    train, evaluate = (months(*asked, year=recipe.year, zone=recipe.time_zone) for asked in (request.train_months, request.evaluate_month))
    chosen = {
        "trees": request.trees,
        "max_depth": request.max_depth,
        "minimum_roc_auc": request.minimum_roc_auc,
        "minimum_pr_auc": request.minimum_pr_auc,
    }
    return {
        "source": source,
        "digest": _digest(source),
        "schema": recipe.schema_text,
        **recipe.columns.model_dump(),
        "train_start": train.start.isoformat(),
        "train_end": train.end.isoformat(),
        "evaluate_start": evaluate.start.isoformat(),
        "evaluate_end": evaluate.end.isoformat(),
        "unknown": request.unknown,
        "max_categories": request.max_categories,
        **recipe.model.model_dump(),
        "minimum_roc_auc": recipe.minimums.roc_auc,
        "minimum_pr_auc": recipe.minimums.pr_auc,
        **{name: value for name, value in chosen.items() if value is not None},
        "drift_excluded": recipe.drift.excluded,
        "drift_window_rows": recipe.drift.window_rows,
        "seed": request.seed,
        "threads": request.threads,
        "model_name": request.model_name,
        "storage": str(request.storage.absolute()),
        "tracking_uri": request.tracking_uri,
        "git_commit": request.git_commit,
    }


def _digest(source: str) -> str:
    """The snapshot id of a file here, so that cached steps notice when it changes; empty for what only ingest can read."""
    path = Path(source)
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _progress(say: Say) -> Progress:
    def started(number: int, of: int, name: str) -> None:
        say(f"headgate: step {number}/{of} {name} … ", end=False)

    def ended(run: StepRun) -> None:
        say("cached" if run.cached else f"{run.seconds:.1f} s", end=True)

    return Progress(started, ended)


def _seconds(steps: tuple[StepRun, ...]) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for step in steps:
        seconds[step.name] = round(seconds.get(step.name, 0.0) + step.seconds, 2)
    return seconds
