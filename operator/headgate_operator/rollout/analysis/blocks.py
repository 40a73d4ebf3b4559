"""When a block closes, and what is in it.

A block closes after `interval`, or after a fifth of it once the candidate had ten requests: the rule looks at how many requests there
were, never at how many were bad, or the evidence would lose its guarantee. With so little traffic that a block would hold hardly
more than one request it waits for a few: a candidate's failure says nothing as long as there is nothing beside it to compare it with.

The first block after a change of weight is only there to be thrown away; it closes as soon as any block may.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from headgate_operator.rollout.analysis.counters import Baselines, Difference, Snapshot, difference, was_reset
from headgate_operator.rollout.analysis.series import Meter
from headgate_operator.stats.block import Block

ENOUGH_TO_CLOSE_EARLY: Final = 10
FEWEST_REQUESTS: Final = 5
"""Of both versions together, which is what makes waiting for them harmless: whose they are is still the gateway's free choice."""

POLLS_PER_INTERVAL: Final = 5
EARLY: Final = 0.95
"""Blocks are as long as polls are apart; a poll that comes a little early must not cost another whole one."""

_NO_TIME: Final = timedelta(0)


@dataclass(frozen=True, kw_only=True)
class Length:
    """Bounds of a block's length."""

    shortest: timedelta
    """Before this nothing closes."""
    full: timedelta
    """After this it closes even with few requests."""

    @classmethod
    @lru_cache(maxsize=64)
    def of(cls, interval: timedelta, *, at_least: timedelta = _NO_TIME) -> "Length":
        """Derive the bounds from the analysis interval and what the counters need to settle."""
        return cls(shortest=max(EARLY * interval / POLLS_PER_INTERVAL, at_least), full=max(EARLY * interval, at_least))


@dataclass(frozen=True, kw_only=True)
class Closing:
    """What one reading does to the open block of a track."""

    baselines: Baselines
    """What the next reading is compared with; the very same mapping if nothing changed."""
    block: Block | None = None
    """The block, if it closed."""
    open: Block | None = None
    """What is in the block so far, if it stays open although it may be looked at."""
    faults: int = 0
    """The candidate's bad answers in it that an absolute objective is about."""
    began: datetime | None = None
    ended: datetime | None = None

    outlasts_a_poll: bool = False
    """Whether the block, open or closed, was at least twice as long as the shortest."""


@dataclass(kw_only=True)
class _Sum:
    """The proxies that contribute to the block, added up."""

    candidate_total: int = 0
    candidate_bad: int = 0
    stable_total: int = 0
    stable_bad: int = 0
    faults: int = 0
    began: datetime | None = None
    ended: datetime | None = None
    candidate_known: bool = False
    stable_known: bool = False
    renewed: dict[str, Snapshot] = field(default_factory=dict)
    """The contributing proxies' counters now: their baselines, should the block close."""

    def add(self, before: Snapshot, after: Snapshot, counted: Difference) -> None:
        self.candidate_total += counted.candidate_total
        self.candidate_bad += counted.candidate_bad
        self.stable_total += counted.stable_total
        self.stable_bad += counted.stable_bad
        self.faults += counted.faults
        self.began = before.at if self.began is None else min(self.began, before.at)
        self.ended = after.at if self.ended is None else max(self.ended, after.at)
        self.candidate_known |= bool(after.candidate)
        self.stable_known |= bool(after.stable)
        self.renewed[after.proxy] = after

    @property
    def age(self) -> timedelta:
        """How long the block has been open, by the proxy that was open longest."""
        return self.ended - self.began if self.began is not None and self.ended is not None else _NO_TIME

    def suffices(self, length: Length) -> bool:
        """Whether there are enough requests to close the block, at its full length or before."""
        if self.candidate_total >= ENOUGH_TO_CLOSE_EARLY:
            return True
        return self.age >= length.full and self.candidate_total + self.stable_total >= FEWEST_REQUESTS

    def block(self) -> Block:
        return Block(
            candidate_total=self.candidate_total,
            candidate_bad=self.candidate_bad,
            stable_total=self.stable_total,
            stable_bad=self.stable_bad,
        )


def close(before: Baselines, now: Sequence[Snapshot], meter: Meter, length: Length, *, settling: bool) -> Closing:
    """Compare baselines with a reading. Proxies that are new, were reset or whose clock went back get a new baseline and no difference.

    A proxy whose baseline is younger than the shortest block stays open beside the others. Where each source counts for one version
    only, both must have one that is old enough, or their requests would never meet in a block. A reading that is not newer than a
    baseline changes nothing, so that the same one may come twice. `settling` says that the block will be thrown away.
    """
    kept: dict[str, Snapshot] = {}
    total = _Sum()
    for after in now:
        baseline = before.get(after.proxy, after)
        kept[after.proxy] = baseline if _holds(baseline, after, meter, length, total) else after
    if not (total.candidate_known and total.stable_known):
        return Closing(baselines=kept)
    closes = settling or total.suffices(length)
    return Closing(
        baselines=kept | total.renewed if closes else kept,
        block=total.block() if closes else None,
        open=None if closes else total.block(),
        outlasts_a_poll=total.age >= 2 * length.shortest,
        faults=total.faults,
        began=total.began,
        ended=total.ended,
    )


def _holds(baseline: Snapshot, after: Snapshot, meter: Meter, length: Length, total: _Sum) -> bool:
    """Whether one proxy's baseline is still good for something; what it counts since then is added to the total once it is old enough."""
    age = after.at - baseline.at
    if age <= _NO_TIME:
        return age >= -length.full
    if age < length.shortest:
        return not was_reset(baseline, after)
    counted = difference(baseline, after, meter)
    if counted is not None:
        total.add(baseline, after, counted)
    return counted is not None
