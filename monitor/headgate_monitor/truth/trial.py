"""The version on trial beside stable, by their labels: worse by more than the margin, not worse, or not known yet.

Only cohorts that are due are counted, each once: nearly all its labels are there, for both versions, or the time in which labels come is
over. Where one version's labels come more often than the other's, the losses that are known say little about those that are not: then
nothing is compared.
"""

from dataclasses import dataclass, field, replace
from math import exp, log, sqrt
from typing import Final

from headgate_monitor.truth.betting import FRESH, Capital, against_at_least, against_at_most, log_evidence
from headgate_monitor.truth.cohort import Row, Tally, differences, tally
from headgate_monitor.truth.losses import Metric
from headgate_monitor.watch.alarm import Outcome, Signal

DUE_COVERAGE: Final = 0.95
"""A cohort need not wait any longer when so many of both versions' predictions have labels."""

LARGEST_GAP: Final = 0.10
"""Shares of labelled predictions that differ by more (and by more than chance would) are not comparable."""

_CERTAIN: Final = 3.0  # standard errors
_NOT_WORSE_AT: Final = log(20)  # 95 % confidence


@dataclass(frozen=True)
class Settings:
    """What is compared, and how surely.

    `margin` is in the metric's unit; `error_rate` is how likely a version that is worse by no more than the margin may be called worse.
    """

    metric: Metric = Metric.BRIER
    margin: float = 0.02
    error_rate: float = 0.01

    @property
    def bound(self) -> float:
        """Natural log of the evidence that convicts."""
        return -log(self.error_rate)


@dataclass(frozen=True)
class TrialState:
    """What the cohorts that were counted say; survives a restart."""

    worse: Capital = FRESH
    not_worse: Capital = FRESH
    peak: float = 0.0
    """Natural log of the largest evidence for "worse" so far, seen while labels were comparable."""
    stable: Tally = field(default_factory=Tally)
    trial: Tally = field(default_factory=Tally)
    compared: int = 0
    paired: int = 0
    """Of the comparisons, those of one request that both answered."""

    def after(self, stable: list[Row], trial: list[Row], settings: Settings) -> "TrialState":
        """Return the state after one more cohort."""
        found, paired = differences(stable, trial, settings.metric)
        margin = settings.margin / settings.metric.worst
        new = replace(
            self,
            worse=against_at_most(self.worse, found, margin),
            not_worse=against_at_least(self.not_worse, found, margin),
            stable=self.stable + tally(stable),
            trial=self.trial + tally(trial),
            compared=self.compared + len(found),
            paired=self.paired + paired,
        )
        return new if new.uneven else replace(new, peak=max(self.peak, log_evidence(new.worse)))

    @property
    def uneven(self) -> bool:
        """Whether one version's labels come too much more often than the other's."""
        sides = self.stable, self.trial
        if not all(side.predictions for side in sides):
            return False
        gap = abs(self.stable.coverage - self.trial.coverage)
        noise = sqrt(sum(side.coverage * (1 - side.coverage) / side.predictions for side in sides))
        return gap > LARGEST_GAP and gap > _CERTAIN * noise

    def coverage(self) -> Outcome:
        """Say whether labels come alike for both."""
        if not self.stable.predictions:
            return Outcome(Signal.UNKNOWN, "no labels are due yet")
        said = f"{self.trial.coverage:.0%} of the trial's predictions have labels, {self.stable.coverage:.0%} of stable's"
        if self.uneven:
            return Outcome(Signal.DRIFT, f"{said}: too uneven to compare them")
        return Outcome(Signal.CLEAN, said)

    def outcome(self, settings: Settings) -> Outcome:
        """Say whether the version on trial predicts worse."""
        if self.peak >= settings.bound:
            return Outcome(Signal.SEVERE, f"{self._numbers(settings)}: worse by more than {settings.margin:g} ({self._evidence(settings)})")
        if not self.compared or self.uneven:
            return Outcome(Signal.UNKNOWN, self.coverage().message)
        if log_evidence(self.not_worse) >= _NOT_WORSE_AT:
            return Outcome(Signal.CLEAN, f"{self._numbers(settings)}: not worse by {settings.margin:g} or more")
        return Outcome(Signal.UNKNOWN, f"{self._numbers(settings)}: not decided yet ({self._evidence(settings)})")

    def _numbers(self, settings: Settings) -> str:
        own, other = (
            f"{mean:.3f}" if (mean := side.mean(settings.metric)) is not None else "unknown" for side in (self.trial, self.stable)
        )
        improbable = f"; {self.trial.improbable} of the trial's are no probabilities" if self.trial.improbable else ""
        labels = f"({self.trial.labelled} and {self.stable.labelled} labels{improbable})"
        return f"the trial's {settings.metric.words} is {own}, stable's {other} {labels}"

    def _evidence(self, settings: Settings) -> str:
        return f"evidence {exp(min(self.peak, 50.0)):.3g} of {exp(settings.bound):.3g}"
