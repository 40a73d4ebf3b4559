"""A pause step waits for a person, after everything before it is done and everything after it is ready. No deadline counts it."""

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase

STEP = {"minDuration": "15s", "minRequests": 100}
PAUSE = {"pause": True}


@pytest.fixture
def world_with(make_world):
    """Version 1 serves; the steps are the test's own."""

    def build(*steps, **rollout):
        settings = {"steps": list(steps), "watch": {"duration": "60s"}, **rollout}
        world = make_world(rollout=settings, predictor={"replicas": {"min": 4}})
        world.run()
        return world

    return build


def at_pause(world):
    return world.status.candidate is not None and world.status.candidate.at_pause


def promote(world):
    world.command = f"promote@{world.status.candidate.id}"
    world.step()


def test_a_rollout_waits_at_a_pause_step_for_as_long_as_it_takes(world_with):
    world = world_with({"weight": 10, **STEP}, PAUSE, {"weight": 50, **STEP})
    second = world.apply(2)
    world.run(at_pause)
    for _ in range(4):
        world.run_for(1_000)
    assert world.weights[second] == 10
    assert world.phase is Phase.PAUSED
    assert world.condition("Reconciling") == Reason.PAUSE_STEP
    assert world.condition("Stalled") is None
    assert world.said(Reason.PAUSE_STEP) == 1
    promote(world)
    world.run()
    assert world.weights == {second: 100}


def test_what_comes_after_a_pause_is_ready_before_a_person_is_asked(world_with):
    world = world_with({"weight": 10, **STEP}, PAUSE, {"weight": 50, **STEP})
    world.apply(2)
    world.run(at_pause)
    assert world.pods[world.isvc_of(2)].available == 2
    promote(world)
    world.run(lambda world: world.weights.get(world.id_of(2)) == 50, limit=4)


def test_a_pause_before_the_first_step_keeps_all_traffic_away(world_with):
    world = world_with(PAUSE, {"weight": 10, **STEP})
    second = world.apply(2)
    world.run(at_pause)
    world.run_for(600)
    assert second not in world.weights
    promote(world)
    world.run(lambda world: world.weights.get(second) == 10)


def test_a_pause_before_promotion_comes_after_the_evidence(world_with):
    world = world_with({"weight": 50, **STEP}, PAUSE)
    second = world.apply(2)
    world.run(at_pause)
    assert {metric.verdict for metric in world.status.analysis.metrics} == {"NotWorse"}
    assert world.pods[world.isvc_of(2)].available == 4
    promote(world)
    world.run()
    assert world.weights == {second: 100}


def test_promote_during_a_step_does_not_pass_the_pause_after_it(world_with):
    world = world_with({"weight": 10, **STEP}, PAUSE, {"weight": 50, **STEP})
    second = world.apply(2)
    world.run(lambda world: world.weights.get(second) == 10)
    promote(world)
    world.run(at_pause)
    world.run_for(120)
    assert world.weights[second] == 10


def test_promote_passes_one_pause_only(world_with):
    world = world_with(PAUSE, {"weight": 10, **STEP}, PAUSE, {"weight": 50, **STEP})
    second = world.apply(2)
    world.run(at_pause)
    promote(world)
    world.run(lambda world: world.weights.get(second) == 10 and at_pause(world))
    world.run_for(120)
    assert world.weights[second] == 10


def test_promote_full_passes_all_pauses(world_with):
    world = world_with({"weight": 10, **STEP}, PAUSE, {"weight": 50, **STEP}, PAUSE)
    second = world.apply(2)
    world.run(at_pause)
    world.command = f"promote-full@{second}"
    world.run()
    assert world.weights == {second: 100}


def test_a_candidate_that_turns_out_worse_at_a_pause_step_is_refused(world_with):
    world = world_with({"weight": 10, **STEP}, PAUSE, {"weight": 50, **STEP})
    second = world.apply(2)
    world.run(at_pause)
    world.behave(2, bad=0.5)
    world.run_for(120)
    assert world.weights == {world.id_of(1): 100}
    assert world.status.rejected[0].id == second


def test_endpoints_lost_at_a_pause_step_come_back_to_the_step_before_it(world_with):
    world = world_with({"weight": 10, **STEP}, PAUSE, {"weight": 50, **STEP})
    second = world.apply(2)
    world.run(at_pause)
    world.pods[world.isvc_of(2)].available = 0
    world.pods[world.isvc_of(2)].ready_at = world.now
    world.step()
    assert world.weights == {world.id_of(1): 100}
    world.run(lambda world: world.weights.get(second) == 10 and at_pause(world))


def test_the_time_of_a_pause_is_added_up(world_with):
    world = world_with(PAUSE, {"weight": 10, **STEP}, PAUSE, {"weight": 50, **STEP})
    world.apply(2)
    for _ in range(2):
        world.run(at_pause)
        world.run_for(300)
        promote(world)
    assert 600 <= world.status.candidate.paused_seconds <= 640
    assert world.status.candidate.pause_since is None


def test_known_good_revisions_stop_at_no_pause(world_with):
    world = world_with({"weight": 50, **STEP}, PAUSE)
    first = world.id_of(1)
    world.apply(2)
    world.run(at_pause)
    promote(world)
    world.run()
    world.apply(1)
    world.run()
    assert world.weights == {first: 100}
