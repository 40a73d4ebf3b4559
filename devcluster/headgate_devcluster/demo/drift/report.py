"""Leaves what the replay showed: one self-contained HTML page, and the same numbers as JSON."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from headgate_devcluster.demo.drift.charts import over_time, values
from headgate_devcluster.demo.drift.trials import Trial
from headgate_devcluster.demo.drift.year import EXPECTED, Year
from headgate_operator.pages.document import offline
from headgate_pipelines import flights

TEMPLATES: Final = Path(__file__).parent


def write_report(folder: Path, year: Year, trials: Sequence[Trial]) -> None:
    """Write drift.html and drift.json into the folder."""
    page = {
        "year": year,
        "trials": trials,
        "expected": EXPECTED,
        "over_time": over_time(year),
        "alarmed": [(month, values(month)) for month in year.months if month.alarm],
    }
    (folder / "drift.html").write_text(offline("drift.html.j2", page, more=TEMPLATES), encoding="utf-8")
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
