"""Small worlds of flights, and the real one."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from headgate_pipelines import flights
from headgate_pipelines.flights.source import WEATHER_VALUES, data_folder, read_flights, read_weather

MakeFlights = Callable[..., pd.DataFrame]


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    """The joined table of all real flights."""
    return flights.load()


@pytest.fixture(scope="session")
def raw_flights() -> pd.DataFrame:
    """The real flights as the file has them."""
    return read_flights(data_folder())


@pytest.fixture(scope="session")
def raw_weather() -> pd.DataFrame:
    """The real weather as the file has it."""
    return read_weather(data_folder())


@pytest.fixture
def make_flights() -> MakeFlights:
    """`make_flights({"at": "2013-07-01 12:30", "dep_delay": 3.0}, …)`: a frame as the source reads it; times are UTC, EWR by default."""

    def build(*rows: dict[str, Any]) -> pd.DataFrame:
        return pd.DataFrame([_flight(number, **row) for number, row in enumerate(rows)])

    return build


@pytest.fixture
def make_weather() -> Callable[..., pd.DataFrame]:
    """`make_weather(("2013-07-01 10:00", 71.0), …)`: hours (UTC) at EWR with a temperature; all other values are 1."""

    def build(*rows: tuple[str, float], origin: str = "EWR") -> pd.DataFrame:
        columns = {"origin": [origin] * len(rows), "time_hour": pd.to_datetime([hour for hour, _ in rows], utc=True)}
        values = {name: [1.0] * len(rows) for name in WEATHER_VALUES}
        return pd.DataFrame({**columns, **values, "temp": [temperature for _, temperature in rows]})

    return build


def _flight(
    number: int,
    *,
    at: str,
    dep_delay: float | None = 0.0,
    arr_delay: float | None = 0.0,
    origin: str = "EWR",
    sched_dep_time: int = 900,
    sched_arr_time: int = 1130,
    month: int = 7,
    day: int = 1,
) -> dict[str, Any]:
    moment = pd.Timestamp(at, tz="UTC")
    return {
        "month": month,
        "day": day,
        "sched_dep_time": sched_dep_time,
        "dep_delay": float("nan") if dep_delay is None else dep_delay,
        "sched_arr_time": sched_arr_time,
        "arr_delay": float("nan") if arr_delay is None else arr_delay,
        "carrier": "UA",
        "flight": 1000 + number,
        "origin": origin,
        "dest": "ORD",
        "distance": 719,
        "minute": moment.minute,
        "time_hour": moment.floor("h"),
    }
