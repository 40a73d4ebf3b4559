"""Seeded simulations of the promises, short enough for every run. The full ones are `python -m tests.bench statistics`.

300 runs of an equally good version with α = 0.5 % a metric: more than 7 false rollbacks would have a probability below 0.1 %.
"""

import math
import random
import statistics

import pytest

from headgate_operator.stats.promotion import PromotionEvidence
from headgate_operator.stats.rollback import RollbackEvidence

RUNS = 300
AT_MOST = 7
ROLLBACK, PROMOTION = math.log(200), -math.log(0.05)


def rolled_back(blocks):
    evidence = RollbackEvidence.fresh(1.25)
    for counts in blocks:
        evidence = evidence.after(counts)
        if evidence.log_evidence >= ROLLBACK:
            return True
    return False


def binomial(rng, total, rate):
    return sum(rng.random() < rate for _ in range(total))


@pytest.fixture
def traffic(block):
    """Blocks of 15 candidate requests at 10 %, with bad shares that may move."""

    def build(rng, shares, *, candidate=15, stable=135, factor=1.0):
        for share in shares:
            yield block(candidate, stable, binomial(rng, candidate, share * factor), binomial(rng, stable, share))

    return build


def test_a_shared_incident_does_not_roll_back(traffic):
    incident = [0.005] * 20 + [0.05] * 40 + [0.005] * 20
    rng = random.Random(1)
    assert sum(rolled_back(traffic(rng, incident)) for _ in range(RUNS)) <= AT_MOST


def test_a_base_rate_that_rises_while_the_weight_ramps_does_not_roll_back(block):
    rng = random.Random(2)

    def ramp():
        for candidate, share in ((8, 0.005), (38, 0.01), (75, 0.03)):
            for _ in range(20):
                yield block(candidate, 150 - candidate, binomial(rng, candidate, share), binomial(rng, 150 - candidate, share))

    assert sum(rolled_back(ramp()) for _ in range(RUNS)) <= AT_MOST


def test_a_single_burst_of_correlated_errors_does_not_roll_back(block):
    rng = random.Random(3)

    def burst():
        at, size = rng.randrange(80), rng.randint(3, 10)
        for index in range(80):
            yield block(15, 135, size if index == at else binomial(rng, 15, 0.005), binomial(rng, 135, 0.005))

    assert sum(rolled_back(burst()) for _ in range(RUNS)) <= AT_MOST


def test_high_bad_shares_on_both_sides_do_not_roll_back(traffic):
    rng = random.Random(4)
    assert sum(rolled_back(traffic(rng, [0.6, 0.8] * 40)) for _ in range(RUNS)) <= AT_MOST


def test_ten_percent_instead_of_a_half_is_found_within_about_ninety_candidate_requests(block):
    """One request a second, a tenth of them to the candidate, blocks of 15 s. The median of 300 runs is good to ±5."""
    rng = random.Random(5)

    def requests():
        evidence, count = RollbackEvidence.fresh(1.25), 0
        while evidence.log_evidence < ROLLBACK:
            candidate = binomial(rng, 15, 0.1)
            stable = 15 - candidate
            evidence = evidence.after(block(candidate, stable, binomial(rng, candidate, 0.1), binomial(rng, stable, 0.005)))
            count += candidate
        return count

    assert statistics.median(requests() for _ in range(RUNS)) <= 95


def test_a_version_twice_as_bad_and_above_the_maximum_is_rarely_promoted(block):
    """The promise is 5 %; 300 runs with more than 28 promotions would have a probability below 0.1 %."""
    rng = random.Random(6)

    def promoted():
        evidence = PromotionEvidence(maximum=0.02)
        for _ in range(60):
            evidence = evidence.after(block(25, 75, binomial(rng, 25, 0.0402), binomial(rng, 75, 0.0205)))
            if evidence.log_evidence >= PROMOTION:
                return True
        return False

    assert sum(promoted() for _ in range(RUNS)) <= 28
