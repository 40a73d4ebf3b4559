"""Blocks, closed as the operator closes them, in many runs at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from headgate_operator.rollout.analysis.blocks import ENOUGH_TO_CLOSE_EARLY, FEWEST_REQUESTS, Length
from headgate_operator.rollout.analysis.wealth import RESTART_AFTER
from tests.bench.statistics.world import Runs

LENGTH = Length.of(timedelta(seconds=15))
SECOND = timedelta(seconds=1)
Integers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Settled:
    """The blocks of all runs that ended at one tick, at one weight throughout. Arrays are in parallel, one element a block.

    Those without a candidate request are among them; they are no evidence, and every factor of them is 1.
    """

    ended: int
    run: Integers
    candidate_total: Integers
    candidate_bad: Integers
    stable_total: Integers
    stable_bad: Integers
    fresh: NDArray[np.bool_]
    """A mixture starts before it is counted."""
    outlasting: NDArray[np.bool_]
    """It was at least twice as long as the shortest."""


@dataclass(frozen=True, kw_only=True)
class Looked:
    """The open blocks, at one tick, of the runs whose candidate has never given a good answer. Arrays are in parallel."""

    ended: int
    run: Integers
    counts: Integers
    """Candidate requests, bad ones, stable's requests, bad ones: a row each."""
    outlasting: NDArray[np.bool_]
    """The block has been open for two polls."""


def looks(runs: Runs) -> Iterator[Settled | Looked]:
    """Close blocks tick by tick, and look at open ones as long as a candidate may never have served.

    The first block after a change of weight is discarded.
    """
    plan, count = runs.plan, runs.count
    series = (runs.candidate_total, runs.candidate_bad, runs.stable_total, runs.stable_bad)
    counts = np.zeros((4, count), dtype=np.int64)
    begun, since = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    discard, counted, restart = np.ones(count, bool), np.zeros(count, bool), np.zeros(count, bool)
    served = np.zeros(count, bool)
    shortest, full = (-(-length // (SECOND * plan.tick)) for length in (LENGTH.shortest, LENGTH.full))
    hour = round(RESTART_AFTER / (SECOND * plan.tick))
    for tick in range(len(plan.weight)):
        if tick and plan.weight[tick] != plan.weight[tick - 1]:
            restart, counted = restart | counted, np.zeros(count, bool)
            begun[:], since[:], discard[:], counts[:] = tick, tick, True, 0
        for index, one in enumerate(series):
            counts[index] += one[:, tick]
        age = tick + 1 - begun
        enough = (counts[0] >= ENOUGH_TO_CLOSE_EARLY) | ((age >= full) & (counts[0] + counts[2] >= FEWEST_REQUESTS))
        closing = (age >= shortest) & (discard | enough)
        if not served.all():
            yield _look(tick, counts, (age >= shortest) & ~(served | closing | discard), age >= 2 * shortest)
            served |= closing & ~discard & (counts[1] < counts[0])
        if not closing.any():
            continue
        settled, kept = closing & ~discard, closing & ~discard & (counts[0] > 0)
        if settled.any():
            old = kept & (begun - since >= hour)
            restart |= old & counted
            since = np.where(old, begun, since)
            run = np.flatnonzero(settled)
            yield Settled(
                ended=tick + 1,
                run=run,
                candidate_total=counts[0, run],
                candidate_bad=counts[1, run],
                stable_total=counts[2, run],
                stable_bad=counts[3, run],
                fresh=(restart & kept)[run],
                outlasting=(age >= 2 * shortest)[run],
            )
            restart = restart & ~kept
            counted |= kept
        begun[closing], discard[closing], counts[:, closing] = tick + 1, False, 0


def _look(tick: int, counts: Integers, which: NDArray[np.bool_], outlasting: NDArray[np.bool_]) -> Looked:
    run = np.flatnonzero(which)
    return Looked(ended=tick + 1, run=run, counts=counts[:, run], outlasting=outlasting[run])
