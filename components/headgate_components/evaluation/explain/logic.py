"""Explains a model on a sample of rows, and writes importance and report."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headgate_components import html, models, tables
from headgate_components.evaluation.explain.contributions import Contributions, contributions
from headgate_components.evaluation.explain.report import sections
from headgate_components.files import replace_text
from headgate_components.finite import finite
from headgate_components.step import StepError

TITLE = "Model explanation"
FORMAT = 1


@dataclass(frozen=True)
class FeatureImportance:
    """How much a feature moves predictions."""

    name: str
    contribution: float
    """Mean absolute contribution, log-odds."""

    share: float
    """Of the contributions of all features, 0 to 1."""


@dataclass(frozen=True)
class Importance:
    """How much each feature moves predictions."""

    rows: int
    base: float
    """Log-odds before any feature is known."""

    features: tuple[FeatureImportance, ...]
    """The most important first."""

    def to_json(self) -> dict[str, Any]:
        """What the step hands on."""
        features = [{"name": part.name, "meanAbsoluteContribution": part.contribution, "share": part.share} for part in self.features]
        return {"format": FORMAT, "unit": "log-odds", "rows": self.rows, "base": self.base, "features": features}


def explain(evaluation: Path, features_path: Path, model_path: Path, *, rows: int, seed: int, importance: Path, report: Path) -> Importance:
    """Explains the predictions of at most `rows` rows, and writes `importance` (JSON) and `report` (HTML).

    Raises:
        StepError: a file cannot be read, there is no row, or XGBoost cannot explain the model.
    """
    if rows < 1:
        raise StepError(f"rows is {rows}; allowed are 1 and more")
    features, booster = models.read_features(features_path), models.read_model(model_path)
    columns = tables.arrays(tables.sample(evaluation, features.names, rows, seed), features.names)
    matrix = models.encode(features, columns)
    if not len(matrix):
        raise StepError("there is no evaluation row to explain")
    found = contributions(booster, matrix)
    measured = _importance(features.names, found)
    replace_text(importance, json.dumps(measured.to_json(), indent=1))
    shares = [(part.name, part.contribution, part.share) for part in measured.features]
    html.write(report, TITLE, sections(shares, columns, found))
    return measured


def _importance(names: tuple[str, ...], found: Contributions) -> Importance:
    means = np.abs(found.values).mean(axis=0)
    total = max(float(means.sum()), np.finfo(np.float64).tiny)  # a model of no tree has no contributions
    ranked = [(names[place], finite(f"contribution of {names[place]}", means[place])) for place in np.argsort(-means, kind="stable")]
    return Importance(
        rows=len(found.values), base=found.base, features=tuple(FeatureImportance(name, mean, mean / total) for name, mean in ranked)
    )
