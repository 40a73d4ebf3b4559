"""What the manifest declares for a rollout that gets nowhere is done when its time is up, and never for lack of a provider."""

from datetime import timedelta

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase
from headgate_operator.rollout.observed import Fleet


@pytest.fixture
def world_with(make_world):
    """Version 1 serves; version 2 has 10 % of a trickle of traffic."""

    def build(*, analysis=None, **rollout):
        steps = [{"weight": weight, "minDuration": "15s", "minRequests": 100} for weight in (10, 50)]
        settings = {"steps": steps, "watch": {"duration": "60s"}, "holdTimeout": "10m", **rollout}
        world = make_world(rollout=settings, analysis=analysis or {})
        world.run()
        second = world.apply(2)
        world.run(lambda world: world.weights.get(second) == 10 and world.status.candidate.step_started_at is not None)
        world.rate = 0.05
        return world

    return build


def second(world):
    return world.id_of(2)


def test_without_a_declared_policy_a_person_is_called_and_weights_stay(world_with):
    world = world_with()
    world.run_for(1_200)
    assert world.weights[second(world)] == 10
    assert world.condition("Stalled") == Reason.HOLD_TIMEOUT


def test_rollback_refuses_what_nobody_could_judge(world_with):
    world = world_with(onInsufficientData="Rollback")
    world.run_for(500)
    assert world.weights[second(world)] == 10
    world.run_for(300)
    assert world.weights == {world.id_of(1): 100}
    assert world.status.rejected[0].reason == Reason.UNDECIDED


def test_promote_goes_on_step_by_step_each_after_its_own_hold_timeout(world_with):
    world = world_with(onInsufficientData="Promote")
    world.run_for(500)
    assert world.weights[second(world)] == 10
    world.run_for(300)
    assert world.weights[second(world)] == 50
    assert world.status.candidate.waived is None
    world.run(lambda world: world.phase is Phase.WATCHING)
    assert world.said(Reason.DATA_WAIVED) == 2


def test_promote_never_passes_a_pause_step(world_with):
    step = {"minDuration": "15s", "minRequests": 100}
    world = world_with(onInsufficientData="Promote", steps=[{"weight": 10, **step}, {"pause": True}, {"weight": 50, **step}])
    world.run_for(1_500)
    assert world.weights[second(world)] == 10
    assert world.status.candidate.at_pause


def test_promote_never_passes_evidence_that_it_is_worse(world_with):
    world = world_with(onInsufficientData="Promote")
    world.behave(2, bad=0.9)
    world.rate = 5.0
    world.run_for(900)
    assert world.status.rejected[0].id == second(world)


@pytest.mark.parametrize("policy", ["Rollback", "Promote"])
def test_a_provider_outage_triggers_no_policy(world_with, policy):
    world = world_with(onInsufficientData=policy, maxDuration="15m")
    world.provider_error = "down"
    world.run_for(1_800)
    assert world.weights[second(world)] == 10
    assert world.condition("Stalled") == Reason.HOLD_TIMEOUT


def test_the_time_of_an_outage_is_not_time_with_too_few_requests(world_with):
    world = world_with(onInsufficientData="Rollback")
    world.provider_error = "down"
    world.run_for(540)
    world.provider_error = None
    world.run_for(300)
    assert world.weights[second(world)] == 10


def test_a_rollout_that_takes_too_long_is_refused(world_with):
    world = world_with(maxDuration="20m", holdTimeout="2h")
    world.run_for(1_100)
    assert world.weights[second(world)] == 10
    world.run_for(200)
    assert world.weights == {world.id_of(1): 100}
    assert world.status.rejected[0].reason == Reason.TOO_LONG


def test_pauses_do_not_count_as_duration(world_with):
    world = world_with(maxDuration="20m", holdTimeout="2h")
    world.command = f"pause@{second(world)}"
    world.run_for(1_500)
    world.command = f"resume@{second(world)}"
    world.run_for(600)
    assert world.weights[second(world)] == 10
    world.run_for(900)
    assert world.status.rejected[0].reason == Reason.TOO_LONG


def test_nothing_is_refused_into_a_stable_version_that_is_gone(world_with):
    world = world_with(maxDuration="20m", onInsufficientData="Rollback")
    world.pods[world.isvc_of(1)].broken = True
    world.run_for(2_000)
    assert world.weights[second(world)] == 10


def test_a_first_and_a_known_good_revision_have_no_deadline(make_world):
    world = make_world(rollout={"maxDuration": "5m", "watch": {"duration": "0s"}})
    world.startup = timedelta(minutes=10)
    world.run()
    assert world.phase is Phase.HEALTHY


def test_promotion_may_do_without_evidence_if_the_manifest_says_so(world_with):
    world = world_with(analysis={"requirePromotionEvidence": False}, steps=[{"weight": 10, "minDuration": "60s", "minRequests": 5}])
    world.rate = 1.0
    world.run(lambda world: world.phase is Phase.WATCHING)
    assert any(metric.promotion_evidence < metric.promotion_bound for metric in world.status.analysis.metrics)


def test_without_required_evidence_a_worse_version_is_still_refused(world_with):
    world = world_with(analysis={"requirePromotionEvidence": False}, steps=[{"weight": 10, "minDuration": "10m", "minRequests": 5}])
    world.rate = 75.0
    world.behave(2, bad=0.2)
    world.run()
    assert world.status.rejected[0].reason == Reason.ERRORS_WORSE


@pytest.mark.parametrize("breaker", [None, "4 of 6 rollouts could not read their metrics"])
def test_an_outage_of_the_provider_takes_nothing_of_the_time_that_a_rollout_may_take(world_with, breaker):
    world = world_with(maxDuration="40m")
    world.provider_error = None if breaker else "down"
    world.fleet = Fleet(breaker=breaker)
    world.run_for(3_600)
    assert world.status.rejected == []
    world.provider_error, world.fleet = None, Fleet()
    world.run_for(600)
    assert world.status.rejected == [], "nobody is refused because others were down"
    world.run_for(2_400)
    assert world.status.rejected[0].reason == Reason.TOO_LONG, "its own time goes on"
