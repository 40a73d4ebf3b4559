"""Whether a version's answers are broken: not numbers, or always the same, or its requests not understood. Stable is the measure."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import fisher_exact

from headgate_monitor.detectors.columns import Values
from headgate_monitor.watch.alarm import Outcome, Signal

_FLOOR: Final = 0.05
"""A difference of shares below this is not worth an alarm."""

_ALL: Final = 0.5
"""When more than this share of the answers is broken, and stable's are not, no test is needed."""


@dataclass
class Counted:
    """What was counted of one version in a window."""

    answers: int = 0
    broken: int = 0
    """Answers that are NaN, infinite or null."""
    requests: int = 0
    misunderstood: int = 0
    """Rows without the columns or kinds of the reference."""
    lowest: float = np.inf
    highest: float = -np.inf

    def add_answers(self, predictions: Values) -> None:
        """Count predictions; NaN and infinite ones are broken."""
        finite = predictions[np.isfinite(predictions)]
        self.answers += len(predictions)
        self.broken += len(predictions) - len(finite)
        if len(finite):
            self.lowest, self.highest = min(self.lowest, float(finite.min())), max(self.highest, float(finite.max()))

    @property
    def constant(self) -> bool:
        """Whether every number was the same."""
        return self.lowest == self.highest


def hard_limit(stable: Counted, trial: Counted, minimum: int) -> Outcome | None:
    """Return what is wrong beyond all doubt, as soon as there are enough answers; None if nothing is."""
    if trial.answers < minimum:
        return None
    share, own = trial.broken / trial.answers, stable.broken / max(1, stable.answers)
    if share > _ALL and own < _ALL:
        return Outcome(Signal.SEVERE, f"{share:.0%} of the trial's answers are NaN, infinite or null, {own:.0%} of stable's")
    if trial.constant and stable.answers >= minimum and not stable.constant:
        return Outcome(Signal.SEVERE, f"the trial answers {trial.lowest:.4g} to everything, stable does not")
    return None


def judge_quality(stable: Counted, trial: Counted, *, minimum: int, alpha: float) -> Outcome:
    """Return what a whole window says: hard limits, then one-sided tests against stable."""
    broken = hard_limit(stable, trial, minimum)
    if broken is not None:
        return broken
    if min(stable.answers, trial.answers) < minimum:
        return Outcome(Signal.UNKNOWN, f"quality: fewer than {minimum} answers of the trial or of stable in a window")
    found = [
        _worse("answers that are no numbers", (trial.broken, trial.answers), (stable.broken, stable.answers), alpha),
        _worse("rows that do not fit the reference", (trial.misunderstood, trial.requests), (stable.misunderstood, stable.requests), alpha),
    ]
    messages = [message for message in found if message]
    return Outcome(Signal.DRIFT, "; ".join(messages)) if messages else Outcome(Signal.CLEAN, "quality: no worse than stable's")


def _worse(what: str, trial: tuple[int, int], stable: tuple[int, int], alpha: float) -> str:
    share, own = trial[0] / max(1, trial[1]), stable[0] / max(1, stable[1])
    if share - own <= _FLOOR or not trial[1] or not stable[1]:
        return ""
    p = float(fisher_exact([[trial[0], trial[1] - trial[0]], [stable[0], stable[1] - stable[0]]], alternative="greater")[1])
    return f"{what}: {share:.1%} against stable's {own:.1%} (p {p:.1g}, n {trial[1]} against {stable[1]})" if p < alpha else ""
