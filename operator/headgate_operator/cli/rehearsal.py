"""One simulated rollout: traffic arrives, blocks close, steps end, and the evidence decides as it does in the operator.

Pods start at once and the route follows every change of weight; what is rehearsed is traffic and evidence. Pure but for the random source
that is passed in.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from headgate_operator.api.spec import EnvoyProvider, Metric, MetricPreset, ModelDeploymentSpec, OnInsufficientData, Provider, Strategy
from headgate_operator.api.status import Verdict
from headgate_operator.cli.draws import binomial, poisson
from headgate_operator.cli.trial import MetricTrial
from headgate_operator.rollout.analysis import poll_interval
from headgate_operator.rollout.analysis.blocks import POLLS_PER_INTERVAL
from headgate_operator.rollout.analysis.track import block_length
from headgate_operator.stats.block import Block

_START: Final = datetime(2000, 1, 1, tzinfo=UTC)
_FLUSH: Final = EnvoyProvider(addresses=["http://127.0.0.1"]).flush
_BEFORE_A_FAULT: Final = timedelta(days=1)
"""Stages before a fault may take this long: how it is caught matters even where the plan itself would be on hold."""
_RARE: Final = 1.0
"""Below this many candidate requests in an interval no block closes early, and one look an interval is enough."""


_LOOKS_AT_A_WATCH: Final = 10_000
"""A watch is rehearsed for so many polls at most: days of it change nothing any more, but take minutes."""


class Ending(StrEnum):
    """How a rehearsed rollout ended."""

    PROMOTED = "Promoted"
    ROLLED_BACK = "RolledBack"
    HELD = "Held"
    """Still waiting for requests or promotion evidence when holdTimeout was over; a person is asked."""
    OUT_OF_TIME = "OutOfTime"
    """Refused without evidence: onInsufficientData is Rollback, or maxDuration was over."""


_AFTER_HOLD: Final = {
    OnInsufficientData.HOLD: Ending.HELD,
    OnInsufficientData.ROLLBACK: Ending.OUT_OF_TIME,
    OnInsufficientData.PROMOTE: None,
}
"""What follows when holdTimeout is over; None goes on to the next stage."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A step, or the watch: who gets how much of the traffic."""

    weight: int
    """Percent for the version on trial."""
    mirror: int = 0
    """Percent of the requests of which it gets a copy; then its weight is 0 and the other version answers everything."""
    min_duration: timedelta
    min_requests: int = 0
    watch: bool = False
    pause_before: bool = False
    """Whether it waits for a person first; rehearsed as if that took no time."""

    @property
    def share(self) -> float:
        """How many requests reach the version on trial for each one that arrives."""
        return (self.mirror or self.weight) / 100


@dataclass(frozen=True, kw_only=True)
class Fault:
    """From the beginning of one stage on, the version on trial answers this share of requests badly. It is not moved on from there."""

    stage: int
    share: float
    patience: timedelta


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is rehearsed: a manifest under constant traffic."""

    spec: ModelDeploymentSpec
    rate: float
    """Requests a second, both versions together."""
    base_rate: float
    """Bad share of a good version, in every metric."""
    stages: tuple[Stage, ...]

    @classmethod
    def of(cls, spec: ModelDeploymentSpec, *, rate: float, base_rate: float) -> "Scene":
        """Take steps and watch from a manifest."""
        mirror = 0 if spec.rollout.strategy is Strategy.CANARY else spec.rollout.shadow_percent
        steps = [
            Stage(
                weight=step.weight,
                mirror=mirror,
                min_duration=step.min_duration,
                min_requests=step.min_requests,
                pause_before=step.pause_before,
            )
            for step in spec.rollout.stages
        ]
        watch, waits = spec.rollout.watch, spec.rollout.pause_at_end or spec.rollout.strategy is Strategy.SHADOW
        after = Stage(weight=100 - watch.holdback, min_duration=watch.duration, watch=True, pause_before=waits)
        compared = watch.duration and watch.holdback
        return cls(spec=spec, rate=rate, base_rate=base_rate, stages=(*steps, after) if compared else tuple(steps))

    def poll(self, stage: Stage) -> timedelta:
        """Return how often the rehearsal looks."""
        poll = poll_interval(self.spec.analysis)
        expected = self.rate * stage.share * self.spec.analysis.interval.total_seconds()
        return poll * POLLS_PER_INTERVAL if expected < _RARE else poll

    def rehearsed(self, stage: Stage) -> timedelta:
        """Return how much of a stage's shortest duration is rehearsed: all of a step, the beginning of a watch."""
        return min(stage.min_duration, _LOOKS_AT_A_WATCH * self.poll(stage)) if stage.watch else stage.min_duration

    def looks(self, stage: Stage) -> int:
        """Return how many polls a rehearsal of a stage takes at least."""
        return math.ceil(self.rehearsed(stage) / self.poll(stage))


@dataclass
class Run:
    """What came of one rehearsal. Times are since the first weight, requests are the candidate's."""

    ending: Ending = Ending.PROMOTED
    stage: int = 0
    """Where it ended."""
    ends: list[timedelta] = field(default_factory=list)
    """When each stage ended that did."""
    evident: tuple[int, timedelta] | None = None
    """Requests and time until every metric had its promotion evidence."""
    caught: tuple[int, timedelta] | None = None
    """Requests and time from the onset of the fault until it was caught."""


def rehearse(scene: Scene, source: random.Random, fault: Fault | None = None) -> Run:
    """Simulate one rollout."""
    return _Rehearsal(scene, source, fault).run()


class _Rehearsal:
    def __init__(self, scene: Scene, source: random.Random, fault: Fault | None) -> None:
        self._scene, self._source, self._fault = scene, source, fault
        self._now, self._requests, self._run = _START, 0, Run()
        settings = scene.spec.analysis
        flush, renewal = _freshness(settings.provider)
        lengths = [block_length(metric, settings.interval, flush=flush, renewal=renewal) for metric in settings.metrics]
        self._metrics = [
            MetricTrial(settings, metric, length, weight=scene.stages[0].weight, at=self._now)
            for metric, length in zip(settings.metrics, lengths, strict=True)
        ]
        self._counting = self._metrics[_first_about_errors(settings.metrics)]

    def run(self) -> Run:
        for number, stage in enumerate(self._scene.stages):
            self._run.stage = number
            for metric in self._metrics if number else ():
                metric.reweigh(stage.weight, self._now)
            faulty = self._fault is not None and self._fault.stage == number
            ending = self._until_caught(stage) if faulty else self._stage(stage)
            if ending is not None or faulty:
                self._run.ending = ending or Ending.HELD
                break
            self._run.ends.append(self._now - _START + stage.min_duration - self._scene.rehearsed(stage))
        return self._run

    def _stage(self, stage: Stage) -> Ending | None:
        """Play one stage; None if it ends well."""
        began, kept, last = self._now, 0, not stage.watch and self._next_is_watch_or_none()
        lasts = self._scene.rehearsed(stage)
        patience = lasts + (_BEFORE_A_FAULT if self._fault else self._scene.spec.rollout.hold_timeout)
        while True:
            kept += self._look(stage, self._scene.base_rate)
            if self._convicted():
                return Ending.ROLLED_BACK
            age = self._now - began
            if age >= lasts and kept >= stage.min_requests and (not last or self._good_enough()):
                return None
            if not stage.watch and self._out_of_time():
                return Ending.OUT_OF_TIME
            if age >= patience:
                return _AFTER_HOLD[self._scene.spec.rollout.on_insufficient_data]

    def _until_caught(self, stage: Stage) -> Ending | None:
        """Play a stage with the fault, for as long as it takes."""
        assert self._fault is not None
        began, before = self._now, self._requests
        while self._now - began < self._fault.patience:
            self._look(stage, self._fault.share)
            if self._convicted():
                self._run.caught = self._requests - before, self._now - began
                return Ending.ROLLED_BACK
        return None

    def _look(self, stage: Stage, share: float) -> int:
        """Let one poll's time pass; return the candidate requests that were counted."""
        poll = self._scene.poll(stage)
        self._now += poll
        arrived, others = (
            poisson(self._source, self._scene.rate * share * poll.total_seconds()) for share in (stage.share, 1 - stage.weight / 100)
        )
        self._requests += arrived
        kept = 0
        for metric in self._metrics:
            outcome = self._outcome(stage, share if metric is self._counting else self._scene.base_rate)
            counted = metric.arrive(self._now, arrived, others, outcome, for_promotion=not stage.watch)
            kept += counted if metric is self._counting else 0
        if self._run.evident is None and not stage.watch and self._promotable():
            self._run.evident = self._requests, self._now - _START
        return kept

    def _outcome(self, stage: Stage, share: float) -> Callable[[int, int], Block]:
        """Let the candidate answer this share of requests badly, and stable its own."""
        return lambda candidate, stable: Block(
            candidate_total=candidate,
            candidate_bad=binomial(self._source, candidate, share),
            stable_total=stable,
            stable_bad=binomial(self._source, stable, self._scene.base_rate),
            paired=stage.mirror > 0,
        )

    def _convicted(self) -> bool:
        return any(metric.verdict is Verdict.WORSE or metric.all_failing for metric in self._metrics)

    def _out_of_time(self) -> bool:
        limit = self._scene.spec.rollout.max_duration
        return self._fault is None and limit is not None and self._now - _START > limit

    def _good_enough(self) -> bool:
        if self._scene.spec.analysis.require_promotion_evidence:
            return self._promotable()
        return all(metric.verdict is not Verdict.OBJECTIVE_MISSED for metric in self._metrics)

    def _promotable(self) -> bool:
        return all(metric.verdict is Verdict.NOT_WORSE for metric in self._metrics)

    def _next_is_watch_or_none(self) -> bool:
        following = self._scene.stages[self._run.stage + 1 : self._run.stage + 2]
        return not following or following[0].watch


def _freshness(provider: Provider | None) -> tuple[timedelta, timedelta]:
    """How often histograms, and how often any counters are renewed."""
    if provider is not None and provider.prometheus is not None:
        return _FLUSH, provider.prometheus.scrape_interval
    return provider.envoy.flush if provider is not None and provider.envoy is not None else _FLUSH, timedelta(0)


def _first_about_errors(metrics: list[Metric]) -> int:
    """Return the metric that counts a step's requests, and that a fault shows in."""
    return next((number for number, metric in enumerate(metrics) if metric.preset is MetricPreset.GATEWAY_ERRORS), 0)
