"""When a block closes, and what is in it.

A block closes after `interval`, or after a fifth of it once the candidate had ten requests: the rule looks at how many requests there
were, never at how many were bad, or the evidence would lose its guarantee. With so little traffic that a block would hold hardly
more than one request it waits for a few: a candidate's failure says nothing as long as there is nothing beside it to compare it with.

The first block after a change of weight is only there to be thrown away; it closes as soon as any block may.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from headgate_operator.rollout.analysis.counters import Difference, Snapshot, block_between
from headgate_operator.rollout.analysis.series import Meter
from headgate_operator.stats.block import Block

ENOUGH_TO_CLOSE_EARLY: Final = 10
FEWEST_REQUESTS: Final = 5
"""Of both versions together, which is what makes waiting for them harmless: whose they are is still the gateway's free choice."""

POLLS_PER_INTERVAL: Final = 5
_EARLY: Final = 0.95
"""Blocks are as long as polls are apart; a poll that comes a little early must not cost another whole one."""


@dataclass(frozen=True, kw_only=True)
class Length:
    """Bounds of a block's length."""

    shortest: timedelta
    """Before this nothing closes."""
    full: timedelta
    """After this it closes even with few requests."""

    @classmethod
    def of(cls, interval: timedelta, *, at_least: timedelta = timedelta(0)) -> "Length":
        """Derive the bounds from the analysis interval and what the counters need to settle."""
        return cls(shortest=max(_EARLY * interval / POLLS_PER_INTERVAL, at_least), full=max(_EARLY * interval, at_least))


@dataclass(frozen=True, kw_only=True)
class Closing:
    """What one reading does to the open block of a metric."""

    baselines: Mapping[str, Snapshot]
    """By proxy; what the next reading is compared with."""
    block: Block | None = None
    """The block, if it closed."""
    faults: int = 0
    """The candidate's bad answers in it that an absolute objective is about."""
    began: datetime | None = None
    ended: datetime | None = None


@dataclass(kw_only=True)
class _Sum:
    """The proxies that contribute to the block, added up."""

    candidate_total: int = 0
    candidate_bad: int = 0
    stable_total: int = 0
    stable_bad: int = 0
    faults: int = 0
    proxies: list[str] = field(default_factory=list)

    def add(self, proxy: str, difference: Difference) -> None:
        block = difference.block
        self.candidate_total += block.candidate_total
        self.candidate_bad += block.candidate_bad
        self.stable_total += block.stable_total
        self.stable_bad += block.stable_bad
        self.faults += difference.faults
        self.proxies.append(proxy)

    def suffices(self, *, full: bool) -> bool:
        """Whether there are enough requests to close the block, at its full length or before."""
        if self.candidate_total >= ENOUGH_TO_CLOSE_EARLY:
            return True
        return full and self.candidate_total + self.stable_total >= FEWEST_REQUESTS

    def block(self) -> Block:
        return Block(
            candidate_total=self.candidate_total,
            candidate_bad=self.candidate_bad,
            stable_total=self.stable_total,
            stable_bad=self.stable_bad,
        )


def close(before: Mapping[str, Snapshot], now: Mapping[str, Snapshot], meter: Meter, length: Length, *, settling: bool) -> Closing:
    """Compare baselines with a reading. Proxies that are new, were reset or whose clock went back get a new baseline and no difference.

    A proxy whose baseline is younger than the shortest block stays open beside the others. A reading that is not newer than a baseline
    changes nothing, so that the same one may come twice. `settling` says that the block will be thrown away.
    """
    kept: dict[str, Snapshot] = {}
    total = _Sum()
    for proxy, after in now.items():
        baseline = before.get(proxy, after)
        age = after.at - baseline.at
        difference = block_between(baseline, after, meter)
        lost = (age > timedelta(0) and difference is None) or age < -length.full
        kept[proxy] = after if lost else baseline
        if difference is not None and age >= length.shortest:
            total.add(proxy, difference)
    began = min((before[proxy].at for proxy in total.proxies), default=None)
    ended = max((now[proxy].at for proxy in total.proxies), default=None)
    if began is None or ended is None:
        return Closing(baselines=kept)
    if not settling and not total.suffices(full=ended - began >= length.full):
        return Closing(baselines=kept)
    baselines = kept | {proxy: now[proxy] for proxy in total.proxies}
    return Closing(baselines=baselines, block=total.block(), faults=total.faults, began=began, ended=ended)
