"""Tunes: reads the rows, searches within the budget, and writes what was found."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import optuna

from headgate_components.files import replace_text
from headgate_components.finite import all_finite
from headgate_components.step import StepError
from headgate_components.training.boosting import read_rows
from headgate_components.training.settings import Settings
from headgate_components.training.tune import report as reports
from headgate_components.training.tune.folds import time_folds
from headgate_components.training.tune.memory import finished, open_study, study_name
from headgate_components.training.tune.search import Budget, CancelledError, Say, best_settings, pruner, search


@dataclass(frozen=True)
class Tuned:
    """What the search found."""

    settings: str
    """The best settings as JSON, for `train_xgboost`."""

    log_loss: float
    """Mean log loss of the folds with them."""

    trials: int
    """Finished trials, those of former processes among them."""


def tune(
    source: Path,
    features: Path,
    *,
    label: str,
    base: Settings,
    budget: Budget,
    folds: int,
    storage: str = "",
    time: str = "",
    study_path: Path,
    report: Path,
    cancelled: Callable[[], bool] = lambda: False,
    say: Say = lambda _: None,
) -> Tuned:
    """Searches, and writes `study_path` (JSON) and `report` (HTML).

    Args:
        source: the training rows, in time order.
        features: the feature artifact.
        label: the column to predict.
        base: the settings to begin with; the number of trees, class weight, seed and threads are those of all trials.
        budget: when to stop.
        folds: how many later blocks of rows each trial is judged on.
        storage: a file or a database's URL that remembers the search; empty remembers nothing.
        time: the column the rows must be ordered by; empty if nobody knows.
        study_path: the JSON file to write.
        report: the HTML file to write.
        cancelled: whether somebody asked to stop.
        say: prints a line of progress.

    Raises:
        StepError: rows, settings or storage that cannot be used, or the search was cancelled.
    """
    parts = time_folds(read_rows(source, features, label, time=time), folds, base)
    about = {"label": label, "folds": folds, "trees": base.trees, "classWeight": base.class_weight, "seed": base.seed}
    study = open_study(storage, study_name({"rows": source, "features": features}, about), pruner())
    try:
        search(study, parts, base, budget, cancelled=cancelled, say=say)
    except CancelledError as error:
        kept = f"a new run goes on from '{storage}'" if storage else "nothing is kept without a storage"
        raise StepError(f"cancelled after {len(finished(study))} trials; {kept}") from error
    return _told(study, best_settings(study, base), study_path, report)


def _told(study: optuna.Study, best: dict[str, float | int], study_path: Path, report: Path) -> Tuned:
    """Writes what a search found."""
    trials = finished(study)
    all_finite({"log loss": study.best_value})
    content = reports.as_json(study, best)
    seconds = sum(trial.duration.total_seconds() for trial in trials if trial.duration)
    replace_text(study_path, json.dumps(content, indent=1))
    replace_text(report, reports.render(content, seconds))
    return Tuned(json.dumps(best), study.best_value, len(trials))
