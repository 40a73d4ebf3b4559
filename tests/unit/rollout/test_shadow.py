"""Shadow: looks on, is judged, and takes over only when a person says so."""

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase

STEPS = [{"weight": weight, "minDuration": "15s", "minRequests": 100} for weight in (10, 25, 50)]


def shadow(make_world, *, started: bool = True, **changes):
    settings = {"strategy": "Shadow", "steps": STEPS, "watch": {"duration": "60s", "holdback": 5}} | changes
    world = make_world(rollout=settings, predictor={"replicas": {"min": 4, "max": 4}})
    world.run(lambda world: world.phase is Phase.HEALTHY)
    world.apply(2)
    return world.run(lambda world: world.live_mirror is not None) if started else world


def ready(world):
    return world.run(lambda world: world.condition("Reconciling") == Reason.SHADOW_READY)


def test_it_never_takes_over_by_itself_and_never_stalls(make_world):
    world = ready(shadow(make_world, maxDuration="30m", holdTimeout="10m"))
    assert (world.phase, world.condition("CandidateAccepted")) == (Phase.PAUSED, Reason.SHADOW_READY)
    assert world.said(Reason.SHADOW_READY) == 1
    world.run_for(2_400)
    assert world.condition("Stalled") is None
    assert world.weights == {world.id_of(1): 100}
    assert world.status.candidate.id == world.id_of(2)


def test_promote_lets_it_take_over_at_full_capacity_in_one_switch(make_world):
    world = ready(shadow(make_world, shadowPercent=50))
    assert world.pods[world.isvc_of(2)].available == 2
    world.command = f"promote@{world.id_of(2)}"
    world.run(lambda world: world.status.candidate is None)
    assert world.pods[world.isvc_of(2)].available == 4
    assert world.status.stable.id == world.id_of(2)
    world.run(lambda world: world.phase is Phase.HEALTHY and not world.status.draining)
    assert world.weights == {world.id_of(2): 100}


def test_promote_before_it_is_ready_takes_it_over_without_the_rest(make_world):
    world = shadow(make_world)
    world.run(lambda world: world.condition("Reconciling") == Reason.SHADOWING)
    world.command = f"promote@{world.id_of(2)}"
    world.run(lambda world: world.phase is Phase.WATCHING)
    assert world.status.stable.id == world.id_of(2)


@pytest.mark.parametrize("policy", ["Hold", "Rollback", "Promote"])
def test_too_few_requests_are_no_hold_whatever_the_policy(make_world, policy):
    world = shadow(make_world, holdTimeout="10m", maxDuration="30m", onInsufficientData=policy)
    world.rate = 0.0
    world.run_for(2_400)
    assert (world.phase, world.condition("Reconciling")) == (Phase.PROGRESSING, Reason.SHADOWING)
    assert world.status.candidate.hold_since is None
    assert world.status.rejected == []


def test_a_bad_shadow_is_refused_also_while_it_waits_for_a_person(make_world):
    world = ready(shadow(make_world))
    world.behave(2, bad=0.3)
    world.run(lambda world: world.phase is Phase.ROLLED_BACK)
    assert world.status.rejected[0].reason == Reason.ERRORS_WORSE
    assert world.served.get(world.id_of(2), 0) == 0


def test_a_shadow_that_gets_no_copies_holds_and_is_reported(make_world):
    world = shadow(make_world, holdTimeout="10m")
    world.pinned = 0.5
    world.run(lambda world: world.condition("Stalled") is not None)
    assert world.condition("Stalled") == Reason.HOLD_TIMEOUT


def test_the_next_revision_takes_its_place(make_world):
    world = ready(shadow(make_world))
    third = world.apply(3)
    world.run(lambda world: world.live_mirror is not None and world.live_mirror.revision == third)
    assert world.said(Reason.SUPERSEDED) == 1


def test_the_first_revision_needs_no_shadow(make_world):
    world = shadow(make_world, started=False)
    assert world.status.stable.id == world.id_of(1)
    assert world.route.mirror is None
