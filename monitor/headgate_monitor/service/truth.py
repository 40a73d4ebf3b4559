"""Ground truth of one ModelDeployment: cohorts that are open, due and over; what they say about the trial and about skill.

A cohort is what was predicted in one short interval under one weight. It is counted once for the trial, when it is due. Its labels may be
corrected until the horizon is over; then it goes into the hourly sums that skill is measured from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pydantic import TypeAdapter

from headgate_monitor.service.ledger import SHARES, Ledger, Prediction, kept
from headgate_monitor.truth.cohort import Row, Tally, tally
from headgate_monitor.truth.skill import RECENT, Allowed, Quality, dropped, measure
from headgate_monitor.truth.trial import DUE_COVERAGE, Settings, TrialState
from headgate_monitor.watch.alarm import NOTHING_ON_TRIAL, Outcome

_HOUR: Final = 3600.0
_SHORTEST, _LONGEST = 1.0, _HOUR  # seconds that a cohort may last
_PARTS: Final = 100
_LARGEST_PENDING: Final = 1000
"""Cohorts that wait for their labels; beyond it the oldest is not counted."""


@dataclass(frozen=True)
class TruthPlan:
    """Whose predictions are kept, for how long (seconds), and what is judged by their labels. Equal plans are the same plan."""

    stable: str
    trial: str | None
    weight: int
    horizon: float
    settings: Settings
    allowed: Allowed

    @property
    def pair(self) -> tuple[str, str] | None:
        """The versions that are compared."""
        return (self.stable, self.trial) if self.trial else None

    @property
    def cohort(self) -> float:
        """How long a cohort lasts, seconds: so short that little changes within it, and so long that there are not too many."""
        return min(max(self.horizon / _PARTS, _SHORTEST), _LONGEST)


@dataclass(frozen=True)
class Pending:
    """A cohort of a pair that was not counted yet."""

    began: float
    ended: float


@dataclass(frozen=True)
class TruthState:
    """What survives a restart, beside predictions and sums."""

    open: float
    """When the present cohort began."""
    pair: tuple[str, str] | None = None
    pending: tuple[Pending, ...] = ()
    trial: TrialState = field(default_factory=TrialState)
    promoted: Mapping[str, Quality] = field(default_factory=dict)
    """Quality at promotion, of the stable version."""
    share: int = SHARES
    """Of 1024, how many request ids are kept."""


STATE: Final = TypeAdapter(TruthState)


@dataclass(frozen=True)
class Truths:
    """What labels say now."""

    ground_truth: Outcome
    coverage: Outcome
    skill: Outcome
    sides: Mapping[str, Tally]
    """Of the cohorts that were counted for the trial, by version."""
    stable: str = ""
    """The version that serves."""
    qualities: Mapping[str, Quality] = field(default_factory=dict)
    """Its quality at `promotion` and of late (`recent`), as far as there are labels enough."""


class Truth:
    """Follows one plan, then another; what is known of a pair ends with the pair.

    Args:
        name: Of the ModelDeployment.
        ledger: Where predictions and labels are.
        plan: What to follow.
        at: When, seconds.
        state: What was known before.
    """

    def __init__(self, name: str, ledger: Ledger, plan: TruthPlan, *, at: float, state: TruthState | None = None) -> None:
        self._name, self._ledger, self.plan = name, ledger, plan
        self.state = state or TruthState(open=at)
        self._looked = at
        self._spoiled = False
        self._waiting: list[Prediction] = []
        self._skill = dropped(None, None, plan.allowed)
        self._qualities: Mapping[str, Quality] = {}
        self._mind(plan)

    def follow(self, plan: TruthPlan, at: float) -> None:
        """Go on with another plan. A cohort under two weights would compare different times with each other, so the open one ends."""
        if plan == self.plan:
            return
        self.flush()
        self._close(at)
        if (plan.settings, plan.horizon) != (self.plan.settings, self.plan.horizon):  # other evidence answers another question
            self.state = replace(self.state, trial=TrialState(), pending=())
        self.plan = plan
        self._mind(plan)

    def add(self, version: str, request: str, predictions: Sequence[float], at: float) -> bool:
        """Keep what a version answered; return whether the request is among those that are kept."""
        if not kept(request, self.state.share):
            return False
        self._waiting += (
            Prediction(self._name, request, row, version, self.state.open, at, value) for row, value in enumerate(predictions)
        )
        return True

    def flush(self) -> int:
        """Write what was kept since the last time; return how many predictions."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._ledger.add(waiting)
        return len(waiting)

    def advance(self, at: float) -> bool:
        """End the cohort that is over, count those that are due, sum up those beyond the horizon; return whether anything changed."""
        before = self.state
        if at - self.state.open >= self.plan.cohort:
            self.flush()
            self._close(at)
        if at - self._looked >= max(1.0, self.plan.cohort / 4):
            self._looked = at
            with self._ledger.together():
                self._count_due(at)
                self._sum_up(at)
                if self.state != before:
                    self.save()  # with the sums, or a crash in between would count a cohort twice or never
        return self.state != before

    def save(self) -> None:
        """Write the state."""
        self._ledger.save(self._name, STATE.dump_json(self.state))

    def distrust(self) -> None:
        """Count none of the cohorts that wait, nor the open one: the two versions got requests of different kinds."""
        self._spoiled = True
        if self.state.pending:
            self.state = replace(self.state, pending=())

    def thin(self) -> None:
        """Keep half of the ids from now on."""
        self.flush()
        self.state = replace(self.state, share=max(1, self.state.share // 2))
        self._ledger.thin(self._name, self.state.share)

    def truths(self) -> Truths:
        """Return what labels say."""
        state, plan = self.state, self.plan
        if plan.trial is None:
            return Truths(NOTHING_ON_TRIAL, NOTHING_ON_TRIAL, self._skill, {}, plan.stable, self._qualities)
        sides = {plan.stable: state.trial.stable, plan.trial: state.trial.trial}
        return Truths(state.trial.outcome(plan.settings), state.trial.coverage(), self._skill, sides, plan.stable, self._qualities)

    def _mind(self, plan: TruthPlan) -> None:
        if self.state.pair != plan.pair:
            self.state = replace(self.state, pair=plan.pair, pending=(), trial=TrialState())
        known = {id_: quality for id_, quality in self.state.promoted.items() if id_ in (plan.stable, plan.trial)}
        self.state = replace(self.state, promoted=known)
        self._measure()

    def _close(self, at: float) -> None:
        pending = self.state.pending
        if self.state.pair is not None and not self._spoiled:
            pending = (*pending, Pending(self.state.open, at))[-_LARGEST_PENDING:]
        self.state = replace(self.state, open=at, pending=pending)
        self._spoiled = False

    def _count_due(self, at: float) -> None:
        if self.state.pair is None or not self.state.pending:
            return
        stable, trial = self.state.pair
        counts = self._ledger.counts(self._name, self.state.pending[0].began)
        left = []
        for cohort in self.state.pending:
            found = counts.get(cohort.began, {})
            sides = [found.get(version, (0, 0)) for version in (stable, trial)]
            if not all(predictions for predictions, _ in sides):
                continue  # only one version answered, so there is nothing to compare
            covered = all(labels >= DUE_COVERAGE * predictions for predictions, labels in sides)
            if not covered and at < cohort.ended + self.plan.horizon:
                left.append(cohort)
                continue
            rows = self._ledger.rows(self._name, cohort.began)
            self.state = replace(self.state, trial=self.state.trial.after(rows[stable], rows[trial], self.plan.settings))
        self.state = replace(self.state, pending=tuple(left))

    def _sum_up(self, at: float) -> None:
        """A cohort that still waits to be counted stays, however old it is."""
        waiting = {self.state.open, *(cohort.began for cohort in self.state.pending)}
        over = [
            cohort for cohort in self._ledger.cohorts_before(self._name, at - self.plan.horizon - self.plan.cohort) if cohort not in waiting
        ]
        for cohort in over:
            self._ledger.fold(self._name, cohort, _by_hour(self._ledger.rows(self._name, cohort)))
        if over:
            self._ledger.forget_tallies(self._name, before_hour=int((at - self.plan.horizon - RECENT) // _HOUR))
            self._measure()

    def _measure(self) -> None:
        """Quality at promotion is that of the first labels, as many as are needed, of the version that serves and is on trial no more."""
        stable = self.plan.stable
        promoted = self.state.promoted.get(stable)
        recent = measure(list(self._ledger.tallies(self._name, stable).values()))
        if promoted is None and self.plan.trial is None and recent is not None:
            promoted = recent
            self.state = replace(self.state, promoted={stable: promoted})
        self._skill = dropped(promoted, recent, self.plan.allowed)
        known = {"promotion": promoted, "recent": recent}
        self._qualities = {period: quality for period, quality in known.items() if quality is not None}


def _by_hour(versions: Mapping[str, Sequence[Row]]) -> dict[tuple[str, int], Tally]:
    rows: dict[tuple[str, int], list[Row]] = {}
    for version, found in versions.items():
        for row in found:
            rows.setdefault((version, int(row.at // _HOUR)), []).append(row)
    return {key: tally(found) for key, found in rows.items()}
