"""Evaluates a model on rows from after its training, writes metrics and report, and says what is not good enough."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from headgate_components import html, models, tables
from headgate_components.evaluation.evaluate.edge_cases import edge_cases
from headgate_components.evaluation.evaluate.operating_point import OperatingPoint, Target, choose, operating_point, target_problem
from headgate_components.evaluation.evaluate.quality import Quality, quality
from headgate_components.evaluation.evaluate.report import sections
from headgate_components.evaluation.evaluate.slices import Slice, slices, worst
from headgate_components.files import replace_text
from headgate_components.finite import all_finite
from headgate_components.groups import present
from headgate_components.labels import UnfitRowsError
from headgate_components.latency import Latency, latencies
from headgate_components.scored import Labelled, read_labelled, score
from headgate_components.step import StepError

TITLE = "Model evaluation"


@dataclass(frozen=True)
class Limits:
    """What a model must reach to go on; the defaults let every model pass."""

    roc_auc: float = 0.0
    pr_auc: float = 0.0
    slice_roc_auc: float = 0.0
    """Of each slice of 100 rows and more."""

    target: Target | None = None
    latency_ms: float = 0.0
    """Largest median time of a single row; 0 for no limit."""

    def __post_init__(self) -> None:
        """Refuses a limit that no model could miss, or reach.

        Raises:
            StepError: names it.
        """
        for name in ("roc_auc", "pr_auc", "slice_roc_auc"):
            if not 0 <= (least := getattr(self, name)) <= 1:
                raise StepError(f"minimum_{name} is {least}; allowed are 0 to 1")
        if not self.latency_ms >= 0:
            raise StepError(f"maximum_latency_ms is {self.latency_ms}; allowed are 0 (no limit) and more")


@dataclass(frozen=True)
class Measured:
    """Everything measured about a model on rows it can be judged by."""

    quality: Quality
    point: OperatingPoint
    latency: Latency
    slices: tuple[Slice, ...]
    edge_cases: dict[str, str]
    absent: tuple[str, ...]
    """A sentence about each column that was to be sliced by and is not there."""

    @property
    def metrics(self) -> dict[str, float]:
        """The scalar metrics, all finite."""
        poorest = worst(self.slices)
        return all_finite(
            {
                "rocAuc": self.quality.roc_auc,
                "prAuc": self.quality.pr_auc,
                "brier": self.quality.brier,
                "logLoss": self.quality.log_loss,
                "calibrationError": self.quality.calibration_error,
                "baseRate": self.quality.base_rate,
                "rows": float(self.quality.rows),
                "threshold": self.point.threshold,
                "recall": self.point.recall,
                "precision": self.point.precision,
                "specificity": self.point.specificity,
                "singleRowMedianMs": self.latency.median,
                "singleRowP99Ms": self.latency.p99,
                **({"worstSliceRocAuc": poorest.roc_auc} if poorest and poorest.roc_auc is not None else {}),
            }
        )


@dataclass(frozen=True)
class Evaluation:
    """The outcome of an evaluation."""

    measured: Measured | None
    """None if no model can be judged by these rows; the problems say why."""

    problems: tuple[str, ...]
    """One sentence each; the model is good enough if there is none."""

    @property
    def metrics(self) -> dict[str, float]:
        """The scalar metrics, all finite; empty if nothing could be measured."""
        return self.measured.metrics if self.measured else {}


def evaluate(
    rows: Path,
    features_path: Path,
    model_path: Path,
    *,
    label: str,
    limits: Limits,
    slice_columns: Sequence[str],
    metrics_path: Path,
    report: Path,
) -> Evaluation:
    """Measures the model, and writes `metrics_path` (JSON) and `report` (HTML) whatever the verdict.

    Raises:
        StepError: a file cannot be read, or a column is absent.
    """
    try:
        measured = _measure(read_labelled(rows, label), features_path, model_path, limits.target, slice_columns)
        evaluation = Evaluation(measured, (*measured.absent, *_problems(measured, limits)))
    except UnfitRowsError as error:
        evaluation = Evaluation(None, (str(error),))
    # The metrics file is not for show: a task whose metrics artifact has no file is never found in the local cache.
    replace_text(metrics_path, json.dumps(evaluation.metrics, indent=1))
    shown = sections(measured.quality, measured.point, measured.slices, measured.edge_cases) if evaluation.measured else []
    scalars = [html.table("Metrics", ("metric", "value"), list(evaluation.metrics.items()))] if evaluation.measured else []
    html.write(report, TITLE, [html.verdict(evaluation.problems), *scalars, *shown])
    return evaluation


def _measure(rows: Labelled, features_path: Path, model_path: Path, target: Target | None, slice_columns: Sequence[str]) -> Measured:
    features, booster = models.read_features(features_path), models.read_model(model_path)
    columns, absent = present(rows.table, slice_columns)
    probabilities = score(rows.table, features, booster)
    measured = quality(rows.labels, probabilities)
    return Measured(
        quality=measured,
        point=operating_point(rows.labels, probabilities, choose(target, measured.thresholds)),
        latency=latencies([(features, booster)], tables.arrays(rows.table, features.names))[0],
        slices=tuple(slices(rows.table, columns, rows.labels, probabilities)),
        edge_cases=edge_cases(booster, features),
        absent=tuple(absent),
    )


def _problems(measured: Measured, limits: Limits) -> Iterator[str]:
    wanted = [("ROC AUC", measured.quality.roc_auc, limits.roc_auc), ("PR AUC", measured.quality.pr_auc, limits.pr_auc)]
    if limits.slice_roc_auc:
        parts = [(f"ROC AUC where '{part.column}' is {part.group}", part.roc_auc) for part in measured.slices]
        wanted += [(name, found, limits.slice_roc_auc) for name, found in parts if found is not None]
    for name, found, least in wanted:
        if found < least:
            yield f"{name} is {found:.3f}, at least {least:.3f} is required"
    if limits.target and (problem := target_problem(limits.target, measured.point, measured.quality.thresholds)):
        yield problem
    if 0 < limits.latency_ms < measured.latency.median:
        yield f"a single row takes {measured.latency.median:.2f} ms (median), at most {limits.latency_ms:g} ms are allowed"
