"""Recipe files: what the training pipeline has to know about a data set, so that the command line needs only the periods."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.alias_generators import to_camel


class RecipeError(Exception):
    """A recipe that cannot be used; the message is one sentence that names the file and the key."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)


class Columns(_Part):
    """The columns of the table and their roles."""

    time: str
    label: str
    id: str
    categories: list[str]
    numbers: list[str]


class Model(_Part):
    """How to train; see the `train_xgboost` component."""

    trees: int = Field(200, ge=1, le=10_000)
    max_depth: int = Field(6, ge=1, le=20)
    learning_rate: float = Field(0.05, gt=0, le=1)
    subsample: float = Field(0.8, gt=0, le=1)
    colsample_bytree: float = Field(0.6, gt=0, le=1, alias="colsampleByTree")
    min_child_weight: float = Field(10, ge=0, le=1e9)
    early_stopping_rounds: int = Field(30, ge=0, le=10_000)
    validation_share: float = Field(0.1, gt=0, le=0.99)


class Minimums(_Part):
    """What a model must reach to be registered."""

    roc_auc: float = Field(0, ge=0, le=1)
    pr_auc: float = Field(0, ge=0, le=1)


class Drift(_Part):
    """How drift will be watched; see the `fit_drift_reference` component."""

    window_rows: int = Field(500, ge=100)
    window_hours: float = Field(0, ge=0)
    detector: Literal["tabular", "ks", "cvm", "chi-square", "classifier"] = "tabular"
    excluded: list[str] = []


class Recipe(_Part):
    """A whole recipe."""

    year: int
    time_zone: str = "UTC"
    schema_text: str = Field(alias="schema")
    """The pandera schema as YAML; in the file, the name of a file beside it."""

    columns: Columns
    model: Model = Model()
    minimums: Minimums = Minimums()
    drift: Drift = Drift()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"'{zone}' is not a time zone; give a name such as Europe/Berlin or UTC") from error
        return zone


def read_recipe(path: Path) -> Recipe:
    """Reads a recipe and the schema file it names.

    Raises:
        RecipeError: a file cannot be read, or a key is missing, unknown or out of range.
    """
    content = _yaml(path)
    schema = content.get("schema")
    if isinstance(schema, str):
        content["schema"] = _text(path.parent / schema)
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RecipeError(f"the recipe '{path}' has an invalid '{where}': {first['msg']}") from error


def flights_recipe() -> Recipe:
    """The recipe of the flights example."""
    with as_file(files("headgate_pipelines.flights")) as folder:
        return read_recipe(Path(folder) / "recipe.yaml")


def recipe_parameters(recipe: Recipe) -> dict[str, Any]:
    """What a recipe says, as parameters of the training pipeline; others take those that they have."""
    return {
        "schema": recipe.schema_text,
        **recipe.columns.model_dump(),
        **recipe.model.model_dump(),
        "minimum_roc_auc": recipe.minimums.roc_auc,
        "minimum_pr_auc": recipe.minimums.pr_auc,
        "drift_excluded": recipe.drift.excluded,
        "drift_window_rows": recipe.drift.window_rows,
        "drift_window_hours": recipe.drift.window_hours,
        "drift_detector": recipe.drift.detector,
    }


def _yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(_text(path))
    except yaml.YAMLError as error:
        raise RecipeError(f"the recipe '{path}' is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise RecipeError(f"the recipe '{path}' must be a mapping of keys to values")
    return content


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise RecipeError(f"the file '{path}' cannot be read: {reason}") from error
