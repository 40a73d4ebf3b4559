"""The requests still needed are what it really takes, near enough for people."""

import math

import pytest

from headgate_operator.stats.outlook import requests_until_promotion, requests_until_rollback
from headgate_operator.stats.promotion import PromotionEvidence
from headgate_operator.stats.rollback import RollbackEvidence


def test_the_outlook_for_rollback_is_what_it_takes_when_the_same_goes_on(block):
    bound, same = math.log(200), block(20, 180, 2, 0)
    evidence = RollbackEvidence.fresh(1.25).after(same)
    expected = requests_until_rollback(evidence, bound, so_far=same, block_size=20)
    taken = 0
    while evidence.log_evidence < bound:
        evidence, taken = evidence.after(same), taken + 20
    assert expected == pytest.approx(taken, abs=20)


def test_the_outlook_for_promotion_is_what_it_takes_when_the_same_goes_on(block):
    bound, same = -math.log(0.05), block(20, 180, 0, 1)
    evidence = PromotionEvidence(maximum=0.02).after(same)
    expected = requests_until_promotion(evidence, bound, so_far=same)
    taken = 0
    while evidence.log_evidence < bound:
        evidence, taken = evidence.after(same), taken + 20
    assert expected == pytest.approx(taken, abs=20)


def test_a_good_version_is_not_on_its_way_to_rollback(block):
    same = block(20, 180, 0, 3)
    evidence = RollbackEvidence.fresh(1.25).after(same)
    assert requests_until_rollback(evidence, math.log(200), so_far=same, block_size=20) is None


def test_a_bad_version_is_not_on_its_way_to_promotion(block):
    same = block(20, 180, 4, 3)
    evidence = PromotionEvidence(maximum=0.02).after(same)
    assert requests_until_promotion(evidence, 3.0, so_far=same) is None


def test_evidence_at_its_bound_needs_nothing_more(block):
    same = block(20, 180, 20, 0)
    evidence = RollbackEvidence.fresh(1.25).after(same)
    assert requests_until_rollback(evidence, evidence.log_evidence, so_far=same, block_size=20) == 0
