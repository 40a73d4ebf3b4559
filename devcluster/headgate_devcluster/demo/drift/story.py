"""`headgate demo --drift`: train, replay, report."""

import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from headgate_devcluster.demo.drift.models import train, with_clock
from headgate_devcluster.demo.drift.report import write_report
from headgate_devcluster.demo.drift.trials import replay_trials
from headgate_devcluster.demo.drift.year import Year, replay_year
from headgate_devcluster.errors import writing_to
from headgate_pipelines import flights

_TREES = 100


def tell(folder: Path, console: Console, *, trees: int = _TREES) -> bool:
    """Run the whole story; return whether everything came out as it should."""
    began = time.monotonic()

    def say(words: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:5.0f} s[/dim]  {words}")

    with writing_to(folder):
        say("reading the flights of 2013")
        table = with_clock(flights.load())
        say("training on January to May, and fitting what drift is measured against")
        versions = train(table, folder / "references", trees=trees)
        say("replaying the year, a month a window")
        year = replay_year(table, versions, folder / "year")
        _show(year, console)
        say("replaying July for three candidates on trial")
        trials = replay_trials(table, versions, folder / "trials")
        for trial in trials:
            said = f"{', '.join(trial.alarms) or 'nothing'} alarmed in {trial.days:.1f} days and {trial.requests:,} of its requests"
            console.print(f"{trial.name} ({trial.story}): {said}", soft_wrap=True)
        write_report(folder, year, trials)
    say(f"the report is {folder / 'drift.html'}")
    return year.as_expected and all(trial.as_expected for trial in trials)


def _show(year: Year, console: Console) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("month", "month before", "training", "late", "late_share_2h"):
        table.add_column(heading, no_wrap=True)
    for month in year.months:
        late, share = month.late[1], month.record.distances["late_share_2h"][1]
        moved = [f"{value:.3f}" if value is not None else "" for value in (late, share)]
        table.add_row(month.name, month.said, str(month.record.reference.value), *moved)
    console.print(table)
