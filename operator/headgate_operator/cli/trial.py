"""One metric of a rehearsed comparison: blocks close, count and restart by the operator's own rules, without counters and status.

`rollout.analysis.analyse` does the same from a gateway's counters, and a test holds the two side by side. What only people read, such as
the requests still needed, is left out here: a rehearsal counts some million blocks.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from headgate_operator.api.spec import Analysis as AnalysisSettings
from headgate_operator.api.spec import Metric, MetricPreset
from headgate_operator.api.status import FailStreak, MetricStatus, Mixture, Verdict
from headgate_operator.rollout.analysis import verdicts, wealth
from headgate_operator.rollout.analysis.blocks import ENOUGH_TO_CLOSE_EARLY, FEWEST_REQUESTS, Length
from headgate_operator.rollout.analysis.failing import is_conviction, longer_streak
from headgate_operator.stats.block import Block


@dataclass(frozen=True, kw_only=True)
class Closed:
    """How many requests a block has, and when it began."""

    began: datetime
    candidate: int = 0
    stable: int = 0


class MetricTrial:
    """Evidence about one metric, and its open block."""

    def __init__(self, settings: AnalysisSettings, metric: Metric, length: Length, *, at: datetime) -> None:
        self.metric = metric
        self.verdict = Verdict.UNDECIDED
        self._settings, self._length = settings, length
        self._mixture: Mixture | None = None
        self._promotion = wealth.promotion_evidence(metric, MetricStatus(name=metric.name))
        self._streak = FailStreak()
        self._open, self._discard = Closed(began=at), True

    def reweigh(self, at: datetime) -> None:
        """Go on at another weight: the open block goes, the next one is discarded, a mixture starts."""
        if self._mixture is not None:
            self._mixture = wealth.restart_mixture(self._mixture, at=at)
        self._streak = FailStreak()
        self._open, self._discard = Closed(began=at), True

    def closes(self, at: datetime, candidate: int, stable: int) -> Closed | None:
        """Add requests to the open block; return it if it closes and counts."""
        found = Closed(began=self._open.began, candidate=self._open.candidate + candidate, stable=self._open.stable + stable)
        if not self._is_enough(found, at - found.began):
            self._open = found
            return None
        discard, self._discard = self._discard, False
        self._open = Closed(began=at)
        return None if discard or not found.candidate else found

    def count(self, block: Block, *, began: datetime, for_promotion: bool = True) -> None:
        """Count a closed block that began at `began`; every bad answer of the candidate is one that the objective is about."""
        changed = self._changes(block, began)
        if changed:
            self._mixture = wealth.count_block(self.metric, self._mixture, block, faults=block.candidate_bad, began=began)
        if block.candidate_bad == block.candidate_total or self._streak.requests:
            self._streak = longer_streak(self._streak, block)
        if for_promotion:
            self._promotion = self._promotion.after(block)
        if changed or for_promotion:
            self.verdict = verdicts.verdict(self._settings, self.state)

    @property
    def state(self) -> MetricStatus:
        """What the operator would store of it, as far as anything is decided by it."""
        return MetricStatus(
            name=self.metric.name,
            evidence=wealth.rollback_evidence(self.metric, self._mixture).log_evidence,
            objective_evidence=wealth.objective_evidence(self._mixture),
            promotion_evidence=self._promotion.log_evidence,
            mixture=self._mixture,
            fail_streak=self._streak,
        )

    @property
    def all_failing(self) -> bool:
        """Whether so many recent candidate requests failed while stable served well. One that never served is found even sooner."""
        return self.metric.preset is MetricPreset.GATEWAY_ERRORS and is_conviction(self._streak)

    def _is_enough(self, open_: Closed, age: timedelta) -> bool:
        if age < self._length.shortest:
            return False
        if self._discard or open_.candidate >= ENOUGH_TO_CLOSE_EARLY:
            return True
        return age >= self._length.full and open_.candidate + open_.stable >= FEWEST_REQUESTS

    def _changes(self, block: Block, began: datetime) -> bool:
        """Whether the block changes the mixture's state: without a failure every factor of the comparison is 1."""
        mixture = self._mixture
        if block.bad or self.metric.maximum is not None:
            return True
        return mixture is None or mixture.untouched or began - mixture.since >= wealth.RESTART_AFTER
