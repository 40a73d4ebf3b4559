"""One pass over one reading: every metric closes its block or not, then all of them together say what follows."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from headgate_operator.api.model import changed
from headgate_operator.api.spec import Analysis as AnalysisSettings
from headgate_operator.api.spec import Metric, MetricPreset
from headgate_operator.api.status import AnalysisStatus, MetricStatus, SideCounts, Verdict
from headgate_operator.rollout.analysis import share, verdicts, wealth, wording
from headgate_operator.rollout.analysis.blocks import POLLS_PER_INTERVAL, Closing
from headgate_operator.rollout.analysis.failing import all_failing, longer_streak
from headgate_operator.rollout.analysis.outcome import Analysis, Outcome
from headgate_operator.rollout.analysis.track import Track, follow, meter_of, samples
from headgate_operator.rollout.observed import Reading
from headgate_operator.stats.block import Block

_SHORTEST_POLL: Final = timedelta(milliseconds=200)


@dataclass(frozen=True, kw_only=True)
class _Pass:
    """What one metric made of the reading."""

    metric: Metric
    state: MetricStatus
    outcome: Outcome
    closing: Closing
    settled: Block | None
    """The block, if it closed and both versions had one weight throughout."""

    @property
    def kept(self) -> Block | None:
        """The block that was added to the evidence: a settled one with a candidate request in it."""
        return self.settled if self.settled is not None and self.settled.candidate_total else None


def poll_interval(settings: AnalysisSettings) -> timedelta:
    """How often counters are read: never so often that one object keeps a worker busy, however short its interval."""
    return max(settings.interval / POLLS_PER_INTERVAL, _SHORTEST_POLL)


def analyse(settings: AnalysisSettings, status: AnalysisStatus, reading: Reading, *, now: datetime) -> Analysis:
    """Take one reading into account.

    What cannot be read leaves its metric's state as it is, and if that is everything, the status: missing evidence is never good evidence.
    """
    states = [_state(settings, metric, status) for metric in settings.metrics]
    meters = [meter_of(metric) for metric in settings.metrics]
    tracks = follow(settings, meters, [state.discard_next for state in states], status, reading, now)
    if all(track.error is not None for track in tracks.values()):
        failed = (_failure(metric, tracks[meter]) for metric, meter in zip(settings.metrics, meters, strict=True))
        return Analysis(status=status, outcomes=tuple(failed), available=False)
    passes = [
        _judge_metric(settings, metric, state, tracks[meter], paired=status.mirror > 0)
        for metric, state, meter in zip(settings.metrics, states, meters, strict=True)
    ]
    counting = passes[_counting(settings)]
    tells_shares = _tells_shares(counting.metric, reading)
    new = changed(
        status,
        metrics=[done.state for done in passes],
        samples=samples(list(tracks.values()), status),
        silent_requests=_silent_requests(status.silent_requests, counting.closing if tells_shares else None),
        split=_split(status.split, counting.settled if tells_shares else None),
        last_block_end=max((done.state.last_block_end for done in passes if done.state.last_block_end), default=None),
    )
    return _conclude(new, passes, counting)


def _conclude(status: AnalysisStatus, passes: list[_Pass], counting: _Pass) -> Analysis:
    outcomes = tuple(done.outcome for done in passes)
    failing = [
        Outcome(metric=done.metric.name, verdict=Verdict.WORSE, message=wording.all_failing(streak))
        for done in passes
        if (streak := all_failing(done.metric, done.state, done.closing, status.weight)) is not None
    ]
    no_traffic = share.no_traffic(status)
    return Analysis(
        status=status,
        outcomes=outcomes,
        worse=next((outcome for outcome in outcomes if outcome.verdict is Verdict.WORSE), None),
        all_failing=next(iter(failing), None),
        promotable=all(outcome.verdict is Verdict.NOT_WORSE for outcome in outcomes),
        kept_requests=counting.kept.candidate_total if counting.kept else 0,
        no_traffic=no_traffic,
        split_mismatch=None if no_traffic else share.split_mismatch(status),
        available=not any(outcome.verdict in (Verdict.NO_DATA, Verdict.PROVIDER_ERROR) for outcome in outcomes),
    )


def _counting(settings: AnalysisSettings) -> int:
    """Which metric counts requests: the first one about errors, whose counters are the freshest, else about latency, else the first."""
    presets = [metric.preset for metric in settings.metrics]
    found = (presets.index(preset) for preset in (MetricPreset.GATEWAY_ERRORS, MetricPreset.GATEWAY_LATENCY) if preset in presets)
    return next(found, 0)


def _tells_shares(metric: Metric, reading: Reading) -> bool:
    """Whether counts are shares of the traffic: those of a proxy are; pods come and go unevenly, and queries count what they like."""
    return metric.of_the_gateway and all(slot.counters for scrape in reading.of(metric.name).scrapes for slot in scrape.slots)


def _judge_metric(settings: AnalysisSettings, metric: Metric, state: MetricStatus, track: Track, *, paired: bool) -> _Pass:
    closing, settled = track.closing, None if state.discard_next else track.closing.block
    if settled is not None and settled.candidate_total:
        state = verdicts.judged(settings, metric, state, replace(settled, paired=True) if paired else settled, closing)
    elif settled is not None:
        state = changed(state, fail_streak=longer_streak(state.fail_streak, settled), last_block_end=closing.ended)
    elif closing.block is not None:
        state = changed(state, discard_next=False, last_block_end=closing.ended)
    return _Pass(metric=metric, state=state, outcome=_outcome(settings, metric, state, track), closing=closing, settled=settled)


def _outcome(settings: AnalysisSettings, metric: Metric, state: MetricStatus, track: Track) -> Outcome:
    if track.error is not None:
        return _failure(metric, track)
    if track.gap is not None:
        return Outcome(metric=metric.name, verdict=Verdict.NO_DATA, message=track.gap)
    found = verdicts.verdict(settings, state)
    message = state.message if found is state.verdict else verdicts.message(metric, state, found)
    return Outcome(metric=metric.name, verdict=found, message=message)


def _failure(metric: Metric, track: Track) -> Outcome:
    assert track.error is not None
    return Outcome(metric=metric.name, verdict=Verdict.PROVIDER_ERROR, message=track.error)


def _state(settings: AnalysisSettings, metric: Metric, status: AnalysisStatus) -> MetricStatus:
    """Find what is stored about a metric; evidence about another definition of it is worthless."""
    defined = wealth.definition(metric)
    for stored in status.metrics:
        if stored.name == metric.name and stored.definition == defined:
            return stored
    return verdicts.fresh(settings, metric, defined)


def _silent_requests(so_far: int, closing: Closing | None) -> int:
    if closing is None or closing.block is None:
        return so_far
    return 0 if closing.block.candidate_total else so_far + closing.block.stable_total


def _split(so_far: SideCounts, settled: Block | None) -> SideCounts:
    """Add the block, also one without a candidate request: to leave those out would make the candidate's share look larger than it is."""
    if settled is None:
        return so_far
    return SideCounts(candidate=so_far.candidate + settled.candidate_total, stable=so_far.stable + settled.stable_total)
