"""Months of a year as half-open periods, the way the example's data is cut into training, evaluation and live traffic."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

YEAR = 2013
TIME_ZONE = "America/New_York"
MONTHS = 12


@dataclass(frozen=True)
class Period:
    """The time from `start` (included) to `end` (not included), both UTC without a zone, as tables carry their times."""

    start: datetime
    end: datetime


def months(first: int, last: int, *, year: int = YEAR, zone: str = TIME_ZONE) -> Period:
    """The period from the first to the last of these months, both included, by the local calendar.

    Flights fall into the month of their scheduled local date: none of 2013 is scheduled before 01:06, so that even 60 minutes earlier
    is still the same day.

    Raises:
        ValueError: the months are not two of 1–12 in order.
    """
    if not 1 <= first <= last <= MONTHS:
        raise ValueError(f"months {first}-{last} are not a period; give two months of 1-{MONTHS}, the earlier first")
    return Period(_midnight(year, first, zone), _midnight(year + last // MONTHS, last % MONTHS + 1, zone))


def _midnight(year: int, month: int, zone: str) -> datetime:
    return datetime(year, month, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)
