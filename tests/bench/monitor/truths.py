"""What is wrong, and what becomes of it: 200 simulated rollouts of each truth through the real detectors and the real policy.

The simulation and the policy's world are those of the unit test, which runs a tenth of it.
"""

from collections import Counter

from headgate_operator.api.status import Signal
from tests.bench.report import Cell, Report, Table
from tests.rolloutworld import World
from tests.unit.rollout.test_truth_table import ACTIONS, SIGNALS, end, simulate

_RUNS, _PROMISED = 200, 0.95


def run(*, quick: bool) -> Report:
    """Simulate and count."""
    runs = _RUNS // 10 if quick else _RUNS
    rows: list[tuple[Cell, ...]] = []
    missed = []
    for truth, action in ACTIONS.items():
        said = [tuple(Signal(getattr(simulate(truth, seed), name).signal) for name in SIGNALS) for seed in range(runs)]
        ends = {found: end(World, found) for found in set(said)}
        right = Counter(ends[found] for found in said)[action] / runs
        alarms = [sum(found[index].alarms for found in said) / runs for index in range(len(SIGNALS))]
        rows.append((truth, *alarms, action, right))
        if right < _PROMISED:
            missed.append(f"'{truth}' ends right in {right:.0%} of {runs} runs, {_PROMISED:.0%} are promised")
    table = Table(
        title=f"Share of {runs} rollouts in which each comparison alarmed, and that ended right",
        columns=("truth", *SIGNALS, "right end", "share"),
        rows=rows,
        note="reference 10,000 rows; three windows of 1,000 stable and 500 trial rows; shifts of half a standard deviation",
    )
    return Report(tables=[table], missed=missed)
