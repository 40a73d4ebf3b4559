"""One reading, seen by one comparison: what each proxy says of both slots, and how that differs from a baseline.

A difference is taken per proxy and per series before anything is summed, so that the restart of one proxy voids its own difference only.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from headgate_operator.api.status import AnalysisStatus, Sample
from headgate_operator.rollout.analysis.series import Counters, Meter
from headgate_operator.rollout.observed import Reading, Scrape

_ALL: Final = 100
"""Percent: the weight of a version that nothing runs beside."""

_NOTHING: Final[Counters] = {"rq_2xx": 0.0}
"""What a slot counts that is there and has answered nothing."""


class Snapshot(NamedTuple):
    """The counters of both slots, at one proxy and one instant. A tuple, as hundreds are made in a pass."""

    proxy: str
    at: datetime
    candidate: Counters
    stable: Counters


class Difference(NamedTuple):
    """What one proxy counted between two snapshots."""

    candidate_total: int
    candidate_bad: int
    stable_total: int
    stable_bad: int
    faults: int
    """The candidate's bad answers that an absolute objective is about."""


class View(NamedTuple):
    """All proxies that can be compared, or why there are none."""

    snapshots: list[Snapshot]
    gap: str | None


def pair(reading: Reading, status: AnalysisStatus) -> View:
    """Put the counters of both slots side by side. Both must be there: half a comparison is none.

    A version that has all traffic is judged alone, and a slot without weight is none of the gateway's: whatever its counters say, it is
    taken as empty.
    """
    snapshots, gap = [], None if reading.scrapes else reading.gap or "the reading has no proxy in it"
    for scrape in reading.scrapes:
        slots = {slot.slot: slot.counters for slot in scrape.slots}
        candidate, stable = slots.get(status.candidate_slot), _NOTHING if status.weight == _ALL else slots.get(status.stable_slot)
        if candidate is None or stable is None:
            gap = gap or _missing(scrape, status, candidate)
        else:
            snapshots.append(Snapshot(scrape.proxy, scrape.at, candidate, stable))
    return View(snapshots, gap)


def _missing(scrape: Scrape, status: AnalysisStatus, candidate: Counters | None) -> str:
    name, slot = ("candidate", status.candidate_slot) if candidate is None else ("stable version", status.stable_slot)
    return f"{scrape.proxy} has no series for the {name} (slot {slot})"


def readable(seen: View, status: AnalysisStatus, meter: Meter) -> View:
    """Select the proxies that publish what a meter reads. The gap is only told if none does."""
    snapshots, first = [], seen.gap
    for snapshot in seen.snapshots:
        gap = meter.gap(snapshot.candidate) or meter.gap(snapshot.stable)
        if gap is None:
            snapshots.append(snapshot)
        elif first is None:
            candidate = meter.gap(snapshot.candidate) is not None
            side = f"candidate (slot {status.candidate_slot})" if candidate else f"stable version (slot {status.stable_slot})"
            first = f"{snapshot.proxy}, {side}: {gap}"
    return View(snapshots, None if snapshots else first)


def difference(before: Snapshot, after: Snapshot, meter: Meter) -> Difference | None:
    """What one proxy counted between two snapshots; None if a counter was reset or the counts contradict each other."""
    if was_reset(before, after):
        return None
    bad, total, faults = meter.tally(after.candidate)
    earlier_bad, earlier_total, earlier_faults = meter.tally(before.candidate)
    other_bad, other_total, _ = meter.tally(after.stable)
    earlier_other_bad, earlier_other_total, _ = meter.tally(before.stable)
    counted = Difference(
        round(total - earlier_total),
        round(bad - earlier_bad),
        round(other_total - earlier_other_total),
        round(other_bad - earlier_other_bad),
        round(faults - earlier_faults),
    )
    sound = 0 <= counted.candidate_bad <= counted.candidate_total and 0 <= counted.stable_bad <= counted.stable_total
    return counted if sound else None


def was_reset(before: Snapshot, after: Snapshot) -> bool:
    """Whether any series of a baseline decreased or disappeared. A series that is new in a known slot began at zero."""
    return _fell(before.candidate, after.candidate) or _fell(before.stable, after.stable)


def _fell(before: Counters, after: Counters) -> bool:
    for name, value in before.items():  # noqa: SIM110 (any() of a generator takes twice as long, and this is the innermost loop)
        if after.get(name, -1) < value:
            return True
    return False


Baselines = Mapping[str, Snapshot]
"""By proxy."""


def baselines(status: AnalysisStatus) -> dict[str, Baselines]:
    """Read the stored baselines: of every track, by its name."""
    of_stable = {(sample.metric, sample.proxy): sample.counters for sample in status.samples if sample.slot == status.stable_slot}
    found: dict[str, dict[str, Snapshot]] = {}
    for sample in status.samples:
        if sample.slot == status.candidate_slot and (stable := of_stable.get((sample.metric, sample.proxy))) is not None:
            found.setdefault(sample.metric, {})[sample.proxy] = Snapshot(sample.proxy, sample.at, sample.counters, stable)
    return dict(found)


def samples(track: str, snapshots: Iterable[Snapshot], status: AnalysisStatus, meter: Meter) -> list[Sample]:
    """Write baselines of one track the way status stores them: only the series that are read."""
    return [
        Sample(metric=track, proxy=proxy, slot=slot, at=at, counters=meter.pick(counters))
        for proxy, at, candidate, stable in sorted(snapshots, key=lambda snapshot: snapshot.proxy)
        for slot, counters in ((status.candidate_slot, candidate), (status.stable_slot, stable))
    ]
