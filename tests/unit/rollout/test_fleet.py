"""Limits, freeze windows and the breaker hold back what is new. Every way back stays open."""

from datetime import timedelta

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase
from headgate_operator.rollout.observed import Fleet

FULL = Fleet(others_under_way=3, limit=3)
OUTAGE = Fleet(breaker="9 of 9 rollouts could not read their metrics")


def at_weight(world, weight):
    revision = world.apply(2)
    world.run(lambda world: world.weights.get(revision) == weight and world.status.candidate.step_started_at is not None)
    return revision


def freeze(world):
    world.fleet = Fleet(freeze_until=world.now + timedelta(days=1))


def test_a_candidate_waits_for_its_turn_in_the_fleet(serving):
    serving.fleet = FULL
    second = serving.apply(2)
    serving.run_for(600)
    assert list(serving.pods) == [serving.isvc_of(1)]
    assert serving.condition("Reconciling") == Reason.FLEET_LIMIT
    serving.fleet = Fleet(others_under_way=2, limit=3)
    serving.run()
    assert serving.weights == {second: 100}


def test_a_candidate_under_way_is_not_stopped_by_the_limit(serving):
    second = at_weight(serving, 10)
    serving.fleet = FULL
    serving.run()
    assert serving.weights == {second: 100}


def test_a_freeze_window_starts_nothing_and_raises_no_weight(serving):
    second = at_weight(serving, 25)
    freeze(serving)
    for _ in range(4):
        serving.run_for(1_000)
    assert serving.weights[second] == 25
    assert serving.condition("Reconciling") == Reason.FREEZE_WINDOW
    assert serving.condition("Stalled") is None
    serving.command = f"promote@{second}"
    serving.run_for(60)
    assert serving.weights[second] == 25
    serving.command = f"promote-full@{second}"
    serving.run_for(60)
    assert serving.weights[second] == 25
    serving.fleet = Fleet()
    serving.run()
    assert serving.weights == {second: 100}


def test_a_new_revision_waits_for_the_end_of_a_freeze_window(serving):
    freeze(serving)
    serving.apply(2)
    serving.run_for(300)
    assert list(serving.pods) == [serving.isvc_of(1)]
    assert serving.phase is Phase.PAUSED


def test_evidence_rolls_back_in_a_freeze_window(serving):
    second = at_weight(serving, 25)
    freeze(serving)
    serving.behave(2, bad=0.5)
    serving.run_for(120)
    assert serving.weights == {serving.id_of(1): 100}
    assert serving.status.rejected[0].id == second


@pytest.mark.parametrize("how", ["manifest", "command"])
def test_the_way_back_to_a_known_revision_is_open_whatever_the_fleet_does(serving, how):
    second = serving.apply(2)
    serving.run()
    freeze(serving)
    serving.fleet = Fleet(freeze_until=serving.fleet.freeze_until, others_under_way=9, limit=1, breaker="9 of 9")
    if how == "manifest":
        serving.apply(1)
    else:
        serving.command = f"rollback@{second}"
    serving.run()
    assert serving.weights == {serving.id_of(1): 100}


def test_a_first_revision_starts_in_a_freeze_window(world):
    world.fleet = Fleet(freeze_until=world.now + timedelta(days=1), others_under_way=9, limit=1)
    world.run()
    assert world.phase is Phase.HEALTHY


def test_an_open_breaker_holds_every_step_and_lets_no_policy_act(serving):
    serving.manifest["rollout"] |= {"maxDuration": "20m", "onInsufficientData": "Rollback", "holdTimeout": "5m"}
    second = at_weight(serving, 25)
    serving.fleet = OUTAGE
    serving.rate = 0.0
    serving.run_for(1_800)
    assert serving.weights[second] == 25
    assert serving.condition("Stalled") == Reason.HOLD_TIMEOUT
    assert serving.said(Reason.BREAKER_OPEN) == 1


def test_evidence_that_can_be_read_rolls_back_under_an_open_breaker(serving):
    second = at_weight(serving, 25)
    serving.fleet = OUTAGE
    serving.behave(2, bad=0.5)
    serving.run_for(120)
    assert serving.status.rejected[0].id == second


def test_a_person_may_pass_an_open_breaker(serving):
    second = at_weight(serving, 25)
    serving.fleet = OUTAGE
    serving.command = f"promote@{second}"
    serving.run(lambda world: world.weights[second] == 50, limit=20)


def test_a_breaker_that_closes_lets_the_rollout_go_on(serving):
    second = at_weight(serving, 25)
    serving.fleet = OUTAGE
    serving.run_for(300)
    serving.fleet = Fleet()
    serving.run()
    assert serving.weights == {second: 100}
