"""Leaves what the replay showed: one self-contained HTML page, and the same numbers as JSON."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import jinja2

from headgate_devcluster.demo.drift.trials import Trial
from headgate_devcluster.demo.drift.year import EXPECTED, Year
from headgate_pipelines import flights

_TEMPLATE: Final = Path(__file__).with_name("report.html.j2")


def write_report(folder: Path, year: Year, trials: Sequence[Trial]) -> None:
    """Write drift.html and drift.json into the folder."""
    from headgate_devcluster.demo.drift.plots import histograms, over_time  # matplotlib takes a second to import

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    page = environment.from_string(_TEMPLATE.read_text()).render(
        year=year,
        trials=trials,
        expected=EXPECTED,
        over_time=over_time(year),
        alarmed=[(month, histograms(month)) for month in year.months if month.alarm],
    )
    (folder / "drift.html").write_text(page)
    (folder / "drift.json").write_text(json.dumps(to_json(year, trials), indent=2) + "\n")


def to_json(year: Year, trials: Sequence[Trial]) -> dict[str, Any]:
    """What the page says, for programs."""
    return {
        "months": [
            {
                "month": month.name,
                "rows": month.record.rows,
                "alarm": month.alarm,
                "previous": month.record.previous,
                "reference": month.record.reference,
                "rolledBack": list(month.blamed),
                "distances": {**month.record.distances, flights.LABEL: month.late},
            }
            for month in year.months
        ],
        "alarms": list(year.alarms),
        "trials": [
            {
                "name": trial.name,
                "expected": list(trial.expected),
                "alarms": list(trial.alarms),
                "message": trial.message,
                "days": round(trial.days, 2),
                "requests": trial.requests,
                "predictionDistance": trial.distance,
            }
            for trial in trials
        ],
    }
