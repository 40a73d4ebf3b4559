"""The drift story on every fourth flight, through the same code: what must alarm does, and nothing else."""

from pathlib import Path

import pandas as pd
import pytest

from headgate_devcluster.demo.drift.models import train, with_clock
from headgate_devcluster.demo.drift.report import to_json, write_report
from headgate_devcluster.demo.drift.trials import replay_trials
from headgate_devcluster.demo.drift.year import EXPECTED, MONTHS, replay_year
from headgate_pipelines import flights

TREES = 40


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return with_clock(flights.load())


def test_september_and_december_alarm_no_other_month_does_and_no_candidate_is_blamed_for_the_world(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    few = table[table.index % 4 == 0].reset_index(drop=True)
    year = replay_year(few, train(few, tmp_path, trees=TREES), tmp_path / "year", hours=24)
    assert len(year.months) == MONTHS
    assert year.alarms == EXPECTED
    assert year.blamed == ()
    assert tuple(month.name for month in year.months if month.late_alarms) == EXPECTED
    assert {month.record.reference.value for month in year.months[:5]} == {"Clean"}  # the months it was fitted on
    assert any(month.record.reference.alarms for month in year.months[5:])  # the world did change
    write_report(tmp_path, year, [])
    page = (tmp_path / "drift.html").read_text()
    assert "src=" not in page
    assert page.count("<figure") >= 1 + len(year.months[0].record.distances) + len(EXPECTED)
    assert all(f"<h3>{month}: what lay otherwise than in training</h3>" in page for month in EXPECTED)
    assert to_json(year, [])["alarms"] == ["September", "December"]


def test_each_candidate_is_found_by_what_can_find_it_and_a_rising_weight_is_no_bias(table: pd.DataFrame, tmp_path: Path) -> None:
    month, day = table[flights.TIME].dt.month, table[flights.TIME].dt.day
    few = table[((month < 7) & (table.index % 4 == 0)) | ((month == 7) & (day < 9))].reset_index(drop=True)
    ramp, hours, mixed_up = replay_trials(few, train(few, tmp_path, trees=TREES), tmp_path / "trials")
    assert ramp.alarms == ()
    assert hours.alarms == ("prediction",)
    assert 0.2 < hours.distance < 0.4
    assert hours.requests < 1000
    assert mixed_up.alarms == ("ground_truth",)
    assert mixed_up.distance < 0.12
