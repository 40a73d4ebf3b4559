"""One reading, seen from one metric: what each proxy says of both slots, and how that differs from the baseline.

A difference is taken per proxy and per series before anything is summed, so that the restart of one proxy voids its own difference only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from headgate_operator.api.status import AnalysisStatus, Sample
from headgate_operator.rollout.analysis.series import Counters, Meter
from headgate_operator.rollout.observed import Reading, Scrape
from headgate_operator.stats.block import Block


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The series that one metric needs of both slots, at one proxy and one instant."""

    proxy: str
    at: datetime
    candidate: Counters
    stable: Counters


@dataclass(frozen=True, kw_only=True)
class View:
    """All proxies that can be compared, or why there are none."""

    snapshots: tuple[Snapshot, ...] = ()
    gap: str | None = None


def view(reading: Reading, status: AnalysisStatus, meter: Meter) -> View:
    """Select what a metric needs of a reading. Both slots must be there: half a comparison is none."""
    snapshots = []
    gaps = [] if reading.scrapes else ["the reading has no proxy in it"]
    for scrape in reading.scrapes:
        slots = {slot.slot: slot.counters for slot in scrape.slots}
        gap = _gap(slots, status, meter, scrape)
        if gap is not None:
            gaps.append(gap)
            continue
        candidate, stable = (meter.pick(slots[slot]) for slot in (status.candidate_slot, status.stable_slot))
        snapshots.append(Snapshot(proxy=scrape.proxy, at=scrape.at, candidate=candidate, stable=stable))
    return View(snapshots=tuple(snapshots), gap=gaps[0] if gaps and not snapshots else None)


def _gap(slots: Mapping[int, Counters], status: AnalysisStatus, meter: Meter, scrape: Scrape) -> str | None:
    for name, slot in (("candidate", status.candidate_slot), ("stable version", status.stable_slot)):
        if slot not in slots:
            return f"{scrape.proxy} has no series for the {name} (slot {slot})"
        gap = meter.gap(slots[slot])
        if gap is not None:
            return f"{scrape.proxy}, {name} (slot {slot}): {gap}"
    return None


def growth(before: Counters, after: Counters) -> dict[str, float] | None:
    """How much each series grew; None if any decreased or disappeared. A series that is new in a known slot began at zero."""
    if any(after.get(name, -1) < value for name, value in before.items()):
        return None
    return {name: value - before.get(name, 0) for name, value in after.items()}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What one proxy counted between two snapshots."""

    block: Block
    faults: int
    """The candidate's bad answers that an absolute objective is about."""


def block_between(before: Snapshot, after: Snapshot, meter: Meter) -> Difference | None:
    """What one proxy counted between two snapshots; None if a counter was reset or the counts contradict each other."""
    candidate, stable = growth(before.candidate, after.candidate), growth(before.stable, after.stable)
    if candidate is None or stable is None:
        return None
    candidate_bad, candidate_total = meter.tally(candidate)
    stable_bad, stable_total = meter.tally(stable)
    if not (0 <= candidate_bad <= candidate_total and 0 <= stable_bad <= stable_total):
        return None
    block = Block(candidate_bad=candidate_bad, candidate_total=candidate_total, stable_bad=stable_bad, stable_total=stable_total)
    return Difference(block=block, faults=meter.faults(candidate))


def baselines(status: AnalysisStatus, metric: str) -> dict[str, Snapshot]:
    """Read the stored baselines of one metric, by proxy."""
    found: dict[str, dict[int, Sample]] = {}
    for sample in status.samples:
        if sample.metric == metric:
            found.setdefault(sample.proxy, {})[sample.slot] = sample
    return {
        proxy: Snapshot(
            proxy=proxy,
            at=slots[status.candidate_slot].at,
            candidate=slots[status.candidate_slot].counters,
            stable=slots[status.stable_slot].counters,
        )
        for proxy, slots in found.items()
        if {status.candidate_slot, status.stable_slot} <= slots.keys()
    }


def samples(now: Mapping[str, Snapshot], before: Mapping[str, Snapshot], status: AnalysisStatus, metric: str) -> list[Sample]:
    """Write baselines of one metric the way status stores them; while its block is open that is what is there already."""
    if now.keys() == before.keys() and all(snapshot is before[proxy] for proxy, snapshot in now.items()):
        return [sample for sample in status.samples if sample.metric == metric and sample.proxy in now]
    return [
        Sample(metric=metric, proxy=snapshot.proxy, slot=slot, at=snapshot.at, counters=dict(counters))
        for _, snapshot in sorted(now.items())
        for slot, counters in ((status.candidate_slot, snapshot.candidate), (status.stable_slot, snapshot.stable))
    ]
