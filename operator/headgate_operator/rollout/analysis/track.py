"""Metrics that read the same counters share one baseline and close the same blocks; each judges them by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from headgate_operator.api.spec import Analysis as AnalysisSettings
from headgate_operator.api.spec import Metric, MetricPreset
from headgate_operator.api.status import AnalysisStatus, Sample
from headgate_operator.rollout.analysis import counters
from headgate_operator.rollout.analysis.blocks import Closing, Length, close
from headgate_operator.rollout.analysis.counters import Baselines, View
from headgate_operator.rollout.analysis.series import ErrorMeter, LatencyMeter, Meter
from headgate_operator.rollout.observed import Reading

_NONE: Final[Baselines] = {}


@dataclass(frozen=True, kw_only=True)
class Track:
    """What one meter made of a reading."""

    name: str
    """That of the first metric that is read so; its baselines are stored under it."""
    meter: Meter
    closing: Closing
    moved: bool
    """Whether any baseline changed."""
    gap: str | None
    """Why no proxy can be compared."""


def meter_of(metric: Metric) -> Meter:
    """Return how a metric reads counters."""
    if metric.preset is MetricPreset.GATEWAY_ERRORS:
        return ErrorMeter()
    assert metric.slower_than is not None, f"rule: {metric.name} has no slowerThan"
    return LatencyMeter(metric.slower_than)


def follow(
    settings: AnalysisSettings, meters: Sequence[Meter], settling: Sequence[bool], status: AnalysisStatus, reading: Reading
) -> dict[Meter, Track]:
    """Take a reading into account once for every different meter.

    `meters` and `settling` are in parallel with the metrics; the latter says whose next block is to be thrown away. If it is thrown away
    for all that share it, it closes as soon as any may.
    """
    seen, before = counters.pair(reading, status), counters.baselines(status)
    tracks: dict[Meter, Track] = {}
    for metric, meter in zip(settings.metrics, meters, strict=True):
        if meter not in tracks:
            alone = all(discard for discard, other in zip(settling, meters, strict=True) if other == meter)
            length = _length(settings, metric, reading)
            found = counters.readable(seen, status, meter)
            tracks[meter] = _track(metric.name, meter, found, before.get(metric.name, _NONE), length, settling=alone)
    return tracks


def _track(name: str, meter: Meter, seen: View, before: Baselines, length: Length, *, settling: bool) -> Track:
    closing = close(before, seen.snapshots, meter, length, settling=settling)
    return Track(name=name, meter=meter, closing=closing, moved=closing.baselines != before, gap=seen.gap)


def _length(settings: AnalysisSettings, metric: Metric, reading: Reading) -> Length:
    """Latency blocks outlast two flushes: between flushes the histogram stands still while requests go on."""
    if metric.preset is MetricPreset.GATEWAY_ERRORS:
        return Length.of(settings.interval)
    return Length.of(settings.interval, at_least=2 * reading.flush)


def samples(tracks: Sequence[Track], status: AnalysisStatus) -> list[Sample]:
    """Write the baselines of all tracks; the stored list itself if none has changed."""
    names = {track.name for track in tracks}
    if not any(track.moved for track in tracks) and all(sample.metric in names for sample in status.samples):
        return status.samples
    written: list[Sample] = []
    for track in tracks:
        if track.moved:
            written += counters.samples(track.name, track.closing.baselines.values(), status, track.meter)
        else:
            written += [sample for sample in status.samples if sample.metric == track.name]
    return written
