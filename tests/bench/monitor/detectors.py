"""How long one window takes against a reference: each of our detectors, and other tools on the same rows."""

import time
import warnings

import numpy as np

from headgate_monitor.detectors import Detector, Reference, Scorer, fit_reference
from tests.bench.monitor.rival import sample
from tests.bench.monitor.rivals import RIVALS, RivalError, time_windows
from tests.bench.report import Cell, Report, Table

ROWS, WINDOW, FEATURES, CATEGORIES = 10_000, 500, 20, 4
_PROMISED = 5.0  # milliseconds


def run(*, quick: bool) -> Report:
    """Time windows of 500 rows and 20 features against 10,000 rows."""
    repeats = 5 if quick else 30
    found: list[tuple[Cell, ...]] = []
    ours = 0.0
    for detector in Detector:
        median, worst = _time(_reference(detector), repeats if detector is not Detector.CLASSIFIER else 3)
        ours = median if detector is Detector.TABULAR else ours
        found.append((f"Headgate, {detector}", median, worst, median / ours, ""))
    for rival in RIVALS:
        try:
            median, worst = time_windows(rival, (ROWS, WINDOW, FEATURES), repeats if rival.name == "alibi-detect" else 3)
            found.append((rival.requirements[0], median, worst, median / ours, ""))
        except RivalError as error:
            found.append((rival.requirements[0], "–", "–", "–", str(error)[:100]))
    table = Table(
        title=f"One window of {WINDOW} × {FEATURES} ({CATEGORIES} categories) against {ROWS:,} rows",
        columns=("detector", "ms", "worst, ms", "× the default", "not measured because"),
        rows=found,
        note="processor time; ours with missing values, distances, PSI, Jensen-Shannon and histograms. Others in environments of their own",
    )
    missed = [] if ours <= _PROMISED else [f"{ours:.1f} ms a window, {_PROMISED:g} ms are promised"]
    return Report(tables=[table], missed=missed)


def _reference(detector: Detector) -> Reference:
    matrix = sample(ROWS, FEATURES, 0)
    columns = {f"x{number}": matrix[:, number].tolist() for number in range(FEATURES)}
    kinds = {name: "category" if number < CATEGORIES else "number" for number, name in enumerate(columns)}
    named = {name: [str(value) for value in values] if kinds[name] == "category" else values for name, values in columns.items()}
    return fit_reference(named, range(ROWS), kinds, window_rows=ROWS // 2, detector=detector)


def _time(reference: Reference, repeats: int) -> tuple[float, float]:
    scorer = Scorer(reference, alpha=0.01)
    random, spent = np.random.default_rng(1), []
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # SciPy's, of p-values it cannot have exactly
        for _ in range(repeats + 1):
            window = reference.matrix[random.choice(ROWS, WINDOW)]
            began = time.process_time()
            scorer.score_encoded(window)
            spent.append(1000 * (time.process_time() - began))
    return float(np.median(spent[1:])), max(spent[1:])
