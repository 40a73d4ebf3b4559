"""A version on trial that gets copies of stable's requests instead of a share of them."""

import pytest

from headgate_operator.rollout.analysis import reweigh
from headgate_operator.stats.block import Block
from headgate_operator.stats.rollback import RollbackEvidence


@pytest.fixture
def mirrored(session):
    def build(percent: int):
        begun = session()
        begun.status = reweigh(begun.status, weight=0, mirror=percent, now=begun.now)
        begun.look()
        return begun.past_the_discarded_block()

    return build


def test_copies_are_judged_without_what_the_cap_gives_back_to_independent_requests(mirrored):
    begun = mirrored(10)
    begun.after(15, candidate=(40, 1), stable=(400, 3))
    counts = {"candidate_total": 40, "candidate_bad": 1, "stable_total": 400, "stable_bad": 3}
    paired, independent = (RollbackEvidence.fresh(1.25).after(Block(**counts, paired=paired)).log_evidence for paired in (True, False))
    assert begun.metric().evidence == pytest.approx(paired)
    assert paired < independent


@pytest.mark.parametrize("percent", [20, 50, 100])
def test_as_many_copies_as_there_should_be_are_no_mismatch(mirrored, percent):
    begun = mirrored(percent)
    for _ in range(20):
        found = begun.after(15, candidate=(2 * percent, 0), stable=(200, 0))
        assert (found.split_mismatch, found.no_traffic) == (None, None)


def test_answers_that_come_a_block_late_are_no_mismatch(mirrored):
    begun = mirrored(100)
    begun.after(15, candidate=(190, 0), stable=(200, 0))
    for _ in range(20):
        assert begun.after(15, candidate=(200, 0), stable=(200, 0)).split_mismatch is None


@pytest.mark.parametrize(("percent", "copies"), [(100, 170), (50, 70), (50, 130), (10, 40)])
def test_another_share_of_copies_is_noticed_with_numbers(mirrored, percent, copies):
    begun = mirrored(percent)
    for _ in range(9):
        begun.after(15, candidate=(copies, 0), stable=(200, 0))
    found = begun.after(15, candidate=(copies, 0), stable=(200, 0))
    assert found.split_mismatch == f"the candidate got copies of {copies / 2:.1f}% of 2000 requests, which should be {percent}%"


def test_requests_without_any_copy_are_noticed(mirrored):
    begun = mirrored(100)
    assert begun.after(15, stable=(13, 0)).no_traffic is None
    found = begun.after(15, stable=(13, 0))
    assert found.no_traffic == "no copy of 26 requests reached the candidate, which should get copies of 100% of them"
    assert begun.after(15, candidate=(10, 0), stable=(10, 0)).no_traffic is None


def test_the_switch_goes_on_with_the_evidence_and_reads_the_other_slot(mirrored):
    begun = mirrored(100)
    begun.after(15, candidate=(100, 20), stable=(100, 1))
    before = begun.metric().evidence
    begun.status = reweigh(begun.status, weight=95, candidate_slot=0, now=begun.now)
    assert (begun.status.mirror, begun.status.candidate_slot, begun.metric().evidence) == (0, 0, before)
