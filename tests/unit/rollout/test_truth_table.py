"""What can be wrong, simulated row by row, through the real detectors and the real policy: each truth ends in the right action.

HEADGATE_TRUTHS sets the runs of each truth; the promise of 95 % is judged by 200, in `make bench-monitor`.
"""

import os
from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import pytest

from headgate_monitor.detectors import Reference, fit_reference, with_predictions
from headgate_monitor.watch.deployment import DeploymentWatch, Plan, Verdicts, Version
from headgate_monitor.watch.rows import Rows
from headgate_monitor.watch.settings import Windows
from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase, Signal
from headgate_operator.rollout.observed import DriftReport, Finding

RUNS = int(os.environ.get("HEADGATE_TRUTHS", "20"))
NAMES = [f"x{number}" for number in range(10)]
WEIGHTS = np.array([1.5, *[0.3] * 9])
WINDOWS, STABLE, TRIAL = 3, 1000, 500
SECONDS = 900.0
SIGNALS = ("input", "candidate_input", "routing", "prediction", "quality", "output")

Matrix = np.ndarray[Any, np.dtype[np.float64]]


@cache
def reference() -> Reference:
    rows = np.random.default_rng(99).normal(size=(10_000, 10))
    fitted = fit_reference(dict(zip(NAMES, rows.T.tolist(), strict=True)), range(10_000), dict.fromkeys(NAMES, "number"))
    return with_predictions(fitted, probability(rows), range(10_000))


def probability(rows: Matrix, *, bias: float = 0.0, ignores_first: bool = False) -> list[float]:
    weights = np.where(np.arange(10) == 0, 0.0, WEIGHTS) if ignores_first else WEIGHTS
    found: list[float] = (1 / (1 + np.exp(-(rows @ weights + bias)))).tolist()
    return found


def simulate(truth: str, seed: int) -> Verdicts:
    random = np.random.default_rng(seed)
    version = reference()
    windows = Windows(rows=TRIAL, seconds=SECONDS, false_alarm_seconds=30 * 86_400)
    plan = Plan(stable=Version("r1", version), trial=Version("r2", version), weight=33, windows=windows)
    watch = DeploymentWatch(plan, at=0)
    shift = np.where(np.arange(10) == 0, 0.5, 0.0)  # of the feature that predictions depend on most
    world = shift if truth == "world drifted" else 0.0
    clients = shift if truth == "routing bias" else 0.0
    for window in range(1, WINDOWS + 1):
        at = window * SECONDS
        stable, trial = random.normal(size=(STABLE, 10)) + world, random.normal(size=(TRIAL, 10)) + world + clients
        feed(watch, "r1", stable, probability(stable), at - 1)
        bias = 0.5 * float(np.linalg.norm(WEIGHTS)) if truth == "candidate biased" else 0.0  # half a standard deviation
        feed(watch, "r2", trial, probability(trial, bias=bias, ignores_first=truth == "candidate ignores a feature"), at - 1)
        watch.advance(at)
    return watch.verdicts(WINDOWS * SECONDS)


def feed(watch: DeploymentWatch, version: str, rows: Matrix, predictions: list[float], at: float) -> None:
    watch.add(version, Rows(rows.T.tolist(), len(rows)), predictions, at)


def end(make_world: Any, found: tuple[Signal, ...]) -> str:
    """What a rollout comes to when the monitor says this."""
    world = make_world(drift={"onPredictionDrift": "Rollback"})
    clean = {name: Finding(signal=Signal.CLEAN) for name in SIGNALS}
    world.drift = DriftReport(window=1, **clean)
    world.run(lambda world: world.phase is Phase.HEALTHY)
    second = world.apply(2)
    world.run(lambda world: world.weights.get(second, 0) > 0 and world.status.candidate.step_started_at is not None)
    world.drift = DriftReport(window=2, **{name: Finding(signal=signal) for name, signal in zip(SIGNALS, found, strict=True)})
    world.run_for(900)
    if world.status.rejected:
        return f"refused: {world.status.rejected[0].reason}"
    if world.status.candidate is not None:
        return f"held: {world.status.candidate.hold_reason}"
    told = (world.condition("InputDrift"), world.condition("PredictionDrift"))
    return "promoted, the world is told of" if told == (Reason.WORLD_CHANGED, Reason.PREDICTIONS_MOVED) else "promoted"


ACTIONS = {
    "nothing": "promoted",
    "world drifted": "promoted, the world is told of",
    "routing bias": "held: RoutingBias",
    "candidate biased": "refused: PredictionsDiffer",
    "candidate ignores a feature": "refused: PredictionsDiffer",
}


@pytest.mark.parametrize(("truth", "action"), ACTIONS.items())
def test_each_truth_ends_in_the_right_action(make_world: Any, truth: str, action: str) -> None:
    found = Counter(tuple(Signal(getattr(simulate(truth, seed), name).signal) for name in SIGNALS) for seed in range(RUNS))
    moved = sum(runs for signals, runs in found.items() if signals[SIGNALS.index("output")].alarms)
    assert moved >= 0.95 * RUNS if truth == "world drifted" else moved <= 0.05 * RUNS
    actions = Counter[str]()
    for signals, runs in found.items():
        actions[end(make_world, signals)] += runs
    assert actions[action] >= 0.95 * RUNS, (actions, found)
