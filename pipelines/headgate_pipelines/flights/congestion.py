"""How congested an airport was at the moment of a prediction, from its own departures up to that moment.

Times are whole minutes since the epoch (UTC), so no window is stretched or cut by daylight saving. Windows are half-open at the old
end, (T − length, T], and each share is counted with sorted arrays and binary search: n log n for a whole year instead of a scan a flight.
"""

import numpy as np
from numpy.typing import NDArray

Minutes = NDArray[np.int64]
Shares = NDArray[np.float64]

LATE_MINUTES = 15
LATE_WINDOW = 120
DEPARTURE_WINDOW = 180
MINIMUM_FLIGHTS = 5
NEVER = np.iinfo(np.int64).max // 2
"""The departure time of a flight that was cancelled."""


def late_share(asked: Minutes, scheduled: Minutes, departed: Minutes) -> Shares:
    """Share of the departures in (T − 2 h, T] that left more than 15 minutes after their scheduled time.

    Args:
        asked: the moments T, shape (n,).
        scheduled: scheduled departures of one origin, shape (m,).
        departed: their true departures, NEVER for cancelled flights, shape (m,).

    Returns:
        Shares in [0, 1], shape (n,); NaN where fewer than five flights departed.
    """
    late = departed[departed - scheduled > LATE_MINUTES]
    total = _count_within(departed, asked, LATE_WINDOW)
    return _share(_count_within(late, asked, LATE_WINDOW), total)


def not_departed_share(asked: Minutes, scheduled: Minutes, departed: Minutes) -> Shares:
    """Share of the flights scheduled in (T − 3 h, T] that had not left by T, whether they were late or would be cancelled.

    Arguments and result are those of `late_share`.
    """
    total = _count_within(scheduled, asked, DEPARTURE_WINDOW)
    # "Scheduled and departed by T" is max(scheduled, departed) <= T: a count over two conditions becomes one over a sorted array.
    departed_since_ever = _count_until(np.maximum(scheduled, departed), asked)
    of_older_schedules = _count_until(np.maximum(scheduled + DEPARTURE_WINDOW, departed), asked)
    return _share(total - (departed_since_ever - of_older_schedules), total)


def _count_until(times: Minutes, asked: Minutes) -> Minutes:
    return np.searchsorted(np.sort(times), asked, side="right")


def _count_within(times: Minutes, asked: Minutes, window: int) -> Minutes:
    ordered = np.sort(times)
    return np.searchsorted(ordered, asked, side="right") - np.searchsorted(ordered, asked - window, side="right")


def _share(part: Minutes, total: Minutes) -> Shares:
    enough = total >= MINIMUM_FLIGHTS
    return np.where(enough, part / np.maximum(total, 1), np.nan)
