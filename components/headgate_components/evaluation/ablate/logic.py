"""Trains the model without each feature or group of features, and simpler ones beside it, and shows what each is worth."""

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from headgate_components.evaluation.ablate import baselines
from headgate_components.evaluation.ablate.report import render
from headgate_components.evaluation.ablate.variants import Line, Variant, feature_groups, group_variants, without_each
from headgate_components.files import replace_text
from headgate_components.finite import finite
from headgate_components.labels import log_losses
from headgate_components.training.balance import positive_weight
from headgate_components.training.boosting import Rows, fit, read_rows
from headgate_components.training.settings import Settings
from headgate_components.training.stopping import number_of_trees

FORMAT = 1
PRIOR = "share of label 1"
LOGISTIC = "logistic regression"
SINGLE = "best single feature"
INTERVAL = 1.96
"""Standard errors to each side of a mean: 95 %."""

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Ablation:
    """The whole table."""

    lines: tuple[Line, ...]
    left_out: tuple[str, ...]
    """What there was no time for."""

    trees: int
    rows: int
    """Evaluation rows."""

    def to_json(self) -> dict[str, Any]:
        """What the step hands on; the whole model is the first line."""
        lines = [line.to_json() for line in self.lines]
        return {"format": FORMAT, "rows": self.rows, "trees": self.trees, "lines": lines, "leftOut": list(self.left_out)}


def ablate(
    train: Path, evaluation: Path, features: Path, *, label: str, settings: Settings, groups: str, seconds: float, table: Path, report: Path
) -> Ablation:
    """Measures, and writes `table` (JSON) and `report` (HTML).

    Args:
        train: the training rows, in time order.
        evaluation: the evaluation rows.
        features: the feature artifact.
        label: the column to predict.
        settings: of the whole model; early stopping finds its number of trees, which all others get, too.
        groups: JSON from a name to features; empty looks at features one by one.
        seconds: after these no further model is trained.
        table: the JSON file to write.
        report: the HTML file to write.

    Raises:
        StepError: rows, settings or groups that cannot be used.
    """
    deadline = time.monotonic() + seconds
    learnt = read_rows(train, features, label)
    judged = read_rows(evaluation, features, label, name="evaluation")
    named = feature_groups(groups, learnt.features.names)
    found = _measured(learnt, judged, settings, named, lambda: time.monotonic() >= deadline)
    replace_text(table, json.dumps(found.to_json(), indent=1))
    replace_text(report, render(found.lines, found.left_out, found.trees, found.rows))
    return found


def _measured(train: Rows, judged: Rows, settings: Settings, groups: Mapping[str, Sequence[str]], late: Callable[[], bool]) -> Ablation:
    weight = positive_weight(settings.class_weight, train.labels)
    trees, _ = number_of_trees(train, settings, weight)
    names = train.features.names

    def boosted(variant: Variant) -> xgb.Booster:
        return fit(train.matrix[:, _places(variant, names)], train.labels, settings, trees=trees, weight=weight)

    whole = Variant("full", "", names)
    booster = boosted(whole)
    scores = booster.inplace_predict(judged.matrix)
    full = log_losses(judged.labels, scores)
    lines, left_out = [_line(whole, judged, scores, full)], []
    for variant in _variants(train, groups, _ranked(booster, names), late):
        if late():
            left_out.append(f"{variant.kind} {variant.name}")
            continue
        others = _baseline(variant, train, judged, settings.seed)
        if others is None:
            others = boosted(variant).inplace_predict(judged.matrix[:, _places(variant, names)])
        lines.append(_line(variant, judged, others, full))
    return Ablation(tuple(lines), tuple(left_out), trees, len(judged.labels))


def _variants(train: Rows, groups: Mapping[str, Sequence[str]], ranked: Sequence[str], late: Callable[[], bool]) -> Iterator[Variant]:
    names = train.features.names
    yield Variant("baseline", PRIOR, ())
    yield Variant("baseline", LOGISTIC, names)
    if len(names) > 1:
        best = () if late() else (baselines.best_single_feature(train),)
        yield Variant("baseline", ": ".join((SINGLE, *best)), best)
    yield from group_variants(groups, names) if groups else without_each(ranked, names)


def _baseline(variant: Variant, train: Rows, judged: Rows, seed: int) -> Scores | None:
    if variant.name == PRIOR:
        return baselines.prior(train, judged)
    return baselines.logistic(train, judged, seed) if variant.name == LOGISTIC else None


def _ranked(booster: xgb.Booster, names: Sequence[str]) -> list[str]:
    gains = booster.get_score(importance_type="total_gain")
    return sorted(names, key=lambda name: -float(gains.get(f"f{names.index(name)}", 0.0)))  # type: ignore[arg-type]


def _places(variant: Variant, names: Sequence[str]) -> list[int]:
    return [names.index(name) for name in variant.features]


def _line(variant: Variant, judged: Rows, scores: NDArray[Any], full: Scores) -> Line:
    from sklearn.metrics import average_precision_score, roc_auc_score

    losses = log_losses(judged.labels, scores)
    more = losses - full
    return Line(
        kind=variant.kind,
        name=variant.name,
        features=len(variant.features),
        roc_auc=finite("ROC AUC", roc_auc_score(judged.labels, scores)),
        pr_auc=finite("PR AUC", average_precision_score(judged.labels, scores)),
        log_loss=finite("log loss", losses.mean()),
        more_loss=finite("difference of log loss", more.mean()),
        margin=finite("margin", INTERVAL * more.std() / math.sqrt(len(more))),
    )
