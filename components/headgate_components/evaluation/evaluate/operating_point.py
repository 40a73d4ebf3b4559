"""The threshold a model would be used at, and whether it reaches the target there."""

import re
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from headgate_components.evaluation.evaluate.quality import Thresholds
from headgate_components.labels import Labels
from headgate_components.scored import Scores
from headgate_components.step import StepError

DEFAULT_THRESHOLD = 0.5
_EXAMPLE = "recall >= 0.85 at precision >= 0.90"


class Measure(StrEnum):
    """What a target can ask for; fields of `Thresholds` and of `OperatingPoint`."""

    RECALL = "recall"
    PRECISION = "precision"
    SPECIFICITY = "specificity"


_ASKED = rf"({'|'.join(Measure)}) *>= *([0-9.]+)"
_TARGET = re.compile(rf"{_ASKED} +at +{_ASKED}")


@dataclass(frozen=True)
class Asked:
    """A least value of a measure."""

    measure: Measure
    least: float

    def __str__(self) -> str:
        return f"{self.measure} >= {self.least:g}"


@dataclass(frozen=True)
class Target:
    """Reach `goal` at a threshold where `condition` holds."""

    goal: Asked
    condition: Asked

    @classmethod
    def parse(cls, text: str) -> "Target":
        """The target a text such as "recall >= 0.85 at precision >= 0.90" asks for.

        Raises:
            StepError: the text is no target.
        """
        found = _TARGET.fullmatch(text.strip())
        if found is None:
            raise StepError(f"the target {text!r} cannot be read; write it like '{_EXAMPLE}', of {', '.join(Measure)}")
        goal, condition = _asked(found[1], found[2]), _asked(found[3], found[4])
        if goal.measure is condition.measure:
            raise StepError(f"the target {text!r} names {goal.measure} twice; ask for two different ones, like '{_EXAMPLE}'")
        return cls(goal, condition)


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold, and what predicting 1 from it on decides."""

    threshold: float
    recall: float
    precision: float
    """0 if nothing is predicted 1."""

    specificity: float
    confusion: tuple[tuple[int, int], tuple[int, int]]
    """Counts by (label, predicted): ((0 as 0, 0 as 1), (1 as 0, 1 as 1))."""


def choose(target: Target | None, thresholds: Thresholds) -> float:
    """Of the thresholds where the target's condition holds, the one with the most of its goal; one half if there is none or no target.

    Chosen on the rows it is then measured on, its values are a little better than they will be; with thousands of rows that is little.
    """
    if target is None:
        return DEFAULT_THRESHOLD
    allowed = np.flatnonzero(_values(thresholds, target.condition.measure) >= target.condition.least)
    if not len(allowed):
        return DEFAULT_THRESHOLD
    return float(thresholds.threshold[allowed[np.argmax(_values(thresholds, target.goal.measure)[allowed])]])


def operating_point(labels: Labels, probabilities: Scores, threshold: float) -> OperatingPoint:
    """What a threshold decides."""
    predicted = probabilities >= threshold
    (true_negative, false_positive), (false_negative, true_positive) = (
        tuple(int(np.sum((labels == label) & (predicted == decision))) for decision in (False, True)) for label in (0, 1)
    )
    return OperatingPoint(
        threshold=threshold,
        recall=true_positive / (true_positive + false_negative),
        precision=true_positive / max(1, true_positive + false_positive),
        specificity=true_negative / (true_negative + false_positive),
        confusion=((true_negative, false_positive), (false_negative, true_positive)),
    )


def target_problem(target: Target, point: OperatingPoint, thresholds: Thresholds) -> str | None:
    """One sentence if the target is missed."""
    if _reached(point, target.condition.measure) < target.condition.least:
        most = float(_values(thresholds, target.condition.measure).max())
        return f"no threshold reaches {target.condition}; the most is {most:.3f}"
    if (reached := _reached(point, target.goal.measure)) < target.goal.least:
        at = f"at {target.condition} (threshold {point.threshold:.3f})"
        return f"{target.goal.measure} is {reached:.3f} {at}, at least {target.goal.least:.3f} is required"
    return None


def _asked(measure: str, least: str) -> Asked:
    try:
        number = float(least)
    except ValueError as error:
        raise StepError(f"the target asks for {measure} >= {least}, which is no number") from error
    if not 0 <= number <= 1:
        raise StepError(f"the target asks for {measure} >= {least}; allowed are shares from 0 to 1")
    return Asked(Measure(measure), number)


def _values(thresholds: Thresholds, measure: Measure) -> Scores:
    values: Scores = getattr(thresholds, measure)
    return values


def _reached(point: OperatingPoint, measure: Measure) -> float:
    value: float = getattr(point, measure)
    return value
