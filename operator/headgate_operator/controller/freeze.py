"""Freeze windows: when no candidate starts and no weight is raised. Once (`2026-12-23T18:00Z/2027-01-02T08:00Z`) or weekly, in UTC."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEK: Final = timedelta(days=7)
_WEEKLY: Final = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun)-([01][0-9]|2[0-3]):([0-5][0-9])")
FREEZE_SENTENCE: Final = (
    "write <begin>/<end> in UTC, weekly such as Fri-16:00/Mon-08:00, or once such as 2026-12-23T18:00Z/2027-01-02T08:00Z, "
    "with the end after the begin"
)


@dataclass(frozen=True)
class OnceWindow:
    """One stretch of time."""

    begin: datetime
    end: datetime

    def until(self, now: datetime) -> datetime | None:
        """Return when the window ends if it is in effect."""
        return self.end if self.begin <= now < self.end else None


@dataclass(frozen=True)
class WeeklyWindow:
    """The same stretch of every week, counted from Monday 00:00 UTC; it may go over the end of the week."""

    begin: timedelta
    length: timedelta

    def until(self, now: datetime) -> datetime | None:
        """Return when the window ends if it is in effect."""
        utc = now.astimezone(UTC)
        monday = utc.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=utc.weekday())
        passed = (utc - monday - self.begin) % _WEEK
        return utc - passed + self.length if passed < self.length else None


FreezeWindow = OnceWindow | WeeklyWindow


def parse_freeze_window(text: str) -> FreezeWindow:
    """Read a window; ValueError with what is allowed."""
    begin, slash, end = text.partition("/")
    first, last = _WEEKLY.fullmatch(begin), _WEEKLY.fullmatch(end)
    try:
        if not slash:
            raise ValueError
        if first and last:
            length = (_since_monday(last) - _since_monday(first)) % _WEEK
            window: FreezeWindow = WeeklyWindow(_since_monday(first), length)
        else:
            window = OnceWindow(_instant(begin), _instant(end))
            length = window.end - window.begin
        if length <= timedelta(0):
            raise ValueError
    except ValueError:
        raise ValueError(f"{text!r} is not a freeze window: {FREEZE_SENTENCE}") from None
    return window


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError
    return at.astimezone(UTC)


def _since_monday(match: re.Match[str]) -> timedelta:
    day, hours, minutes = match.groups()
    return timedelta(days=_DAYS.index(day), hours=int(hours), minutes=int(minutes))
