"""One metric of a rehearsed comparison: blocks close, count and restart by the operator's own rules, without counters and status.

`rollout.analysis.analyse` does the same from a gateway's counters, and a test holds the two side by side. What only people read, such as
the requests still needed, is left out here: a rehearsal counts some million blocks.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from headgate_operator.api.spec import Analysis as AnalysisSettings
from headgate_operator.api.spec import Metric, MetricPreset
from headgate_operator.api.status import FailStreak, MetricStatus, Mixture, Verdict
from headgate_operator.rollout.analysis import verdicts, wealth
from headgate_operator.rollout.analysis.blocks import ENOUGH_TO_CLOSE_EARLY, FEWEST_REQUESTS, Length
from headgate_operator.rollout.analysis.failing import has_never_served, is_conviction, longer_streak
from headgate_operator.stats.block import Block

Outcome = Callable[[int, int], Block]
"""What comes of so many requests to the candidate and to stable."""

_EMPTY: Final = Block(candidate_total=0, candidate_bad=0, stable_total=0, stable_bad=0)


class MetricTrial:
    """Evidence about one metric, and its open block."""

    def __init__(self, settings: AnalysisSettings, metric: Metric, length: Length, *, weight: int, at: datetime) -> None:
        self.metric = metric
        self.verdict = Verdict.UNDECIDED
        self.all_failing = False
        """Whether the candidate fails so much that nobody waits for evidence."""
        self._settings, self._length, self._weight = settings, length, weight
        self._mixture: Mixture | None = None
        self._promotion = wealth.promotion_evidence(metric, MetricStatus(name=metric.name))
        self._streak, self._served = FailStreak(), metric.preset is not MetricPreset.GATEWAY_ERRORS
        self._began, self._open, self._arrived, self._discard = at, _EMPTY, (0, 0), True

    def reweigh(self, weight: int, at: datetime) -> None:
        """Go on at another weight: the open block goes, the next one is discarded, a mixture starts."""
        if self._mixture is not None:
            self._mixture = wealth.restart_mixture(self._mixture, at=at)
        self._streak, self.all_failing, self._weight = FailStreak(), False, weight
        self._began, self._open, self._arrived, self._discard = at, _EMPTY, (0, 0), True

    def arrive(self, at: datetime, candidate: int, stable: int, outcome: Outcome, *, for_promotion: bool = True) -> int:
        """Add requests to the open block and count it if it closes; return how many candidate requests were counted.

        What comes of requests is asked when a block closes, or at once as long as the candidate may never have served. Every bad answer of
        the candidate is one that the objective is about.
        """
        self._arrived = self._arrived[0] + candidate, self._arrived[1] + stable
        if not (self._served or self._discard):
            self._ask(outcome)
        began, age = self._began, at - self._began
        if not self._closes(age):
            self._look(self._open, age)
            return 0
        self._ask(outcome)
        block, discard = self._open, self._discard
        self._began, self._open, self._discard = at, _EMPTY, False
        if discard:
            return 0
        if block.candidate_total:
            self._count(block, began, for_promotion=for_promotion)
        if block.candidate_bad == block.candidate_total or self._streak.requests:
            self._streak = longer_streak(self._streak, block)
        self._look(_EMPTY, age)
        return block.candidate_total

    def _ask(self, outcome: Outcome) -> None:
        self._open, self._arrived = self._open + outcome(*self._arrived), (0, 0)

    def _closes(self, age: timedelta) -> bool:
        if age < self._length.shortest:
            return False
        candidate, stable = self._open.candidate_total + self._arrived[0], self._open.stable_total + self._arrived[1]
        if self._discard or candidate >= ENOUGH_TO_CLOSE_EARLY:
            return True
        return age >= self._length.full and candidate + stable >= FEWEST_REQUESTS

    def _count(self, block: Block, began: datetime, *, for_promotion: bool) -> None:
        changed = self._changes(block, began)
        if changed:
            self._mixture = wealth.count_block(self.metric, self._mixture, block, faults=block.candidate_bad, began=began)
        if for_promotion:
            self._promotion = self._promotion.after(block)
        if changed or for_promotion:
            self.verdict = verdicts.verdict(self._settings, self.state)
        self._served |= block.candidate_bad < block.candidate_total

    def _look(self, open_: Block, age: timedelta) -> None:
        """Look for a hard failure, and into the open block if that may matter."""
        if self.metric.preset is not MetricPreset.GATEWAY_ERRORS:
            return
        self.all_failing = is_conviction(self._streak)
        if not (self._served or self._discard or self.all_failing):
            streak = longer_streak(self._streak, open_) if age >= self._length.shortest else self._streak
            lasting = age >= 2 * self._length.shortest
            self.all_failing = has_never_served(self.metric, streak, self._weight, outlasts_a_poll=lasting)

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

    def _changes(self, block: Block, began: datetime) -> bool:
        """Whether the block changes the mixture's state: without a failure every factor of the comparison is 1."""
        mixture = self._mixture
        if block.bad or self.metric.maximum is not None:
            return True
        return mixture is None or mixture.untouched or began - mixture.since >= wealth.RESTART_AFTER
