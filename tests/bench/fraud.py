"""Rare labels, as those of card fraud: how many tell a worse model, and what waiting for them takes on the monitor's volume."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import numpy as np

from headgate_monitor.collector.labels import Label
from headgate_monitor.detectors.columns import Values
from headgate_monitor.service.ledger import Ledger, Prediction
from headgate_monitor.truth.losses import Metric, scaled_losses
from tests.bench.labels import RATE, outcomes
from tests.bench.report import Cell, Report, Table

RUNS = 50
MARGIN = 0.0002
_LABELS, _LOOK = 150_000, 500
_INTERCEPT, _KNOWN, _LOST = -14.0, 3.2, 3.2
"""Log-odds of fraud: the intercept, and the weights of what both models know and of what only one does. 0.2 % of rows are frauds."""
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(25)


@dataclass(frozen=True)
class Case:
    """A candidate that knows as much as stable or less, with a share of the requests."""

    name: str
    share: float
    worse: bool


CASES = [
    Case("as good, 5 % of the requests", 0.05, worse=False),
    Case("as good, half of the requests", 0.5, worse=False),
    Case("knows half as much, 5 % of the requests", 0.05, worse=True),
    Case("knows half as much, half of the requests", 0.5, worse=True),
]


def run(*, quick: bool) -> Report:
    """Simulate, and measure the volume; the quick version makes a tenth of the runs."""
    runs, missed = RUNS // 10 if quick else RUNS, list[str]()
    labels = Table(
        title=f"0.2 % frauds, Brier score, margin {MARGIN}, error rate {RATE:.0%}, at most {_LABELS:,} labels ({runs} runs)",
        columns=("candidate", "worse by", "convicted, %", "its labels, median", "found not worse, %", "its labels, median"),
        rows=[_row(case, runs, missed) for case in CASES],
        note="Stable knows the true chances; the candidate knows them, or one of the two things that they depend on.",
    )
    rows = 20_000 if quick else 200_000
    volume = Table(
        title=f"Predictions that wait for their labels ({rows:,})",
        columns=("figure", "bytes a prediction"),
        rows=[("on the volume", _bytes(rows, labelled=False)), ("the same with their labels", _bytes(rows, labelled=True))],
        note="Ids of 36 characters.",
    )
    return Report(tables=[labels, volume], missed=missed)


def _row(case: Case, runs: int, missed: list[str]) -> tuple[Cell, ...]:
    found = [_differences(case, np.random.default_rng(seed)) for seed in range(runs)]
    return outcomes(case.name, found, missed, margin=MARGIN, look=_LOOK)


def _differences(case: Case, random: np.random.Generator) -> Values:
    """The candidate's losses, each beside the mean of stable's over the same time."""
    others = round((1 - case.share) / case.share)
    of_stable = np.mean([_losses(random, knows_all=True) for _ in range(others)], axis=0)
    return np.asarray(_losses(random, knows_all=not case.worse) - of_stable, dtype=np.float64)


def _losses(random: np.random.Generator, *, knows_all: bool) -> Values:
    known, lost = random.normal(size=(2, _LABELS))
    chances = _chance(_INTERCEPT + _KNOWN * known + _LOST * lost)
    labels = (random.random(_LABELS) < chances).astype(np.float64)
    return scaled_losses(Metric.BRIER, chances if knows_all else _without_the_lost(known), labels)


def _without_the_lost(known: Values) -> Values:
    grid = np.linspace(-6, 6, 400)
    means = _chance(_INTERCEPT + _KNOWN * grid[:, None] + _LOST * _NODES) @ _WEIGHTS / _WEIGHTS.sum()
    return np.asarray(np.interp(known, grid, means), dtype=np.float64)


def _chance(odds: Values) -> Values:
    return np.asarray(1 / (1 + np.exp(-odds)), dtype=np.float64)


def _bytes(rows: int, *, labelled: bool) -> int:
    """Size of a database with so many predictions, by the row."""
    random = np.random.default_rng(0)
    ids = [str(UUID(bytes=random.bytes(16))) for _ in range(rows)]
    with TemporaryDirectory() as folder:
        path = Path(folder, "state.sqlite")
        database = sqlite3.connect(path, isolation_level=None)
        ledger = Ledger(database)
        ledger.add(Prediction("fraud", one, 0, "r3f9a1c02", 1.0, at / 11.6, float(random.random())) for at, one in enumerate(ids))
        if labelled:
            ledger.label("fraud", [Label(one, 0, 0.0, None) for one in ids], 1e6, 1)
        database.close()
        return round(path.stat().st_size / rows)
