"""Skill of the version that serves, and whether it fell since promotion.

The Brier score follows the base rate: where hardly anybody is late, it is easy to be right. Skill compares it with a forecast that knows
the base rate and nothing else: 1 - Brier / (ȳ(1 - ȳ)), 1 for a prophet, 0 for the base rate. (A. H. Murphy: A new vector partition of the
probability score, J. Appl. Meteorol. 12 (1973).)

Labels of one hour hang together, so the uncertainty comes from the differences between hours (the linearised variance of a ratio of
cluster totals), not from the number of labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np

from headgate_monitor.detectors.columns import Values
from headgate_monitor.truth.cohort import Tally
from headgate_monitor.watch.alarm import Outcome, Signal, worst

RECENT: Final = 28 * 86_400.0
"""Seconds that present skill is measured over."""

MINIMUM_LABELS: Final = 500
MINIMUM_HOURS: Final = 12
_CERTAIN: Final = 3.0
"""Standard errors: about one false alarm in 700 independent looks at a version whose skill fell by just what is allowed."""


@dataclass(frozen=True)
class Estimate:
    """A value and the variance of its error."""

    value: float
    variance: float


@dataclass(frozen=True)
class Quality:
    """How well a version predicted over some hours."""

    labels: int
    skill: Estimate | None
    """None where all labels were alike: nothing can be told from that."""
    accuracy: Estimate


@dataclass(frozen=True)
class Allowed:
    """How much may be lost since promotion; None: anything."""

    skill_drop: float | None = None
    """As a share of the skill at promotion."""
    accuracy_drop: float | None = None
    """As a difference of accuracies."""

    @property
    def anything(self) -> bool:
        """Whether nothing is asked."""
        return self.skill_drop is None and self.accuracy_drop is None


def measure(hours: Sequence[Tally]) -> Quality | None:
    """Return the quality over the hours; None if there are too few labels or hours."""
    counted = [hour for hour in hours if hour.labelled]
    labels = sum(hour.labelled for hour in counted)
    if labels < MINIMUM_LABELS or len(counted) < MINIMUM_HOURS:
        return None
    n, brier, errors, positives = (
        np.array([getattr(hour, name) for hour in counted], dtype=np.float64) for name in ("labelled", "brier", "errors", "positives")
    )
    base, score, wrong = positives.sum() / labels, brier.sum() / labels, errors.sum() / labels
    of_base = base * (1 - base)
    skill = None
    if of_base > 0:
        influence = -(brier - score * n) / of_base + score * (1 - 2 * base) / of_base**2 * (positives - base * n)
        skill = Estimate(float(1 - score / of_base), _variance(influence / labels))
    return Quality(labels, skill, Estimate(float(1 - wrong), _variance((errors - wrong * n) / labels)))


def dropped(promoted: Quality | None, recent: Quality | None, allowed: Allowed) -> Outcome:
    """Say whether the version lost more than is allowed since it was promoted."""
    if allowed.anything:
        return Outcome(Signal.UNKNOWN, "the manifest has nothing retrained on labels")
    if promoted is None or recent is None:
        since = "from the time of promotion" if promoted is None else "since"
        return Outcome(Signal.UNKNOWN, f"fewer than {MINIMUM_LABELS} labels of {MINIMUM_HOURS} hours {since}")
    found = []
    if allowed.skill_drop is not None:
        found.append(_skill(promoted.skill, recent.skill, allowed.skill_drop))
    if allowed.accuracy_drop is not None:
        found.append(_fell("accuracy", promoted.accuracy, recent.accuracy, keep=1.0, less=allowed.accuracy_drop))
    return worst(found)


def _skill(promoted: Estimate | None, recent: Estimate | None, drop: float) -> Outcome:
    if promoted is None or recent is None:
        return Outcome(Signal.UNKNOWN, "skill: all labels are alike")
    if promoted.value <= _CERTAIN * sqrt(promoted.variance):
        return Outcome(Signal.UNKNOWN, f"skill: {promoted.value:.3f} at promotion is too little to tell whether any was lost")
    return _fell("skill", promoted, recent, keep=1 - drop, less=0.0)


def _fell(what: str, promoted: Estimate, recent: Estimate, *, keep: float, less: float) -> Outcome:
    least = keep * promoted.value - less
    noise = sqrt(keep**2 * promoted.variance + recent.variance)
    said = f"{what} {recent.value:.3f} over the last {RECENT / 86_400:g} days, {promoted.value:.3f} at promotion"
    if least - recent.value > _CERTAIN * noise:
        return Outcome(Signal.SEVERE, f"{said}, least allowed {least:.3f}")
    return Outcome(Signal.CLEAN, said)


def _variance(influence: Values) -> float:
    clusters = len(influence)
    return float((influence**2).sum() * clusters / (clusters - 1))
