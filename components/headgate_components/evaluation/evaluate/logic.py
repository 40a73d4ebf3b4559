"""Evaluates a model on rows from after its training, writes metrics and report, and says what is not good enough."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headgate_components import models, tables
from headgate_components.evaluation.evaluate.behaviour import Latency, edge_cases, latency
from headgate_components.evaluation.evaluate.quality import Quality, quality
from headgate_components.evaluation.evaluate.report import render
from headgate_components.finite import all_finite
from headgate_components.step import StepError

MINIMUM_ROWS = 100


@dataclass(frozen=True)
class Minimums:
    """What a model must reach to go on."""

    roc_auc: float = 0.0
    pr_auc: float = 0.0


@dataclass(frozen=True)
class Evaluation:
    """The outcome of an evaluation."""

    quality: Quality
    latency: Latency
    problems: tuple[str, ...]
    """One sentence each; the model is good enough if there is none."""

    @property
    def metrics(self) -> dict[str, float]:
        """The scalar metrics, all finite."""
        return all_finite(
            {
                "rocAuc": self.quality.roc_auc,
                "prAuc": self.quality.pr_auc,
                "brier": self.quality.brier,
                "logLoss": self.quality.log_loss,
                "baseRate": self.quality.base_rate,
                "rows": float(self.quality.rows),
                "singleRowMedianMs": self.latency.median,
                "singleRowP99Ms": self.latency.p99,
            }
        )


def evaluate(
    rows: Path, features_path: Path, model_path: Path, *, label: str, minimums: Minimums, metrics_path: Path, report: Path
) -> Evaluation:
    """Measures the model, and writes `metrics_path` (JSON) and `report` (HTML) whatever the verdict.

    Raises:
        StepError: a file cannot be read, or there are too few rows to judge.
    """
    features, booster = models.read_features(features_path), models.read_model(model_path)
    table = tables.read(rows)
    if table.num_rows < MINIMUM_ROWS:
        raise StepError(f"{table.num_rows} evaluation rows are too few; at least {MINIMUM_ROWS} are needed")
    columns = tables.arrays(table, features.names)
    labels = tables.arrays(table, [label])[label].astype(np.int64)
    measured = quality(labels, models.predict(booster, models.encode(features, columns)))
    evaluation = Evaluation(measured, latency(booster, features, columns), tuple(_problems(measured, minimums)))
    for path, text in (
        # The metrics file is not for show: a task whose metrics artifact has no file is never found in the local cache.
        (metrics_path, json.dumps(evaluation.metrics, indent=1)),
        (report, render(evaluation.quality, evaluation.metrics, evaluation.problems, edge_cases(booster, features))),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return evaluation


def _problems(measured: Quality, minimums: Minimums) -> list[str]:
    wanted = (("ROC AUC", measured.roc_auc, minimums.roc_auc), ("PR AUC", measured.pr_auc, minimums.pr_auc))
    return [f"{name} is {found:.3f}, at least {least:.3f} is required" for name, found, least in wanted if found < least]
