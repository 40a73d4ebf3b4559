"""Each joined feature, by hand on a few flights and by brute force on real ones."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headgate_pipelines.flights.table import joined

ASKED = {"at": "2013-07-01 13:00", "dep_delay": 0.0}
"""A flight asked about at T = 12:00 UTC."""

TWO_HOURS, THREE_HOURS = pd.Timedelta(hours=2), pd.Timedelta(hours=3)


def feature(frame: pd.DataFrame, name: str) -> float:
    """The feature of the last flight of the day, the one that was asked about."""
    return float(frame.loc[frame["asked_at"].idxmax(), name])


def test_the_late_share_counts_departures_of_the_two_hours_before_the_question(make_flights: Any, make_weather: Any) -> None:
    frame = joined(
        make_flights(
            {"at": "2013-07-01 10:00", "dep_delay": 0.0},  # left at T − 2 h: not counted
            {"at": "2013-07-01 10:01", "dep_delay": 0.0},
            {"at": "2013-07-01 10:30", "dep_delay": 15.0},  # exactly 15 minutes is not late
            {"at": "2013-07-01 11:00", "dep_delay": 16.0},
            {"at": "2013-07-01 09:00", "dep_delay": 90.0},  # scheduled long before, left at 10:30
            {"at": "2013-07-01 11:00", "dep_delay": 60.0},  # left at T: counted
            {"at": "2013-07-01 11:30", "dep_delay": 31.0},  # left after T: unknown at T
            {"at": "2013-07-01 11:30", "dep_delay": None},  # cancelled: never left
            {"at": "2013-07-01 11:30", "dep_delay": 0.0, "origin": "JFK"},
            ASKED,
        ),
        make_weather(),
    )
    assert feature(frame, "late_share_2h") == 3 / 5


def test_the_late_share_is_missing_below_five_departures(make_flights: Any, make_weather: Any) -> None:
    departures = [{"at": f"2013-07-01 11:{minute:02}", "dep_delay": 20.0} for minute in (1, 2, 3, 4)]
    assert math.isnan(feature(joined(make_flights(*departures, ASKED), make_weather()), "late_share_2h"))
    five = [*departures, {"at": "2013-07-01 11:05", "dep_delay": 0.0}]
    assert feature(joined(make_flights(*five, ASKED), make_weather()), "late_share_2h") == 4 / 5


def test_the_not_departed_share_counts_flights_scheduled_in_the_three_hours_before_the_question(
    make_flights: Any, make_weather: Any
) -> None:
    frame = joined(
        make_flights(
            {"at": "2013-07-01 09:00", "dep_delay": 500.0},  # scheduled at T − 3 h: not counted
            {"at": "2013-07-01 09:00", "dep_delay": 0.0},  # neither
            {"at": "2013-07-01 09:01", "dep_delay": 500.0},  # waits
            {"at": "2013-07-01 09:01", "dep_delay": 0.0},  # departed
            {"at": "2013-07-01 10:00", "dep_delay": 120.0},  # left at T: departed
            {"at": "2013-07-01 10:00", "dep_delay": 121.0},  # leaves after T: waits
            {"at": "2013-07-01 11:00", "dep_delay": None},  # will be cancelled: waits
            {"at": "2013-07-01 12:00", "dep_delay": -5.0},  # scheduled at T, left early: departed
            {"at": "2013-07-01 12:01", "dep_delay": 0.0},  # scheduled after T: not counted
            {"at": "2013-07-01 11:30", "dep_delay": None, "origin": "LGA"},
            ASKED,
        ),
        make_weather(),
    )
    assert feature(frame, "not_departed_share_3h") == 3 / 6


def test_the_not_departed_share_is_missing_below_five_flights(make_flights: Any, make_weather: Any) -> None:
    four = [{"at": f"2013-07-01 11:{minute:02}"} for minute in (1, 2, 3, 4)]
    assert math.isnan(feature(joined(make_flights(*four, ASKED), make_weather()), "not_departed_share_3h"))


def test_weather_is_that_of_two_hours_before_the_hour_of_departure(make_flights: Any, make_weather: Any) -> None:
    hours = make_weather(("2013-07-01 10:00", 70.0), ("2013-07-01 11:00", 71.0), ("2013-07-01 12:00", 72.0), ("2013-07-01 13:00", 73.0))
    for minute in ("00", "59"):
        assert feature(joined(make_flights({"at": f"2013-07-01 13:{minute}"}), hours), "temp") == 71.0


def test_weather_without_a_record_is_missing(make_flights: Any, make_weather: Any) -> None:
    assert math.isnan(feature(joined(make_flights(ASKED), make_weather(("2013-07-01 12:00", 72.0))), "temp"))
    assert math.isnan(feature(joined(make_flights(ASKED), make_weather(("2013-07-01 11:00", 72.0), origin="JFK")), "temp"))


def test_weather_follows_elapsed_hours_when_daylight_saving_ends(make_flights: Any, make_weather: Any) -> None:
    # 03:30 in New York on 3 November is 08:30 UTC; two hours earlier was the second of the two hours named 01.
    hours = make_weather(("2013-11-03 05:00", 51.0), ("2013-11-03 06:00", 52.0), ("2013-11-03 07:00", 53.0))
    frame = joined(make_flights({"at": "2013-11-03 08:30", "month": 11, "day": 3, "sched_dep_time": 330}), hours)
    assert feature(frame, "temp") == 52.0


@pytest.mark.parametrize(("departure", "arrival", "minutes"), [(900, 1130, 150), (2359, 129, 90), (1800, 1755, 1435), (2300, 2400, 60)])
def test_the_scheduled_block_is_taken_modulo_a_day(
    make_flights: Any, make_weather: Any, departure: int, arrival: int, minutes: int
) -> None:
    frame = joined(make_flights({"at": "2013-07-01 13:00", "sched_dep_time": departure, "sched_arr_time": arrival}), make_weather())
    assert feature(frame, "sched_block_minutes") == minutes


def test_the_weekday_and_minute_are_local(make_flights: Any, make_weather: Any) -> None:
    # Monday, 1 July, 23:05 in New York, already Tuesday in UTC.
    frame = joined(make_flights({"at": "2013-07-02 03:05", "sched_dep_time": 2305, "day": 1}), make_weather())
    assert (feature(frame, "weekday"), feature(frame, "sched_dep_minute")) == (0, 23 * 60 + 5)


@pytest.mark.parametrize(("arr_delay", "late"), [(15.0, 0.0), (16.0, 1.0), (-3.0, 0.0)])
def test_a_flight_is_late_from_16_minutes_on(make_flights: Any, make_weather: Any, arr_delay: float, late: float) -> None:
    assert feature(joined(make_flights({"at": "2013-07-01 13:00", "arr_delay": arr_delay}), make_weather()), "late") == late


def test_a_flight_that_did_not_arrive_has_no_label(make_flights: Any, make_weather: Any) -> None:
    assert math.isnan(feature(joined(make_flights({"at": "2013-07-01 13:00", "arr_delay": None}), make_weather()), "late"))


def test_the_joins_of_real_flights_agree_with_a_scan_of_all_flights(
    table: pd.DataFrame, raw_flights: pd.DataFrame, raw_weather: pd.DataFrame
) -> None:
    scheduled = raw_flights["time_hour"] + pd.to_timedelta(raw_flights["minute"], unit="min")
    delays = raw_flights["dep_delay"]
    departed = (scheduled + pd.to_timedelta(delays.fillna(0).astype(int), unit="min")).where(delays.notna())
    ids = table.set_index("flight_id")
    for row in np.random.default_rng(7).choice(len(raw_flights), 60, replace=False):
        flight = raw_flights.iloc[row]
        asked = scheduled[row] - pd.Timedelta(minutes=60)
        found = ids.loc[f"{flight['time_hour']:%Y-%m-%dT%HZ}-{flight['carrier']}{flight['flight']}-{flight['origin']}"]
        here = raw_flights["origin"] == flight["origin"]

        gone = here & (departed > asked - TWO_HOURS) & (departed <= asked)
        late = gone & (raw_flights["dep_delay"] > 15)
        assert found["late_share_2h"] == pytest.approx(late.sum() / gone.sum() if gone.sum() >= 5 else np.nan, nan_ok=True)

        due = here & (scheduled > asked - THREE_HOURS) & (scheduled <= asked)
        waiting = due & ~(departed <= asked)
        assert found["not_departed_share_3h"] == pytest.approx(waiting.sum() / due.sum() if due.sum() >= 5 else np.nan, nan_ok=True)

        hour = raw_weather[(raw_weather["origin"] == flight["origin"]) & (raw_weather["time_hour"] == flight["time_hour"] - TWO_HOURS)]
        assert found["humid"] == pytest.approx(hour["humid"].iloc[0] if len(hour) else np.nan, nan_ok=True)
