"""Judges what a model decides for groups of rows, and writes metrics and report whatever the verdict."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from headgate_components import html, models
from headgate_components.evaluation.fairness.rates import RATES, Comparison, compare
from headgate_components.evaluation.fairness.report import sections
from headgate_components.files import replace_text
from headgate_components.finite import all_finite
from headgate_components.groups import group_names, present
from headgate_components.labels import UnfitRowsError
from headgate_components.scored import read_labelled, score
from headgate_components.step import StepError

TITLE = "Fairness"
_LIMITED = ("selection rate", "true positive rate", "error rate")


@dataclass(frozen=True)
class Rule:
    """How to decide and to judge."""

    threshold: float = 0.5
    """Probability from which on 1 is predicted."""

    maximum_difference: float = 0.0
    """Largest difference between two groups in selection, true positive or error rate; 0 only reports."""

    minimum_rows: int = 100
    """Smaller groups are not compared: chance alone sets them apart."""

    def check(self, groups: Sequence[str]) -> None:
        """Refuses numbers that mean nothing.

        Raises:
            StepError: names the number.
        """
        for name, value in (("threshold", self.threshold), ("maximum_difference", self.maximum_difference)):
            if not 0 <= value <= 1:
                raise StepError(f"{name} is {value}; allowed are 0 to 1")
        if self.minimum_rows < 1:
            raise StepError(f"minimum_rows is {self.minimum_rows}; allowed are 1 and more")
        if self.maximum_difference and not groups:
            raise StepError(
                f"maximum_difference is {self.maximum_difference} but groups is empty; name the columns whose groups are compared"
            )


@dataclass(frozen=True)
class Fairness:
    """The outcome of a fairness check."""

    comparisons: tuple[Comparison, ...]
    problems: tuple[str, ...]
    """One sentence each; the groups are near enough if there is none."""

    @property
    def metrics(self) -> dict[str, float]:
        """The largest difference of each rate over all columns, such as `selectionRateDifference`, where two groups could be compared."""
        found = {rate: [gap.size for part in self.comparisons if (gap := part.gap(rate))] for rate in RATES}
        return all_finite({_metric_name(rate): max(sizes) for rate, sizes in found.items() if sizes})


def fairness(
    rows: Path, features_path: Path, model_path: Path, *, label: str, groups: Sequence[str], rule: Rule, metrics_path: Path, report: Path
) -> Fairness:
    """Compares the groups of each column, and writes `metrics_path` (JSON) and `report` (HTML).

    Raises:
        StepError: a file cannot be read, or the rule means nothing.
    """
    rule.check(groups)
    try:
        labelled = read_labelled(rows, label)
        probabilities = score(labelled.table, models.read_features(features_path), models.read_model(model_path))
        columns, absent = present(labelled.table, groups)
        decided = (probabilities >= rule.threshold).astype(int)
        comparisons = [compare(name, group_names(labelled.table, name), labelled.labels, decided, rule.minimum_rows) for name in columns]
        found = Fairness(tuple(comparisons), (*absent, *_problems(comparisons, rule)))
    except UnfitRowsError as error:
        found = Fairness((), (str(error),))
    replace_text(metrics_path, json.dumps(found.metrics, indent=1))
    verdict = [html.verdict(found.problems)] if found.comparisons or found.problems else []  # nothing compared is nothing passed
    html.write(report, TITLE, [*verdict, *sections(found.comparisons, rule.threshold, rule.minimum_rows)])
    return found


def _problems(comparisons: Sequence[Comparison], rule: Rule) -> Iterator[str]:
    if not rule.maximum_difference:
        return
    for comparison in comparisons:
        if len(comparison.compared) < 2:
            yield f"'{comparison.column}' has no two groups of at least {rule.minimum_rows} rows to compare; name another column"
        for rate in _LIMITED:
            gap = comparison.gap(rate)
            if gap and gap.size > rule.maximum_difference:
                yield (
                    f"the {rate} is {gap.most:.3f} where '{comparison.column}' is {gap.most_group} and {gap.least:.3f} where it is "
                    f"{gap.least_group}; a difference of at most {rule.maximum_difference:g} is allowed"
                )


def _metric_name(rate: str) -> str:
    first, *rest = rate.split()
    return first + "".join(word.capitalize() for word in rest) + "Difference"
