"""The joined table of the flights example: one row a flight, what was known 60 minutes before its scheduled departure, and the label.

The question: will it arrive more than 15 minutes late? Everything in `FEATURES` was known at T = scheduled departure − 60 minutes.
Kept out on purpose, because they are known only later or give the answer away: dep_time, arr_time, air_time, arr_delay, dep_delay
(alone it gives a ROC AUC of .913), tailnum (null means cancelled) and the weather of the hour of departure.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from headgate_pipelines.flights import congestion
from headgate_pipelines.flights.source import WEATHER_VALUES, data_folder, read_flights, read_weather

CATEGORIES = ("carrier", "origin", "dest")
NUMBERS = (
    "sched_dep_minute",
    "sched_block_minutes",
    "distance",
    "weekday",
    *WEATHER_VALUES,
    "late_share_2h",
    "not_departed_share_3h",
)
FEATURES = (*CATEGORIES, *NUMBERS)
LABEL = "late"
TIME = "asked_at"
"""T, the moment of the prediction: tables are sorted by it and split by it."""
ID = "flight_id"
COLUMNS = (ID, TIME, *FEATURES, LABEL)

LEAD_MINUTES = 60
WEATHER_LAG_HOURS = 2
MINUTES_A_DAY = 1440
LATE_ARRIVAL_MINUTES = 15


def load(folder: Path | None = None) -> pd.DataFrame:
    """All 336,776 flights of 2013 as the joined table, in time order.

    Args:
        folder: where the CSV files lie; the installed distribution's by default.

    Returns:
        The columns of `COLUMNS`; features are strings and floats with NaN for what is missing. `late` is 1.0, 0.0, or NaN for
        cancelled and diverted flights: they are asked about like all others but never get a label.

    Raises:
        FlightsError: a data file is missing or unreadable.
    """
    folder = data_folder() if folder is None else folder
    return joined(read_flights(folder), read_weather(folder))


def joined(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """The joined table of the given flights and weather; see `load`."""
    scheduled = _minutes(flights["time_hour"]) + flights["minute"].to_numpy(np.int64)
    asked = scheduled - LEAD_MINUTES
    frame = _schedule_features(flights)
    frame = frame.assign(**_congestion_features(flights, scheduled, asked), **_weather_features(flights, weather))
    frame[LABEL] = np.where(flights["arr_delay"].isna(), np.nan, flights["arr_delay"] > LATE_ARRIVAL_MINUTES)
    frame[TIME] = asked.astype("datetime64[m]").astype("datetime64[ms]")
    frame[ID] = _ids(flights)
    return frame[list(COLUMNS)].sort_values([TIME, ID], kind="stable", ignore_index=True)


def _schedule_features(flights: pd.DataFrame) -> pd.DataFrame:
    departure = _minute_of_day(flights["sched_dep_time"])
    arrival = _minute_of_day(flights["sched_arr_time"])
    dates = pd.to_datetime(pd.DataFrame({"year": 2013, "month": flights["month"], "day": flights["day"]}))
    frame = flights[list(CATEGORIES)].copy()
    frame["sched_dep_minute"] = departure.astype(np.float64)
    # Clock times of two time zones: the difference modulo a day, as a caller knows it from the timetable.
    frame["sched_block_minutes"] = ((arrival - departure) % MINUTES_A_DAY).astype(np.float64)
    frame["distance"] = flights["distance"].astype(np.float64)
    frame["weekday"] = dates.dt.weekday.astype(np.float64)
    return frame


def _congestion_features(flights: pd.DataFrame, scheduled: congestion.Minutes, asked: congestion.Minutes) -> dict[str, congestion.Shares]:
    delay = flights["dep_delay"].to_numpy()
    departed = np.where(np.isnan(delay), congestion.NEVER, scheduled + np.nan_to_num(delay).astype(np.int64))
    late = np.full(len(flights), np.nan)
    waiting = np.full(len(flights), np.nan)
    origins = flights["origin"].to_numpy()
    for origin in np.unique(origins):
        rows = np.flatnonzero(origins == origin)
        at_origin = (asked[rows], scheduled[rows], departed[rows])
        late[rows] = congestion.late_share(*at_origin)
        waiting[rows] = congestion.not_departed_share(*at_origin)
    return {"late_share_2h": late, "not_departed_share_3h": waiting}


def _weather_features(flights: pd.DataFrame, weather: pd.DataFrame) -> dict[str, congestion.Shares]:
    """Weather two full hours before the hour of departure: the newest record surely published by T.

    Joined on UTC hours, since the local hour 1 exists twice on the day daylight saving ends.
    """
    known = weather.set_index(["origin", "time_hour"])[list(WEATHER_VALUES)]
    wanted = pd.MultiIndex.from_arrays([flights["origin"], flights["time_hour"] - pd.Timedelta(hours=WEATHER_LAG_HOURS)])
    return {name: values.to_numpy(np.float64) for name, values in known.reindex(wanted).items()}


def _ids(flights: pd.DataFrame) -> pd.Series:
    # 7,000 hours are formatted, not 336,776.
    codes, hours = pd.factorize(flights["time_hour"])
    when = pd.Series(hours.strftime("%Y-%m-%dT%HZ").to_numpy()[codes], index=flights.index)
    return when + "-" + flights["carrier"] + flights["flight"].astype(str) + "-" + flights["origin"]


def _minutes(hours: pd.Series) -> congestion.Minutes:
    minutes: congestion.Minutes = hours.dt.tz_localize(None).to_numpy().astype("datetime64[m]").astype(np.int64)
    return minutes


def _minute_of_day(clock: pd.Series) -> congestion.Minutes:
    """Minutes since midnight of clock times written as hhmm; 2400 is midnight."""
    minutes: congestion.Minutes = (clock // 100 * 60 + clock % 100).to_numpy(np.int64)
    return minutes
