"""The bench's arrays of runs say what the operator's own code says, block by block and run by run."""

import importlib
import math
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from headgate_operator.api import spec
from headgate_operator.api.spec import Metric, MetricPreset
from headgate_operator.rollout.analysis import analyse, begin, reweigh
from headgate_operator.rollout.observed import Reading, Scrape, SlotCounters
from headgate_operator.stats.promotion import log_odds_factors
from headgate_operator.stats.rollback import log_capped_factors

ROOT = str(Path(__file__).parents[3])


@pytest.fixture(scope="module")
def bench():
    sys.path.insert(0, ROOT)
    try:
        yield SimpleNamespace(**{name: importlib.import_module(f"tests.bench.statistics.{name}") for name in ("factors", "rules", "world")})
    finally:
        sys.path.remove(ROOT)


@pytest.fixture(scope="module")
def random_blocks():
    """Two thousand blocks of every kind, as columns: candidate and stable requests, candidate and stable bad ones."""
    random = np.random.default_rng(1)
    n_c, n_s = random.integers(1, 40, 2000), random.integers(0, 300, 2000)
    share = random.choice([0.0, 0.005, 0.05, 0.3, 0.8, 1.0], 2000)
    return n_c, n_s, random.binomial(n_c, share), random.binomial(n_s, share * random.choice([0.1, 1.0], 2000))


@pytest.mark.parametrize("tolerated", [1.0, 1.25, 1.5])
def test_the_capped_factors_of_arrays_are_the_operators(bench, block, random_blocks, tolerated):
    n_c, n_s, x_c, x_s = random_blocks
    found = bench.factors.rollback_factors(n_c, n_s, x_c, x_s, tolerated)
    for row, counts in zip(found, zip(*random_blocks, strict=True), strict=True):
        candidate, stable, bad, other = (int(count) for count in counts)
        assert row == pytest.approx(log_capped_factors(block(candidate, stable, bad, other), tolerated), abs=1e-8)


def test_the_promotion_factors_of_arrays_are_the_operators(bench, block, random_blocks):
    for row, counts in zip(bench.factors.odds_factors(*random_blocks), zip(*random_blocks, strict=True), strict=True):
        assert row == pytest.approx(log_odds_factors(block(*(int(count) for count in counts))), abs=1e-8)


def operator_ends(world, runs, run):
    """Ticks at which the whole `analyse` finds the run worse, all failing and promotable: (worse, failing, promotable)."""
    metric = Metric(name="errors", preset=MetricPreset.GATEWAY_ERRORS)
    settings = spec.Analysis(metrics=[metric], false_rollback_rate=0.005)  # what one of two metrics has of 1 %
    weight, counters, found = runs.plan.weight, np.zeros((2, 2)), [None, None, None]
    status = begin(candidate="r1", candidate_slot=1, stable_slot=0, weight=round(100 * weight[0]))
    at = world.START
    status = analyse(settings, status, reading(counters, at), now=at).status
    for tick in range(len(weight)):
        if tick and weight[tick] != weight[tick - 1]:
            status = reweigh(status, weight=round(100 * weight[tick]), now=at)
            status = analyse(settings, status, reading(counters, at), now=at).status
        at += world.step
        for slot, (total, bad) in enumerate(((runs.stable_total, runs.stable_bad), (runs.candidate_total, runs.candidate_bad))):
            counters[slot] += (total[run, tick] - bad[run, tick], bad[run, tick])
        result = analyse(settings, status, reading(counters, at), now=at)
        status = result.status
        for index, what in enumerate((result.worse, result.all_failing, None)):
            if what is not None and found[index] is None:
                found[index] = tick + 1
        if status.metrics[0].promotion_evidence >= math.log(20) and found[2] is None:
            found[2] = tick + 1
    return found


def reading(counters, at):
    slots = tuple(SlotCounters(slot=slot, counters={"rq_2xx": good, "rq_5xx": bad}) for slot, (good, bad) in enumerate(counters.tolist()))
    return Reading(scrapes=(Scrape(proxy="http://proxy", at=at, slots=slots),))


@pytest.mark.parametrize(("rate", "candidate"), [(0.1, 1.0), (1, 0.3), (10, 0.1), (10, 0.005), (3, 1.0), (0.4, 1.0)])
def test_whole_runs_end_at_the_same_poll_as_in_the_operator(bench, rate, candidate):
    plan = bench.world.steady(1.3 if rate < 1 else 0.2, rate, candidate=candidate, stable=0.01)
    plan.weight[: bench.world.ticks(90)] = 0.05
    runs = bench.world.play(plan, 4, 7)
    seen = bench.rules.Seen.of(runs)
    judged, promoted = bench.rules.headgate(seen), bench.rules.promotion(seen)
    world = SimpleNamespace(START=datetime(2026, 1, 1, tzinfo=UTC), step=timedelta(seconds=plan.tick))
    for run in range(4):
        expected = [bench.rules.NEVER if tick is None else tick for tick in operator_ends(world, runs, run)]
        assert [judged.worse[run], judged.failing[run], promoted.failing[run]] == expected
