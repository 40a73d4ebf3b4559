"""Compares a challenger with the champion, and writes metrics and report whatever the verdict."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headgate_components import html, models, tables
from headgate_components.evaluation.compare_to_champion.bootstrap import improvements, lower_bound, value
from headgate_components.evaluation.compare_to_champion.champion import Champion, find_champion
from headgate_components.evaluation.compare_to_champion.judgement import KEEP, PROMOTE, Judgement, Measured, Rule, judge
from headgate_components.evaluation.compare_to_champion.report import sections
from headgate_components.files import replace_text
from headgate_components.finite import all_finite
from headgate_components.labels import UnfitRowsError
from headgate_components.latency import latencies
from headgate_components.scored import Labelled, read_labelled, score
from headgate_components.step import StepError
from headgate_monitor.detectors.distances import ks_distance

TITLE = "Challenger and champion"
FEWEST_OF_A_CLASS = 10


@dataclass(frozen=True)
class Registered:
    """Where the champion is found."""

    model_name: str
    tracking_uri: str
    alias: str


@dataclass(frozen=True)
class Comparison:
    """The outcome of a comparison."""

    judgement: Judgement
    measured: Measured | None = None
    """None if there was nothing to measure, or it could not be."""

    @property
    def shift(self) -> float:
        """How far the challenger's predictions are from the champion's on the same rows, 0 to 1; 0 if there is nothing to compare with."""
        return self.measured.shift if self.measured else 0.0

    @property
    def metrics(self) -> dict[str, float]:
        """The scalar metrics, all finite; empty if nothing was measured."""
        if self.measured is None:
            return {}
        return all_finite(
            {
                "challenger": self.measured.challenger,
                "champion": self.measured.champion,
                "improvementLowerBound": self.measured.lower_bound,
                "latencyRatio": self.measured.latency_ratio,
                "predictionShift": self.measured.shift,
                "rows": float(self.measured.rows),
            }
        )


def compare(
    rows: Path, features_path: Path, model_path: Path, *, label: str, registered: Registered, rule: Rule, metrics_path: Path, report: Path
) -> Comparison:
    """Judges the challenger, and writes `metrics_path` (JSON) and `report` (HTML).

    A champion that cannot be read is kept: nobody knows that the challenger is as good.

    Raises:
        StepError: the challenger or the rows cannot be read.
    """
    comparison = _compare(rows, features_path, model_path, label, registered, rule)
    replace_text(metrics_path, json.dumps(comparison.metrics, indent=1))
    html.write(report, TITLE, sections(comparison.judgement, comparison.measured, rule))
    return comparison


def _compare(rows: Path, features_path: Path, model_path: Path, label: str, registered: Registered, rule: Rule) -> Comparison:
    try:
        champion = find_champion(registered.tracking_uri, registered.model_name, registered.alias)
    except StepError as error:
        return Comparison(Judgement(KEEP, f"the champion cannot be read: {error}"))
    if champion is None:
        return Comparison(Judgement(PROMOTE, f"'{registered.model_name}' has no version with the alias '{registered.alias}' yet"))
    try:
        measured = _measure(read_labelled(rows, label), champion, features_path, model_path, rule)
    except UnfitRowsError as error:
        return Comparison(Judgement(KEEP, f"nothing can be compared: {error}"))
    return Comparison(judge(measured, rule, champion.version), measured)


def _measure(rows: Labelled, champion: Champion, features_path: Path, model_path: Path, rule: Rule) -> Measured:
    fewest = int(min(rows.labels.sum(), len(rows.labels) - rows.labels.sum()))
    if fewest < FEWEST_OF_A_CLASS:
        raise UnfitRowsError(f"one of the classes has only {fewest} evaluation rows; at least {FEWEST_OF_A_CLASS} are needed")
    features, booster = models.read_features(features_path), models.read_model(model_path)
    challenger_scores = score(rows.table, features, booster)
    try:
        champion_scores = score(rows.table, champion.model.features, champion.model.booster)
    except StepError as error:
        raise UnfitRowsError(f"version {champion.version} cannot answer the evaluation rows: {error}") from error
    differences = improvements(rule.metric, rows.labels, champion_scores, challenger_scores, resamples=rule.resamples, seed=rule.seed)
    columns = tables.arrays(rows.table, {*features.names, *champion.model.features.names})
    took = latencies([(champion.model.features, champion.model.booster), (features, booster)], columns)
    return Measured(
        rows=len(rows.labels),
        champion=value(rule.metric, rows.labels, champion_scores),
        challenger=value(rule.metric, rows.labels, challenger_scores),
        lower_bound=lower_bound(differences, rule.confidence),
        shift=ks_distance(np.sort(champion_scores), challenger_scores),
        champion_ms=took[0].median,
        challenger_ms=took[1].median,
    )
