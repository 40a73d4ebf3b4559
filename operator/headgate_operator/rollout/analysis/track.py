"""Metrics that read the same counters share one baseline and close the same blocks; each judges them by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from headgate_operator.api.spec import Analysis as AnalysisSettings
from headgate_operator.api.spec import Metric, MetricPreset
from headgate_operator.api.status import AnalysisStatus, Sample
from headgate_operator.rollout.analysis import counters
from headgate_operator.rollout.analysis.blocks import EARLY, Closing, Length, close
from headgate_operator.rollout.analysis.counters import Baselines, View
from headgate_operator.rollout.analysis.series import ErrorMeter, LatencyMeter, Meter, QueryMeter
from headgate_operator.rollout.observed import Reading

_NONE: Final[Baselines] = {}
_FRESH: Final = timedelta(minutes=1)
"""Counters this young are always fresh enough, however short the interval."""


@dataclass(frozen=True, kw_only=True)
class Track:
    """What one meter made of a reading."""

    name: str
    """That of the first metric that is read so; its baselines are stored under it."""
    meter: Meter
    closing: Closing
    moved: bool
    """Whether any baseline changed."""
    gap: str | None = None
    """Why no proxy can be compared."""
    error: str | None = None
    """Why there is nothing to read; then all is as it was."""


class _Source(NamedTuple):
    """One reading, which several meters may be read from."""

    view: View
    error: str | None


@lru_cache(maxsize=256)
def meter_of(metric: Metric) -> Meter:
    """Return how a metric reads counters."""
    if metric.preset is MetricPreset.GATEWAY_ERRORS:
        return ErrorMeter()
    if not metric.of_the_gateway:
        return QueryMeter(metric.name)
    assert metric.slower_than is not None, f"rule: {metric.name} has no slowerThan"
    return LatencyMeter(metric.slower_than)


def follow(
    settings: AnalysisSettings, meters: Sequence[Meter], settling: Sequence[bool], status: AnalysisStatus, reading: Reading, now: datetime
) -> dict[Meter, Track]:
    """Take a reading into account once for every different meter.

    `meters` and `settling` are in parallel with the metrics; the latter says whose next block is to be thrown away. If it is thrown away
    for all that share it, it closes as soon as any may. Blocks are timed by their scrapes; `now` only tells stale ones.
    """
    before, tracks, seen, discarded = counters.baselines(status), dict[Meter, Track](), dict[int, _Source](), dict[Meter, bool]()
    for meter, discard in zip(meters, settling, strict=True):
        discarded[meter] = discard and discarded.get(meter, True)
    for metric, meter in zip(settings.metrics, meters, strict=True):
        if meter in tracks:
            continue
        source, baselines = reading.of(metric.name), before.get(metric.name, _NONE)
        if id(source) not in seen:
            seen[id(source)] = _Source(counters.pair(source, status), source.error or _stale(settings, source, now))
        view, error = seen[id(source)]
        if error is not None:
            tracks[meter] = Track(name=metric.name, meter=meter, closing=Closing(baselines=baselines), moved=False, error=error)
            continue
        length = block_length(metric, settings.interval, flush=source.flush, renewal=source.renewal, settling=discarded[meter])
        found = counters.readable(view, status, meter)
        tracks[meter] = _track(metric.name, meter, found, baselines, length, settling=discarded[meter])
    return tracks


def _track(name: str, meter: Meter, seen: View, before: Baselines, length: Length, *, settling: bool) -> Track:
    closing = close(before, seen.snapshots, meter, length, settling=settling)
    return Track(name=name, meter=meter, closing=closing, moved=closing.baselines != before, gap=seen.gap)


def _stale(settings: AnalysisSettings, reading: Reading, now: datetime) -> str | None:
    limit = max(settings.interval, _FRESH, 4 * reading.renewal)
    for scrape in reading.scrapes:
        if abs(now - scrape.at) > limit:
            return f"the counters of {scrape.proxy} are of {scrape.at:%H:%M:%S}, and it is {now:%H:%M:%S}"
    return None


def block_length(metric: Metric, interval: timedelta, *, flush: timedelta, renewal: timedelta, settling: bool = False) -> Length:
    """Return how long a metric's blocks are, with proxies and counters that renew themselves so often (`observed.Reading`).

    Latency blocks outlast two flushes: between flushes the histogram stands still while requests go on. Scrapes are never evenly apart.
    The block that is thrown away after a change of weight (`settling`) began up to two renewals before the change: it must outlast them.
    """
    settled = EARLY * (3 if settling else 2) * renewal
    if metric.preset is MetricPreset.GATEWAY_LATENCY:
        return Length.of(interval, at_least=max(settled, 2 * flush))
    return Length.of(interval, at_least=settled)


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
