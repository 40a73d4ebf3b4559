"""Both versions are asked the same requests, so their failures are not independent. Expectations of the evidence are exact: every outcome
of a block is gone through with its probability."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from headgate_operator.stats.block import Block
from headgate_operator.stats.promotion import log_odds_factors
from headgate_operator.stats.rollback import log_capped_factors

SHARES = (0.01, 0.1, 0.3, 0.5, 0.9)
TOGETHER = (0.0, 0.1, 0.5, 1.0)
"""From independent failures to those of a version that fails on all the other fails on, and more."""


def expectations(originals: int, copies: int, odds_ratio: float, stable_share: float, together: float, factors) -> list[float]:
    """E[f] for every alternative: stable fails with `stable_share`, the candidate with `odds_ratio` times its odds."""
    odds = odds_ratio * stable_share / (1 - stable_share)
    share = odds / (1 + odds)
    both = share * stable_share + together * (min(share, stable_share) - share * stable_share)
    mirrored = {(1, 1): both, (1, 0): share - both, (0, 1): stable_share - both, (0, 0): 1 - share - stable_share + both}
    alone = {(0, 1): stable_share, (0, 0): 1 - stable_share}
    law = {(0, 0): 1.0}
    for request in range(originals):
        grown: dict[tuple[int, int], float] = defaultdict(float)
        for (candidate, stable), probability in law.items():
            for (more, too), chance in (mirrored if request < copies else alone).items():
                grown[candidate + more, stable + too] += probability * chance
        law = grown
    blocks = {
        outcome: Block(candidate_total=copies, candidate_bad=outcome[0], stable_total=originals, stable_bad=outcome[1], paired=True)
        for outcome in law
    }
    found = {outcome: [math.exp(factor) for factor in factors(block)] for outcome, block in blocks.items()}
    return [sum(law[outcome] * found[outcome][number] for outcome in law) for number in range(len(found[0, 0]))]


def largest(copies: float, odds_ratio: float, factors: Callable[[Block], Sequence[float]], sizes: Sequence[int] = (4, 8, 20, 40)) -> float:
    blocks = [(originals, max(1, round(copies * originals))) for originals in sizes]
    return max(
        max(expectations(*block, odds_ratio, share, together, factors)) for block in blocks for share in SHARES for together in TOGETHER
    )


@pytest.mark.parametrize("copies", [0.1, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("tolerated", [1.0, 1.25])
def test_a_version_that_is_not_worse_earns_no_rollback_evidence_however_failures_coincide(copies, tolerated):
    assert largest(copies, tolerated, lambda block: log_capped_factors(block, tolerated)) <= 1 + 1e-9


@pytest.mark.parametrize("copies", [0.1, 1.0])
def test_with_a_larger_tolerance_the_smallest_blocks_earn_next_to_none(copies):
    assert largest(copies, 1.5, lambda block: log_capped_factors(block, 1.5)) <= 1.0003
    assert largest(copies, 1.5, lambda block: log_capped_factors(block, 1.5), (6, 20)) <= 1 + 1e-9


@pytest.mark.parametrize("copies", [0.1, 0.5, 1.0])
def test_a_version_that_is_twice_as_bad_earns_no_promotion_evidence(copies):
    assert largest(copies, 2.0, log_odds_factors) <= 1 + 1e-9


def test_what_the_cap_gives_back_elsewhere_would_be_too_much_here():
    def unpaired(block: Block) -> Sequence[float]:
        plain = replace(block, paired=False)
        return log_capped_factors(plain, 1.0)

    assert largest(0.1, 1.0, unpaired) > 1.01


def test_failures_on_the_same_requests_make_the_evidence_smaller():
    at = [max(expectations(20, 20, 1.0, 0.3, together, lambda block: log_capped_factors(block, 1.0))) for together in TOGETHER]
    assert at == sorted(at, reverse=True)
    assert at[-1] < at[0] - 0.01


def test_a_worse_version_is_found_on_the_same_requests_too():
    block = Block(candidate_total=100, candidate_bad=12, stable_total=100, stable_bad=1, paired=True)
    assert max(log_capped_factors(block, 1.25)) == pytest.approx(math.log(3))
