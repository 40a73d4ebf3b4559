"""A comparison that is fed counts instead of a gateway's counters: the operator's own analysis, pass by pass, without a cluster."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from headgate_operator.api.spec import Analysis as AnalysisSettings
from headgate_operator.api.status import AnalysisStatus, MetricStatus
from headgate_operator.rollout.analysis import Analysis, analyse, begin
from headgate_operator.rollout.analysis.blocks import FEWEST_REQUESTS
from headgate_operator.rollout.observed import Reading, Scrape, SlotCounters
from headgate_operator.stats.block import Block

_STABLE, _CANDIDATE = 0, 1
_START: Final = datetime(2000, 1, 1, tzinfo=UTC)
_WITHIN: Final = timedelta(minutes=30)
"""All blocks together last at most this long, so that no fresh mixture starts between them: they belong to one step."""

NO_REQUESTS: Final = Block(candidate_total=0, candidate_bad=0, stable_total=0, stable_bad=0)


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What the operator says after one block."""

    block: Block
    analysis: Analysis

    @property
    def metric(self) -> MetricStatus:
        """The first metric's evidence, verdict and outlook."""
        return self.analysis.status.metrics[0]


def joined(blocks: Iterable[Block]) -> list[list[Block]]:
    """Group blocks as the operator closes them: one with fewer than a handful of requests stays open. The last group may be too small."""
    groups: list[list[Block]] = [[]]
    for block in blocks:
        groups[-1].append(block)
        if not is_open(groups[-1]):
            groups.append([])
    return [group for group in groups if group]


def is_open(blocks: Iterable[Block]) -> bool:
    """Whether blocks together are too small to be closed."""
    return sum(block.candidate_total + block.stable_total for block in blocks) < FEWEST_REQUESTS


def total(blocks: Iterable[Block]) -> Block:
    """Add blocks up."""
    counts = [(block.candidate_total, block.candidate_bad, block.stable_total, block.stable_bad) for block in blocks]
    candidate_total, candidate_bad, stable_total, stable_bad = (sum(column) for column in zip(*counts, strict=True))
    return Block(candidate_total=candidate_total, candidate_bad=candidate_bad, stable_total=stable_total, stable_bad=stable_bad)


def compare(settings: AnalysisSettings, blocks: list[Block]) -> list[Counted]:
    """Count blocks of one step, one after the other, in every metric of `settings` (errors metrics only)."""
    interval = min(timedelta(seconds=1), _WITHIN / max(1, len(blocks)))
    settings = settings.model_copy(update={"interval": interval})
    status = begin(candidate="candidate", candidate_slot=_CANDIDATE, stable_slot=_STABLE, weight=50)
    found: list[Counted] = []
    for number, (block, reading) in enumerate(_readings([NO_REQUESTS, NO_REQUESTS, *blocks], interval)):
        result = analyse(settings, status, reading, now=reading.scrapes[0].at)
        status = _still_expected(result.status)
        if number > 1:  # the first is the baseline, the second the block that is discarded after a change of weight
            found.append(Counted(block=block, analysis=result))
    return found


def _still_expected(status: AnalysisStatus) -> AnalysisStatus:
    """Blocks without a candidate request are no news here: the weight is not known."""
    return status.model_copy(update={"silent_requests": 0})


def _readings(blocks: Iterable[Block], interval: timedelta) -> Iterable[tuple[Block, Reading]]:
    """Add blocks up to what a gateway would publish at the end of each."""
    good, bad, at = {_STABLE: 0, _CANDIDATE: 0}, {_STABLE: 0, _CANDIDATE: 0}, _START
    for block in blocks:
        bad[_STABLE] += block.stable_bad
        bad[_CANDIDATE] += block.candidate_bad
        good[_STABLE] += block.stable_total - block.stable_bad
        good[_CANDIDATE] += block.candidate_total - block.candidate_bad
        slots = tuple(SlotCounters(slot=slot, counters={"rq_2xx": good[slot], "rq_5xx": bad[slot]}) for slot in (_STABLE, _CANDIDATE))
        yield block, Reading(scrapes=(Scrape(proxy="calculator", at=at, slots=slots),))
        at += interval
