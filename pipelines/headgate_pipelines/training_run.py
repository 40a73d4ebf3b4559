"""One local run of the training pipeline, from what a person asks for to what came of it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headgate_pipelines.flights import months
from headgate_pipelines.kubeflow.parameters import typed, types_of
from headgate_pipelines.local import run_locally
from headgate_pipelines.local_runs import Say, digest_of, progress, recipe_of, source_of, told
from headgate_pipelines.recipe import Recipe, recipe_parameters
from headgate_pipelines.training import training


@dataclass(frozen=True)
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
    tune_trials: int
    ablation: bool
    minimum_roc_auc: float | None
    minimum_pr_auc: float | None
    seed: int
    threads: int
    settings: tuple[str, ...]
    """Other parameters of the pipeline, as NAME=VALUE."""

    output: Path
    git_commit: str


def train(request: TrainingRequest, say: Say) -> dict[str, Any]:
    """Runs the pipeline.

    Returns:
        The registration (modelName, version, exportUri, exportPath, goldenPath, metrics), artifacts, summary, and `seconds` by step.

    Raises:
        PipelineError: a step failed or a gate stopped the pipeline.
        RecipeError: the recipe is missing or wrong.
        FlightsError: the flights data cannot be read.
        StepError: a parameter is unknown or of another type.
    """
    recipe = recipe_of(request.data, request.recipe)
    parameters = typed(types_of(training), _parameters(request, recipe), request.settings)
    source = source_of(request.data, request.output, say)
    arguments = {"source": source, "digest": digest_of(source), **parameters}
    finished = run_locally(training, arguments, request.output.absolute(), progress(say))
    registration: dict[str, Any] = json.loads(finished.file("register-model", "registration").read_text(encoding="utf-8"))
    return registration | told(finished)


def _parameters(request: TrainingRequest, recipe: Recipe) -> dict[str, Any]:
    train, evaluate = (months(*asked, year=recipe.year, zone=recipe.time_zone) for asked in (request.train_months, request.evaluate_month))
    chosen = {
        "trees": request.trees,
        "max_depth": request.max_depth,
        "minimum_roc_auc": request.minimum_roc_auc,
        "minimum_pr_auc": request.minimum_pr_auc,
    }
    return {
        **recipe_parameters(recipe),
        **{name: value for name, value in chosen.items() if value is not None},
        "train_start": train.start.isoformat(),
        "train_end": train.end.isoformat(),
        "evaluate_start": evaluate.start.isoformat(),
        "evaluate_end": evaluate.end.isoformat(),
        "unknown": request.unknown,
        "max_categories": request.max_categories,
        "tune_trials": request.tune_trials,
        "ablation": request.ablation,
        "seed": request.seed,
        "threads": request.threads,
        "model_name": request.model_name,
        "storage": str(request.storage.absolute()),
        "tracking_uri": request.tracking_uri,
        "git_commit": request.git_commit,
        "kubeflow_api": "",
    }
