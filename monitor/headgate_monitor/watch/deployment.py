"""Everything watched of one ModelDeployment: each version's requests and predictions against its reference, and the trial beside stable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from headgate_monitor.detectors.reference import Reference
from headgate_monitor.watch.alarm import NOTHING_ON_TRIAL, Alarm, Outcome, Signal
from headgate_monitor.watch.comparison import Comparison, ComparisonState
from headgate_monitor.watch.inputs import InputState, InputWatch, Top
from headgate_monitor.watch.rows import CHUNK, Encoder, Rows
from headgate_monitor.watch.settings import Windows

STALE_AFTER = 3600.0
"""Seconds that severe drift must last before a new model is asked for."""


@dataclass(frozen=True)
class Version:
    """A version and its reference; without one, a sentence says why."""

    id: str
    reference: Reference | None
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be compared, and how. Equal plans are the same plan."""

    stable: Version
    trial: Version | None
    weight: int
    windows: Windows


@dataclass(frozen=True)
class DeploymentState:
    """What finished windows said; survives a restart."""

    finished: int = 0
    inputs: Mapping[str, InputState] = field(default_factory=dict)
    outputs: Mapping[str, InputState] = field(default_factory=dict)
    """Of predictions, where the version's reference has any."""
    pair: tuple[str, str] | None = None
    comparison: ComparisonState = field(default_factory=ComparisonState)


@dataclass(frozen=True)
class Verdicts:
    """What all windows say now."""

    window: int
    input: Outcome
    candidate_input: Outcome
    output: Outcome
    """Of stable's predictions against those of its reference."""
    candidate_output: Outcome
    routing: Outcome
    prediction: Outcome
    quality: Outcome
    stale: Outcome
    top: Top


class _Feed:
    """One version's rows on their way into windows: encoded by its own reference, and by stable's for the comparison."""

    def __init__(self, reference: Reference | None, common: Reference | None) -> None:
        self.own = Encoder(reference) if reference else None
        shared = self.own is not None and common is not None and _same_encoding(self.own.reference, common)
        self.common = self.own if shared else Encoder(common) if common else None
        self.answers: list[float] = []

    def add(self, rows: Rows) -> None:
        for encoder in {id(encoder): encoder for encoder in (self.own, self.common) if encoder}.values():
            encoder.add(rows)

    @property
    def full(self) -> bool:
        waiting = max((encoder.waiting for encoder in (self.own, self.common) if encoder), default=0)
        return max(waiting, len(self.answers)) >= CHUNK


class DeploymentWatch:
    """Watches by a plan until the plan changes; then another takes over from its `state`, and only unfinished windows are lost."""

    def __init__(self, plan: Plan, *, at: float, state: DeploymentState = DeploymentState()) -> None:
        self.plan = plan
        self._finished = state.finished
        versions = {version.id: version for version in (plan.trial, plan.stable) if version}
        self._inputs = {
            id_: InputWatch(
                version.reference, plan.windows, subject=f"{self._whose(id_)} requests", at=at, state=state.inputs.get(id_, InputState())
            )
            for id_, version in versions.items()
            if version.reference
        }
        self._outputs = {
            id_: InputWatch(
                version.reference.predictions,
                plan.windows.of_predictions,
                subject=f"{self._whose(id_)} predictions",
                at=at,
                state=state.outputs.get(id_, InputState()),
            )
            for id_, version in versions.items()
            if version.reference and version.reference.predictions
        }
        self._feeds = {id_: _Feed(version.reference, plan.stable.reference) for id_, version in versions.items()}
        kept = state.comparison if state.pair == _pair(plan) else ComparisonState()
        expected = plan.trial.reference.expected_shift if plan.trial and plan.trial.reference else 0.0
        self._comparison = Comparison(plan.stable.reference, plan.windows, expected=expected, at=at, state=kept) if plan.trial else None

    @property
    def state(self) -> DeploymentState:
        """What finished windows said."""
        inputs = {id_: watch.state for id_, watch in self._inputs.items()}
        outputs = {id_: watch.state for id_, watch in self._outputs.items()}
        compared = self._comparison.state if self._comparison else ComparisonState()
        return DeploymentState(finished=self._finished, inputs=inputs, outputs=outputs, pair=_pair(self.plan), comparison=compared)

    @property
    def other_clients(self) -> bool:
        """Whether the trial's requests differ from stable's, so that nothing that follows from them can be compared."""
        return self._comparison is not None and self._comparison.state.routing.signal.alarms

    def reweigh(self, weight: int, at: float) -> None:
        """Take note of another weight: the comparison's present window saw two, so it is thrown away."""
        self.advance(at)
        self.plan = replace(self.plan, weight=weight)
        if self._comparison is not None:
            self._comparison.restart(at)

    def knows(self, version: str) -> bool:
        """Whether the version is one of those watched."""
        return version in self._feeds

    def add(self, version: str, rows: Rows | None, predictions: Sequence[float], at: float) -> None:
        """Add what one request of a version that is known asked and got; None and nothing if it could not be read."""
        feed = self._feeds[version]
        if rows is not None:
            feed.add(rows)
        feed.answers.extend(predictions)
        if feed.full:
            self.advance(at)

    def advance(self, at: float) -> bool:
        """Encode what waits, and end windows that are full or over; return whether one ended."""
        for id_ in self._feeds:
            self._flush(id_)
        ended = [watch.advance(at) for watch in (*self._inputs.values(), *self._outputs.values())]
        if self._comparison is not None:
            ended.append(self._comparison.advance(at))
        self._finished += sum(ended)
        return any(ended)

    def verdicts(self, at: float) -> Verdicts:
        """Return what finished windows say at this time."""
        trial = self.plan.trial
        compared = self._comparison.state if self._comparison else ComparisonState()
        stable_inputs = self._inputs.get(self.plan.stable.id)
        return Verdicts(
            window=self._finished,
            input=self._said(self.plan.stable),
            candidate_input=self._said(trial) if trial else NOTHING_ON_TRIAL,
            output=self._said_of_predictions(self.plan.stable),
            candidate_output=self._said_of_predictions(trial) if trial else NOTHING_ON_TRIAL,
            routing=self._compared(compared.routing),
            prediction=self._compared(compared.prediction),
            quality=self._compared(compared.quality),
            stale=_stale(stable_inputs.state.alarm if stable_inputs else Alarm(), compared.quality, at),
            top=stable_inputs.state.top if stable_inputs else (),
        )

    def _flush(self, id_: str) -> None:
        feed, of_trial = self._feeds[id_], self.plan.trial is not None and id_ == self.plan.trial.id
        rows, bad = feed.own.flush() if feed.own else (None, 0)
        if rows is not None and len(rows):
            self._inputs[id_].add(rows)
        answers = np.array(feed.answers, dtype=np.float64)
        if id_ in self._outputs:  # answers that are no numbers are a matter of quality
            self._outputs[id_].add(answers[np.isfinite(answers)].reshape(-1, 1))
        if self._comparison is not None:
            common = (rows, bad) if feed.common is feed.own else feed.common.flush() if feed.common else (None, 0)
            if common[0] is not None:
                self._comparison.add_inputs(common[0], common[1], of_trial=of_trial)
            self._comparison.add_predictions(answers, of_trial=of_trial)
        feed.answers = []

    def _said(self, version: Version) -> Outcome:
        watch = self._inputs.get(version.id)
        if watch is None:
            return Outcome(Signal.UNKNOWN, version.problem)
        return _spoken(watch.state.alarm, self.plan.windows, watch.subject)

    def _said_of_predictions(self, version: Version) -> Outcome:
        watch = self._outputs.get(version.id)
        if watch is None:
            return Outcome(Signal.UNKNOWN, version.problem or f"{self._whose(version.id)} reference holds no predictions")
        return _spoken(watch.state.alarm, self.plan.windows, watch.subject)

    def _compared(self, alarm: Alarm) -> Outcome:
        return _spoken(alarm, self.plan.windows, "the comparison with stable") if self.plan.trial else NOTHING_ON_TRIAL

    def _whose(self, id_: str) -> str:
        return "stable's" if id_ == self.plan.stable.id else "the trial's"


def _spoken(alarm: Alarm, windows: Windows, subject: str) -> Outcome:
    unfinished = f"{subject}: no window has ended yet; one ends after {windows.rows} rows or {windows.seconds:g} s"
    return Outcome(alarm.signal, alarm.message or unfinished)


def _stale(alarm: Alarm, quality: Alarm, at: float) -> Outcome:
    """Severe drift of stable's requests that lasts; broken answers are a reason to mend something, not to train on it."""
    if not alarm.recent:
        return Outcome(Signal.UNKNOWN, "no window has ended yet")
    if alarm.severe_since is None:
        return Outcome(Signal.CLEAN, "no severe drift that lasts")
    if at - alarm.severe_since < STALE_AFTER or quality.signal.alarms:
        return Outcome(Signal.CLEAN, f"severe drift, but not yet for {STALE_AFTER / 3600:g} h with answers that are in order")
    return Outcome(Signal.SEVERE, f"severe in 3 of 4 windows for more than {STALE_AFTER / 3600:g} h: {alarm.message}")


def _pair(plan: Plan) -> tuple[str, str] | None:
    return (plan.stable.id, plan.trial.id) if plan.trial else None


def _same_encoding(one: Reference, other: Reference) -> bool:
    return [(f.name, f.kind, f.categories) for f in one.features] == [(f.name, f.kind, f.categories) for f in other.features]
