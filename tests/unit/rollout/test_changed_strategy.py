"""The manifest's strategy changes while a candidate is under way."""

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase

STEPS = [{"weight": weight, "minDuration": "15s", "minRequests": 100} for weight in (10, 25, 50)]


def rollout(strategy, **changes):
    return {"strategy": strategy, "steps": STEPS, "watch": {"duration": "60s", "holdback": 5}} | changes


def under_way(make_world, strategy, **changes):
    world = make_world(rollout=rollout(strategy, **changes))
    world.run(lambda world: world.phase is Phase.HEALTHY)
    world.apply(2)
    return world.run(lambda world: world.status.candidate is not None and world.status.candidate.step_requests > 50)


def test_a_canary_that_becomes_blue_green_gives_its_traffic_back_and_keeps_its_evidence(make_world):
    world = under_way(make_world, "Canary")
    counted = world.status.analysis.metrics[0].total.candidate
    world.apply(2, rollout=rollout("BlueGreen"))
    world.run(lambda world: world.live_mirror is not None)
    assert world.weights == {world.id_of(1): 100}
    assert world.said(Reason.STRATEGY_CHANGED) == 1
    assert world.status.analysis.metrics[0].total.candidate >= counted
    world.run(lambda world: world.phase is Phase.HEALTHY)
    assert world.status.stable.id == world.id_of(2)


def test_a_shadow_that_becomes_a_canary_begins_at_the_first_step(make_world):
    world = under_way(make_world, "Shadow")
    world.apply(2, rollout=rollout("Canary"))
    world.run(lambda world: world.status.candidate.weight > 0)
    assert (world.status.candidate.weight, world.status.candidate.step, world.status.candidate.mirror) == (10, 0, 0)
    world.run(lambda world: world.phase is Phase.HEALTHY)
    assert world.status.stable.id == world.id_of(2)


def test_a_ready_shadow_that_becomes_blue_green_takes_over(make_world):
    world = under_way(make_world, "Shadow")
    world.run(lambda world: world.condition("Reconciling") == Reason.SHADOW_READY)
    world.apply(2, rollout=rollout("BlueGreen"))
    world.run(lambda world: world.phase is Phase.WATCHING)
    assert world.said(Reason.STRATEGY_CHANGED) == 0


def test_another_share_of_copies_is_followed_on_the_spot(make_world):
    world = under_way(make_world, "Shadow")
    world.apply(2, rollout=rollout("Shadow", shadowPercent=20))
    world.run(lambda world: world.live_mirror is not None and world.live_mirror.percent == 20)
    assert world.status.candidate.step == 0
    world.run(lambda world: world.condition("Reconciling") == Reason.SHADOW_READY)


def test_a_paused_rollout_stays_as_it_is_until_the_pause_ends(make_world):
    world = under_way(make_world, "Canary")
    weights = world.weights
    world.apply(2, paused=True, rollout=rollout("BlueGreen"))
    world.run_for(120)
    assert world.weights == weights
    world.apply(2, paused=False)
    world.run(lambda world: world.live_mirror is not None)
