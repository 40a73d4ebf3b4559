"""The candidates that this process has seen: what limits and the breaker are counted from.

Kept in memory only. After a restart it fills as every object is looked at once, so that for those first seconds a limit may be exceeded by
what starts meanwhile; whatever is under way already is in its own status and goes on.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from headgate_operator.api.quantities import format_duration
from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import ConditionType, ModelDeploymentStatus
from headgate_operator.controller.freeze import FreezeWindow
from headgate_operator.rollout.observed import Fleet

_FEWEST_FAILING: Final = 3
"""Fewer failing rollouts say nothing about the fleet."""


@dataclass(frozen=True, kw_only=True)
class FleetSettings:
    """Limits over all ModelDeployments of this operator."""

    max_concurrent_rollouts: int | None = None
    freeze_windows: tuple[FreezeWindow, ...] = ()
    breaker_share: float = 0.5
    """Above this share of canaries with provider errors the breaker opens."""
    breaker_window: timedelta = timedelta(minutes=5)


class FleetRegister:
    """Counts canaries, and those whose metrics could not be read.

    `view` and `report` belong around one `decide`, without an await between.
    """

    def __init__(self, settings: FleetSettings) -> None:
        self._settings = settings
        self._failed_at: dict[tuple[str, str], datetime | None] = {}
        """One entry a canary under way: when its provider failed last."""

    def view(self, key: tuple[str, str], now: datetime) -> Fleet:
        """Return what the fleet means for one ModelDeployment."""
        ends = [end for window in self._settings.freeze_windows if (end := window.until(now)) is not None]
        return Fleet(
            others_under_way=len(self._failed_at.keys() - {key}),
            limit=self._settings.max_concurrent_rollouts,
            freeze_until=max(ends, default=None),
            breaker=self._breaker(now),
        )

    def report(self, key: tuple[str, str], status: ModelDeploymentStatus, now: datetime) -> None:
        """Take note of what was decided about one ModelDeployment."""
        if status.candidate is None or status.stable is None or status.candidate.known_good:
            self.forget(key)
            return
        failing = any(
            condition.type is ConditionType.ANALYSIS_AVAILABLE and condition.reason == Reason.PROVIDER_ERROR
            for condition in status.conditions
        )
        self._failed_at[key] = now if failing else self._failed_at.get(key)

    def forget(self, key: tuple[str, str]) -> None:
        """The ModelDeployment is gone, or has no canary."""
        self._failed_at.pop(key, None)

    def _breaker(self, now: datetime) -> str | None:
        window = self._settings.breaker_window
        failing = sum(at is not None and now - at <= window for at in self._failed_at.values())
        if failing < _FEWEST_FAILING or failing <= self._settings.breaker_share * len(self._failed_at):
            return None
        return f"{failing} of {len(self._failed_at)} rollouts could not read their metrics within the last {format_duration(window)}"
