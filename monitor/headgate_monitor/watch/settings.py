"""How traffic is cut into windows, and how sure a window must be before it alarms."""

from dataclasses import dataclass, replace
from typing import Final

LARGEST_ALPHA: Final = 0.05
SMALLEST_ALPHA: Final = 1e-9


@dataclass(frozen=True, kw_only=True)
class Windows:
    """A window ends at `rows`, or after `seconds`; with fewer than `minimum_rows` at its end there is no verdict.

    `false_alarm_seconds` is the average time between false alarms that is acceptable. Of the features, those in `include` (None: all)
    but not in `exclude` alarm.
    """

    rows: int = 500
    seconds: float = 900.0
    minimum_rows: int = 100
    false_alarm_seconds: float = 30 * 86_400.0
    include: frozenset[str] | None = None
    exclude: frozenset[str] = frozenset()

    def alpha(self, elapsed: float) -> float:
        """Return the level of a window that lasted so many seconds: short windows come often, so each may err less often."""
        return min(LARGEST_ALPHA, max(SMALLEST_ALPHA, elapsed / self.false_alarm_seconds))

    @property
    def of_predictions(self) -> "Windows":
        """The same for predictions, which alarm whatever features do."""
        return replace(self, include=None, exclude=frozenset())

    def watches(self, feature: str) -> bool:
        """Whether the feature may alarm."""
        return (self.include is None or feature in self.include) and feature not in self.exclude
