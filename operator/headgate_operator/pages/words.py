"""Numbers and times as people read them. Times are UTC: whoever is called at night compares them with logs."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[float], str]
"""How a position on the time axis is written."""


def utc(at: datetime | None) -> str:
    """Write a moment, such as `2026-11-21 03:04:05`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if at is not None else "–"


def time_of_day(at: float) -> str:
    """Write seconds since 1970 as a time of the day."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"


def day_and_time(at: float) -> str:
    """Write seconds since 1970 with the day."""
    return f"{datetime.fromtimestamp(at, UTC):%b %d %H:%M}"


def clock_for(begin: float, end: float) -> Clock:
    """Return how times between these two, in seconds since 1970, are told apart."""
    return time_of_day if end - begin < 20 * 3600 else day_and_time


def number(value: float) -> str:
    """Write a number with no more digits than anybody reads: 1,234 or 12.3 or 0.071."""
    size = abs(value)
    if size >= 100 or value == int(value):
        return f"{value:,.0f}"
    written = f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 0.1 else f"{value:.2g}"
    return written.rstrip("0").rstrip(".") if "." in written and "e" not in written else written
