"""Labels: how often an innocent version is convicted, and how many labels a fault takes. The monitor's own test, looked at all the time."""

from dataclasses import dataclass
from math import inf, log
from statistics import median

import numpy as np

from headgate_monitor.detectors.columns import Values
from headgate_monitor.truth.betting import FRESH, against_at_least, against_at_most, log_evidence
from headgate_monitor.truth.losses import Metric, scaled_losses
from tests.bench.report import Cell, Report, Table

RUNS = 1000
LABELS = 6000
_LOOK = 20  # labels between two looks
_MARGIN, RATE = 0.02, 0.01


@dataclass(frozen=True)
class Case:
    """A candidate whose probabilities have so much noise beside stable's, and who gets which requests."""

    name: str
    noise: float
    paired: bool = False
    share: float = 0.5
    """Of the requests, the candidate's."""


CASES = [
    Case("equal, half of the requests each", 0.1),
    Case("equal, 10 % of the requests", 0.1, share=0.1),
    Case("equal, mirrored requests", 0.1, paired=True),
    Case("worse, half of the requests each", 0.36),
    Case("worse, 10 % of the requests", 0.36, share=0.1),
    Case("worse, mirrored requests", 0.36, paired=True),
    Case("much worse, half of the requests each", 0.6),
    Case("much worse, mirrored requests", 0.6, paired=True),
]


def run(*, quick: bool) -> Report:
    """Simulate everything; the quick version makes a tenth of the runs."""
    runs, missed = RUNS // 10 if quick else RUNS, list[str]()
    rows: list[tuple[Cell, ...]] = [_row(case, runs, missed) for case in CASES]
    at_margin = sum(_ends(_at_margin(np.random.default_rng(seed)), _MARGIN, _LOOK)[0] < inf for seed in range(runs)) / runs
    rows.append(("worse by exactly the margin", _MARGIN, round(100 * at_margin, 2), "", 0.0, ""))
    if at_margin > RATE:
        missed.append(f"worse by exactly the margin: {at_margin:.2%} convicted, at most {RATE:.0%} promised")
    table = Table(
        title=f"Brier score, margin {_MARGIN}, error rate {RATE:.0%}, at most {LABELS} labels of the candidate ({runs} runs)",
        columns=("candidate", "worse by", "convicted, %", "labels, median", "found not worse, %", "labels, median"),
        rows=rows,
        note="Labels are the candidate's. Events with probabilities of 0 to 1 (Beta(1, 3)); stable's forecasts are off by 0.1.",
    )
    return Report(tables=[table], missed=missed)


def _row(case: Case, runs: int, missed: list[str]) -> tuple[Cell, ...]:
    return outcomes(case.name, [_differences(case, np.random.default_rng(seed)) for seed in range(runs)], missed)


def outcomes(name: str, found: list[Values], missed: list[str], *, margin: float = _MARGIN, look: int = _LOOK) -> tuple[Cell, ...]:
    """A row: what becomes of a candidate whose losses differ so from stable's, run by run, looked at after every `look` labels."""
    ends = [_ends(each, margin, look) for each in found]
    worse, cleared = ([end[side] for end in ends if end[side] < inf] for side in (0, 1))
    gap = float(np.mean([each.mean() for each in found]))
    if gap < margin and len(worse) > RATE * len(found):
        missed.append(f"{name}: {len(worse) / len(found):.2%} convicted, at most {RATE:.0%} promised")
    shares = [round(100 * len(side) / len(found), 2) for side in (worse, cleared)]
    return name, float(f"{gap:.2g}"), shares[0], median(worse) if worse else "", shares[1], median(cleared) if cleared else ""


def _ends(differences: Values, margin: float, look: int) -> tuple[float, float]:
    """After how many labels it is convicted, and after how many it is found not worse; infinite if it is not."""
    worse, cleared, ends = FRESH, FRESH, [inf, inf]
    for start in range(0, len(differences), look):
        part = differences[start : start + look]
        worse, cleared = against_at_most(worse, part, margin), against_at_least(cleared, part, margin)
        for side, over in enumerate((log_evidence(worse) >= -log(RATE), log_evidence(cleared) >= log(20))):
            if over and ends[side] == inf:
                ends[side] = start + len(part)
        if inf not in ends:
            break
    return ends[0], ends[1]


def _differences(case: Case, random: np.random.Generator) -> Values:
    others = 1 if case.paired else round((1 - case.share) / case.share)
    chances = random.beta(1, 3, (LABELS, 1 if case.paired else 1 + others))
    labels = (random.random(chances.shape) < chances).astype(np.float64)
    own = _losses(chances[:, 0], labels[:, 0], case.noise, random)
    of_stable = [_losses(chances[:, n], labels[:, n], 0.1, random) for n in ([0] if case.paired else range(1, 1 + others))]
    return np.asarray(own - np.mean(of_stable, axis=0), dtype=np.float64)


def _losses(chances: Values, labels: Values, noise: float, random: np.random.Generator) -> Values:
    said = np.clip(chances + random.normal(0, noise, len(chances)), 0, 1)
    return scaled_losses(Metric.BRIER, said, labels)


def _at_margin(random: np.random.Generator) -> Values:
    return np.where(random.random(LABELS) < 0.5 + _MARGIN, 0.5, -0.5)
