"""No step ends while the newest answers of the candidate were all failures, however few they are."""

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import FailStreak, Verdict, Waiver
from headgate_operator.rollout.decide import decide
from headgate_operator.rollout.gates import NEXT_STEP, PROMOTION, STRAIGHT_ON, WAIVED
from headgate_operator.rollout.gates.evidence import no_fail_streak
from headgate_operator.rollout.revision import recognise
from headgate_operator.rollout.turn import Turn


def with_streak(world, **streak):
    """The situation at a step, with this streak in the newest blocks of the first metric."""
    observed = world.observe()
    analysis = observed.status.analysis
    first = analysis.metrics[0].model_copy(update={"fail_streak": FailStreak(**streak)})
    status = observed.status.model_copy(update={"analysis": analysis.model_copy(update={"metrics": [first, *analysis.metrics[1:]]})})
    return Turn(observed=observed, wanted=recognise(observed), status=status)


@pytest.fixture
def at_step(serving):
    second = serving.apply(2)
    serving.run(lambda world: world.weights.get(second) == 25 and world.status.analysis is not None and world.status.analysis.metrics)
    return serving


@pytest.mark.parametrize(
    ("streak", "holds"),
    [
        ({}, False),
        ({"requests": 1, "blocks": 1, "stable_total": 30}, True),
        ({"requests": 19, "blocks": 2, "stable_total": 30, "stable_bad": 5}, True),
        ({"requests": 19, "blocks": 2, "stable_total": 30, "stable_bad": 6}, False),
        ({"requests": 1, "blocks": 1}, False),
    ],
    ids=["no streak", "one failure", "a long streak", "stable fails too", "nothing beside it"],
)
def test_the_gate_holds_while_the_newest_blocks_are_all_failures_and_stable_serves(at_step, streak, holds):
    wait = no_fail_streak(with_streak(at_step, **streak))
    assert (wait is not None) is holds
    if wait is not None:
        assert wait.reason is Reason.INSUFFICIENT_DATA
        assert (
            wait.message == f"errors: the last {streak['requests']} candidate requests failed, every one; a good answer has to come first"
        )


def test_it_stands_before_every_step_and_promotion_and_is_never_waived():
    assert no_fail_streak in NEXT_STEP
    assert no_fail_streak in STRAIGHT_ON
    assert no_fail_streak in PROMOTION
    assert all(no_fail_streak not in WAIVED[waiver] for waiver in Waiver)


def test_a_candidate_whose_last_block_all_failed_keeps_its_weight(at_step):
    weight = at_step.status.candidate.weight
    at_step.run_for(12)
    at_step.status = with_streak(at_step, requests=12, blocks=1, stable_total=60).status
    decided = decide(at_step.observe())
    assert decided.status.analysis.metrics[0].verdict is not Verdict.WORSE
    assert decided.status.candidate.weight == weight
