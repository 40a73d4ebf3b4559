"""The version on trial beside stable, over the same time: the same clients? the same predictions? answers as good?

Both sides of a window cover the same interval, whatever their shares of the traffic. A window that saw the weight change is thrown away:
a ramp inside one window looks like other clients. Neither side is compared with the training data here, so a changed world is no alarm.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from headgate_monitor.detectors.columns import ColumnKind, Values
from headgate_monitor.detectors.feature import MINIMUM_FLOOR, MINIMUM_WINDOWS, PREDICTION, FeatureReference
from headgate_monitor.detectors.reference import Reference
from headgate_monitor.detectors.score import Scorer, WindowScore
from headgate_monitor.watch.alarm import Alarm, Outcome, Signal
from headgate_monitor.watch.inputs import with_rates
from headgate_monitor.watch.quality import Counted, hard_limit, judge_quality
from headgate_monitor.watch.record import REMEMBERED, Compared, furthest
from headgate_monitor.watch.sample import Sample
from headgate_monitor.watch.settings import Windows
from headgate_monitor.watch.wording import judge

_SAMPLED = 4
"""At most so many windows' rows are kept of the side with more traffic."""


@dataclass(frozen=True)
class ComparisonState:
    """What the windows said so far; survives a restart."""

    routing: Alarm = field(default_factory=Alarm)
    prediction: Alarm = field(default_factory=Alarm)
    quality: Alarm = field(default_factory=Alarm)
    records: tuple[Compared, ...] = ()
    """Windows that ended, newest last."""


class _Side:
    """One version's part of a window."""

    def __init__(self, width: int, limit: int, random: np.random.Generator) -> None:
        self.inputs = Sample(width, limit, random)
        self.predictions = Sample(1, limit, random)
        self.counted = Counted()

    @property
    def rows(self) -> int:
        return max(self.inputs.seen, self.predictions.seen)


class Comparison:
    """Windows of two versions.

    Args:
        reference: Stable's; both sides' rows are encoded by it. None: there is none, so their requests cannot be compared.
        windows: How traffic is cut.
        expected: How far predictions may differ because the models do (KS distance).
        at: When the first window begins, seconds.
        state: What earlier windows said.
    """

    def __init__(
        self, reference: Reference | None, windows: Windows, *, expected: float, at: float, state: ComparisonState = ComparisonState()
    ) -> None:
        self.state = state
        self._windows = windows
        self._features = tuple(_concurrent(feature, windows) for feature in (reference.features if reference else ()))
        self._prediction = _prediction(MINIMUM_FLOOR + expected)
        self._random = np.random.default_rng(0)
        self.restart(at)

    def restart(self, at: float) -> None:
        """Throw the present window away and begin another."""
        limit = _SAMPLED * self._windows.rows
        self._began = at
        self._stable, self._trial = (_Side(len(self._features), limit, self._random) for _ in range(2))

    def add_inputs(self, rows: Values, bad: int, *, of_trial: bool) -> None:
        """Add requests' rows, and count those that did not fit the reference."""
        side = self._side(of_trial)
        side.inputs.add(rows)
        side.counted.requests += len(rows) + bad
        side.counted.misunderstood += bad

    def add_predictions(self, predictions: Values, *, of_trial: bool) -> None:
        """Add answers, shape (rows,)."""
        side = self._side(of_trial)
        side.counted.add_answers(predictions)
        finite = predictions[np.isfinite(predictions)]
        side.predictions.add(finite.reshape(-1, 1))

    def advance(self, at: float) -> bool:
        """End the window if the trial's side is full and stable's large enough, if time is over, or at once if answers are broken.

        Returns:
            Whether it ended.
        """
        minimum = self._windows.minimum_rows
        full = self._trial.rows >= self._windows.rows and self._stable.rows >= minimum
        broken = hard_limit(self._stable.counted, self._trial.counted, minimum) is not None
        over = full or broken or at - self._began >= self._windows.seconds
        if over:
            self._end(at)
        return over

    def _side(self, of_trial: bool) -> _Side:
        return self._trial if of_trial else self._stable

    def _end(self, at: float) -> None:
        alpha = self._windows.alpha(at - self._began)
        routing, clients = self._judge(
            self._features, self._stable.inputs, self._trial.inputs, alpha, "the trial's requests against stable's"
        )
        subject = "the trial's predictions against stable's"
        prediction, answers = self._judge((self._prediction,), self._stable.predictions, self._trial.predictions, alpha, subject)
        quality = judge_quality(self._stable.counted, self._trial.counted, minimum=self._windows.minimum_rows, alpha=alpha)
        record = Compared(
            at, self._stable.rows, self._trial.rows, routing.signal, prediction.signal, quality.signal, furthest(clients), furthest(answers)
        )
        self.state = ComparisonState(
            routing=self.state.routing.after(routing, at),
            prediction=self.state.prediction.after(prediction, at),
            quality=self.state.quality.after(quality, at),
            records=(*self.state.records, record)[-REMEMBERED:],
        )
        self.restart(at)

    def _judge(
        self, features: tuple[FeatureReference, ...], stable: Sample, trial: Sample, alpha: float, subject: str
    ) -> tuple[Outcome, WindowScore | None]:
        minimum = self._windows.minimum_rows
        if not features:
            return Outcome(Signal.UNKNOWN, f"{subject}: stable has no reference that names the columns"), None
        if min(stable.seen, trial.seen) < minimum:
            return Outcome(Signal.UNKNOWN, f"{subject}: fewer than {minimum} rows of one of them in a window"), None
        base = stable.take()
        reference = Reference(with_rates(features, base), base, self._windows.rows, len(base))
        score = Scorer(reference, alpha=alpha, minimum_rows=minimum).score_encoded(trial.take())
        return judge(score, features, compared=len(base), subject=subject), score


def _concurrent(feature: FeatureReference, windows: Windows) -> FeatureReference:
    """Return the feature with the smallest floor: season and hour are the same for both, so nothing else has to be allowed for."""
    excluded = not windows.watches(feature.name)
    return replace(feature, floor=MINIMUM_FLOOR, missing_floor=MINIMUM_FLOOR, windows=MINIMUM_WINDOWS, excluded=excluded)


def _prediction(floor: float) -> FeatureReference:
    return FeatureReference(PREDICTION, ColumnKind.NUMBER, missing_rate=0.0, floor=floor, missing_floor=1.0, windows=MINIMUM_WINDOWS)
