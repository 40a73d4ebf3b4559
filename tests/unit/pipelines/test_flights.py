"""The flights example on its real data: what is in it, what is kept out, and how it becomes traffic."""

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headgate_pipelines import flights
from headgate_pipelines.flights.source import FLIGHTS_FILE, WEATHER_FILE, FlightsError, data_folder, read_flights, read_weather

LATE_SHARES = {6: 0.308, 7: 0.315, 8: 0.238, 9: 0.132, 10: 0.168, 11: 0.174, 12: 0.326}


def within(table: pd.DataFrame, first: int, last: int) -> pd.DataFrame:
    period = flights.months(first, last)
    return table[(table["asked_at"] >= period.start) & (table["asked_at"] < period.end)]


def test_the_table_holds_all_flights_in_time_order(table: pd.DataFrame) -> None:
    assert len(table) == 336_776
    assert table["asked_at"].is_monotonic_increasing
    assert table["flight_id"].is_unique


def test_there_are_18_features_and_no_leak_among_them(table: pd.DataFrame) -> None:
    assert len(flights.FEATURES) == 18
    leaks = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "tailnum", "late"}
    assert not leaks & set(flights.FEATURES)
    assert set(table.columns) == {"flight_id", "asked_at", "late", *flights.FEATURES}


def test_no_feature_gives_the_label_away(table: pd.DataFrame) -> None:
    labelled = table[table["late"].notna()]
    correlations = labelled[list(flights.NUMBERS)].corrwith(labelled["late"]).abs()
    assert correlations.max() < 0.45  # dep_delay, the leak, correlates by .60


def test_cancelled_and_diverted_flights_have_no_label(table: pd.DataFrame) -> None:
    assert table["late"].isna().sum() == 9_430


def test_months_are_those_of_the_scheduled_local_date(table: pd.DataFrame, raw_flights: pd.DataFrame) -> None:
    assert [len(within(table, month, month)) for month in range(1, 13)] == raw_flights["month"].value_counts().sort_index().tolist()


def test_the_late_shares_of_the_months_are_the_known_ones(table: pd.DataFrame) -> None:
    assert within(table, 1, 5)["late"].mean() == pytest.approx(0.237, abs=0.0006)
    assert {month: round(float(within(table, month, month)["late"].mean()), 3) for month in LATE_SHARES} == LATE_SHARES


def test_a_gust_is_missing_where_there_was_none(table: pd.DataFrame) -> None:
    assert table["wind_gust"].isna().mean() > 0.7


@pytest.mark.parametrize(("first", "last"), [(0, 3), (4, 3), (12, 13)])
def test_months_outside_the_year_or_backwards_are_refused(first: int, last: int) -> None:
    with pytest.raises(ValueError, match="two months of 1-12"):
        flights.months(first, last)


def test_december_ends_with_the_year() -> None:
    assert flights.months(12, 12).end.isoformat() == "2014-01-01T05:00:00"


def test_july_is_replayed_in_time_order_with_cancelled_flights_and_only_plain_values(table: pd.DataFrame) -> None:
    requests = flights.requests(table, 7)
    assert len(requests) == 29_425
    assert [request.asked_at for request in requests] == sorted(request.asked_at for request in requests)
    assert sum(request.late is None for request in requests) == within(table, 7, 7)["late"].isna().sum() > 1_000
    kinds = {type(value) for request in requests for value in request.features.values()}
    assert kinds == {str, float, type(None)}
    assert not any(value != value for request in requests for value in request.features.values())
    assert tuple(requests[0].features) == flights.FEATURES


def test_later_months_follow_july(table: pd.DataFrame) -> None:
    assert len(flights.requests(table, 7, 8)) == 29_425 + 29_327


def test_eight_percent_of_july_go_where_the_fifty_most_frequent_destinations_are_not(table: pd.DataFrame) -> None:
    training = within(table, 1, 5)
    kept = set(training[training["late"].notna()]["dest"].value_counts().index[:50])
    unknown = np.mean([request.features["dest"] not in kept for request in flights.requests(table, 7)])
    assert unknown == pytest.approx(0.081, abs=0.002)


def test_the_prepared_file_is_written_once(tmp_path: Path) -> None:
    path = flights.prepare(tmp_path)
    written = path.stat().st_mtime_ns
    assert flights.prepare(tmp_path) == path
    assert path.stat().st_mtime_ns == written
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_missing_data_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FlightsError, match=r"flights\.csv\.zip' does not exist"):
        read_flights(tmp_path)
    with pytest.raises(FlightsError, match=r"weather\.csv' does not exist"):
        read_weather(tmp_path)


def test_a_corrupt_archive_is_named(tmp_path: Path) -> None:
    whole = (data_folder() / FLIGHTS_FILE).read_bytes()
    (tmp_path / FLIGHTS_FILE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FlightsError, match=r"flights\.csv\.zip' is not a readable ZIP"):
        read_flights(tmp_path)


def test_damaged_content_of_an_archive_is_named(tmp_path: Path) -> None:
    whole = bytearray((data_folder() / FLIGHTS_FILE).read_bytes())
    whole[1_000_000:1_000_400] = b"\xff" * 400
    (tmp_path / FLIGHTS_FILE).write_bytes(whole)
    with pytest.raises(FlightsError, match=r"flights\.csv\.zip'"):
        read_flights(tmp_path)


def test_an_archive_without_the_columns_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / FLIGHTS_FILE, "w") as archive:
        archive.writestr("flights.csv", "year,month\n2013,1\n")
    with pytest.raises(FlightsError, match=r"flights\.csv\.zip' cannot be read"):
        read_flights(tmp_path)


def test_text_where_numbers_belong_is_named(tmp_path: Path) -> None:
    header = "origin,time_hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,visib\n"
    (tmp_path / WEATHER_FILE).write_text(header + "EWR,2013-01-01T06:00:00Z,warm,1,1,1,1,1,1,1,1\n")
    with pytest.raises(FlightsError, match=r"weather\.csv' cannot be read"):
        read_weather(tmp_path)
