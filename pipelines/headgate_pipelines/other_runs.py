"""Local runs of the pipelines that use a registered version: validation and batch scoring."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headgate_components.step import StepError
from headgate_pipelines.batch import batch_score
from headgate_pipelines.flights import months
from headgate_pipelines.kubeflow.parameters import typed, types_of
from headgate_pipelines.local import run_locally
from headgate_pipelines.local_runs import Say, digest_of, progress, recipe_of, source_of, told
from headgate_pipelines.recipe import recipe_parameters
from headgate_pipelines.validation import validation


@dataclass(frozen=True)
class ValidationRequest:
    """Which version to validate, on what. None means: as the recipe says."""

    data: str
    recipe: Path | None
    months: tuple[int, int]
    model_name: str
    version: str
    alias: str
    tracking_uri: str
    minimum_roc_auc: float | None
    minimum_pr_auc: float | None
    seed: int
    settings: tuple[str, ...]
    output: Path


@dataclass(frozen=True)
class ScoringRequest:
    """What to score, and with which version."""

    data: str
    id_column: str
    scores: Path
    model_name: str
    version: str
    tracking_uri: str
    output: Path


def validate(request: ValidationRequest, say: Say) -> dict[str, Any]:
    """Runs the validation pipeline.

    Returns:
        version (its number), alias (what became of it, in a sentence), artifacts, summary and `seconds` by step.

    Raises:
        PipelineError: a step failed, or the gate withholds the alias.
        RecipeError: the recipe is missing or wrong.
        FlightsError: the flights data cannot be read.
        StepError: a parameter is unknown or of another type.
    """
    recipe = recipe_of(request.data, request.recipe)
    period = months(*request.months, year=recipe.year, zone=recipe.time_zone)
    declared = types_of(validation)
    chosen = {"minimum_roc_auc": request.minimum_roc_auc, "minimum_pr_auc": request.minimum_pr_auc}
    given = {
        **{name: value for name, value in recipe_parameters(recipe).items() if name in declared},
        **{name: value for name, value in chosen.items() if value is not None},
        "start": period.start.isoformat(),
        "end": period.end.isoformat(),
        "model_name": request.model_name,
        "version": request.version,
        "alias": request.alias,
        "tracking_uri": request.tracking_uri,
        "seed": request.seed,
        "kubeflow_api": "",
    }
    parameters = typed(declared, given, request.settings)
    source = source_of(request.data, request.output, say)
    arguments = {"source": source, "digest": digest_of(source), **parameters}
    finished = run_locally(validation, arguments, request.output.absolute(), progress(say))
    return {"version": finished.value("fetch-model"), "alias": finished.value("set-alias"), **told(finished)}


def score(request: ScoringRequest, say: Say) -> dict[str, Any]:
    """Runs the batch_score pipeline.

    Returns:
        rows, version, scores (the file), artifacts, summary and `seconds` by step.

    Raises:
        StepError: there is no such file here; said before a model is fetched for it.
        PipelineError: a step failed.
    """
    if "://" not in request.data and not Path(request.data).exists():
        raise StepError(f"the data file '{request.data}' does not exist")
    source = request.data if "://" in request.data else str(Path(request.data).absolute())
    given = {
        "source": source,
        "target": str(request.scores.absolute()),
        "id": request.id_column,
        "model_name": request.model_name,
        "version": request.version,
        "tracking_uri": request.tracking_uri,
        "kubeflow_api": "",
    }
    finished = run_locally(batch_score, given, request.output.absolute(), progress(say))
    rows, version = int(finished.value("batch-score")), finished.value("fetch-model")
    return {"rows": rows, "version": version, "scores": str(request.scores.absolute()), **told(finished)}
