"""BlueGreen: judged in the dark on copies of the requests, then one switch."""

from dataclasses import replace
from datetime import timedelta

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase
from headgate_operator.rollout.observed import Fleet, Mirror

STEPS = [{"weight": weight, "minDuration": "15s", "minRequests": 100} for weight in (10, 25, 50)]


def rollout(**changes):
    return {"strategy": "BlueGreen", "steps": STEPS, "watch": {"duration": "60s", "holdback": 5}} | changes


def healthy(make_world, **manifest):
    world = make_world(**({"rollout": rollout(), "predictor": {"replicas": {"min": 3, "max": 3}}} | manifest))
    world.run(lambda world: world.phase is Phase.HEALTHY)
    return world


def mirrored(make_world, **manifest):
    world = healthy(make_world, **manifest)
    world.apply(2)
    return world.run(lambda world: world.live_mirror is not None)


def test_a_good_version_takes_over_in_one_switch_and_gets_no_traffic_before(make_world):
    world = healthy(make_world)
    old, new = world.status.stable.id, world.apply(2)
    seen = []
    world.run(lambda world: seen.append(world.weights) or world.phase is Phase.WATCHING)
    assert {tuple(sorted(weights.items())) for weights in seen} == {((old, 100),), tuple(sorted({old: 5, new: 95}.items()))}
    assert world.copies[new] > 300
    world.run(lambda world: world.phase is Phase.HEALTHY and not world.status.draining)
    assert world.weights == {new: 100}
    assert (world.said(Reason.MIRROR_STARTED), world.said(Reason.STEP_STARTED), world.said(Reason.PROMOTED)) == (1, 0, 1)
    assert sorted(world.pods) == [world.isvc_of(2)]


@pytest.mark.parametrize(("most", "replicas"), [(1, 1), (4, 2)])
def test_a_single_replica_gets_company_where_the_manifest_allows_it(make_world, most, replicas):
    world = mirrored(make_world, predictor={"replicas": {"min": 1, "max": most}})
    assert world.pods[world.isvc_of(2)].available == replicas


def test_all_its_replicas_are_up_before_the_first_copy(make_world):
    world = mirrored(make_world)
    assert world.pods[world.isvc_of(2)].available == 3


def test_the_route_says_who_is_mirrored_and_status_says_so_only_when_it_was_read_back(make_world):
    world = healthy(make_world)
    new = world.apply(2)
    world.run(lambda world: world.status.candidate is not None and world.status.candidate.mirror > 0)
    assert [entry.mirror for entry in world.status.traffic] == [0]
    world.run(lambda world: len(world.status.traffic) == 2)
    assert world.route.mirror == Mirror(isvc=world.isvc_of(2), revision=new, percent=100)
    assert [(entry.id, entry.weight, entry.mirror) for entry in world.status.traffic][1] == (new, 0, 100)


def test_a_bad_version_is_refused_on_its_mirrored_answers_and_no_client_saw_one(make_world):
    world = healthy(make_world)
    world.behave(2, bad=0.3)
    bad = world.apply(2)
    world.run(lambda world: world.phase is Phase.ROLLED_BACK and not world.status.draining)
    assert world.status.rejected[0].reason == Reason.ERRORS_WORSE
    assert world.served.get(bad, 0) == 0
    assert world.route.mirror is None
    assert world.isvc_of(2) not in world.pods


def test_a_version_that_answers_nothing_well_is_refused(make_world):
    world = healthy(make_world)
    world.behave(2, bad=1.0)
    world.apply(2)
    world.run(lambda world: bool(world.status.rejected))
    assert world.status.rejected[0].reason == Reason.ALL_FAILING


def test_the_stage_lasts_as_long_and_takes_as_many_requests_as_the_steps_together(make_world):
    world = mirrored(make_world)
    world.run(lambda world: world.status.candidate is not None and world.status.candidate.step_started_at is not None)
    began = world.status.candidate.step_started_at
    world.run(lambda world: world.status.candidate is None)
    assert world.status.stable.since - began >= timedelta(seconds=45)


def test_the_watch_goes_on_with_the_evidence_and_still_rolls_back(make_world):
    world = healthy(make_world)
    old, new = world.status.stable.id, world.apply(2)
    world.run(lambda world: world.status.watch_until is not None)
    counted = world.status.analysis.metrics[0].total.candidate
    assert counted > 300
    world.run(lambda world: world.status.analysis.metrics[0].total.candidate > counted)
    assert (world.status.analysis.mirror, world.status.analysis.candidate_slot) == (0, world.status.stable.slot)
    world.behave(2, bad=0.5)
    world.run(lambda world: world.phase is Phase.ROLLED_BACK)
    assert world.weights == {old: 100}
    assert world.status.rejected[0].id == new


@pytest.mark.parametrize("percent", [30, 100])
def test_copies_that_never_arrive_are_no_traffic(make_world, percent):
    world = mirrored(make_world, rollout=rollout(shadowPercent=percent))
    world.pinned = 1.0
    world.status = world.status.model_copy(update={"analysis": None})
    world.counters.pop(2, None)
    world.run(lambda world: world.status.candidate.hold_reason == Reason.NO_TRAFFIC, limit=300)
    assert world.weights == {world.status.stable.id: 100}


@pytest.mark.parametrize("percent", [30, 100])
def test_too_few_copies_are_a_split_mismatch(make_world, percent):
    world = mirrored(make_world, rollout=rollout(shadowPercent=percent))
    world.pinned = 0.5
    world.run(lambda world: world.status.candidate.hold_reason == Reason.SPLIT_MISMATCH, limit=300)
    assert "which should be" in world.condition_message("Reconciling")


def test_every_share_of_copies_ends_in_promotion(make_world):
    world = healthy(make_world, rollout=rollout(shadowPercent=20))
    new = world.apply(2)
    world.run(lambda world: world.phase is Phase.HEALTHY and world.status.stable.id == new)
    assert world.said(Reason.SPLIT_MISMATCH) == 0


def test_a_candidate_without_endpoints_leaves_the_mirror_at_once_and_comes_back(make_world):
    world = mirrored(make_world)
    pod = world.pods[world.isvc_of(2)]
    pod.broken, pod.available = True, 0
    world.run(lambda world: world.route.mirror is None, limit=5)
    assert world.status.candidate.unready
    assert world.said(Reason.CANDIDATE_UNREADY) == 1
    assert world.dark_seconds <= 15
    pod.broken = False
    world.run(lambda world: world.route.mirror is not None)
    world.run(lambda world: world.phase is Phase.HEALTHY)
    assert world.status.stable.id == world.id_of(2)


def test_the_third_loss_of_its_endpoints_refuses_it(make_world):
    world = mirrored(make_world)
    pod = world.pods[world.isvc_of(2)]
    for _ in range(3):
        world.run(lambda world: world.route.mirror is not None and world.live_mirror is not None)
        pod.available, pod.ready_at = 0, world.now + timedelta(seconds=5)
        world.run(lambda world: world.route.mirror is None)
    assert world.status.rejected[0].reason == Reason.REPEATEDLY_UNREADY


def test_a_candidate_that_fails_for_a_fault_of_its_pods_is_suspended_without_a_mirror(make_world):
    world = mirrored(make_world)
    world.behave(2, bad=1.0)
    world.pods[world.isvc_of(2)].restarts += 1
    world.run(lambda world: world.status.candidate.suspended == 1)
    assert world.status.candidate.mirror == 0
    world.behave(2)
    world.run(lambda world: world.phase is Phase.HEALTHY)
    assert world.status.stable.id == world.id_of(2)


def test_an_inference_service_goes_only_after_its_mirror_has_left_the_accepted_route(make_world):
    world = mirrored(make_world)
    world.gateway_up = False
    world.apply(1)
    world.run_for(60)
    assert world.status.candidate is None
    assert world.status.draining[0].left_route_at is None
    assert world.isvc_of(2) in world.pods
    world.gateway_up = True
    world.run(lambda world: not world.status.draining)
    assert world.isvc_of(2) not in world.pods


def test_the_next_revision_supersedes_a_mirrored_one(make_world):
    world = mirrored(make_world)
    third = world.apply(3)
    world.run(lambda world: world.live_mirror is not None and world.live_mirror.revision == third)
    assert world.said(Reason.SUPERSEDED) == 1
    world.run(lambda world: world.phase is Phase.HEALTHY and not world.status.draining)
    assert world.status.stable.id == third


def test_an_abort_takes_the_mirror_away(make_world):
    world = mirrored(make_world)
    world.command = f"abort@{world.id_of(2)}"
    world.run(lambda world: world.route.mirror is None)
    assert world.status.rejected[0].reason == Reason.ABORTED


def test_a_pause_among_the_steps_stands_before_the_switch(make_world):
    world = mirrored(make_world, rollout=rollout(steps=[*STEPS, {"pause": True}]))
    world.run(lambda world: world.phase is Phase.PAUSED)
    assert world.condition("Reconciling") == Reason.PAUSE_STEP
    world.run_for(2_400)
    world.command = f"promote@{world.id_of(2)}"
    world.run(lambda world: world.phase is Phase.HEALTHY)
    assert world.status.stable.id == world.id_of(2)


def test_a_version_from_the_history_takes_over_without_a_mirror(make_world):
    world = healthy(make_world)
    second = world.apply(2)
    world.run(lambda world: world.status.stable.id == second and world.phase is Phase.HEALTHY)
    world.notes.clear()
    first = world.apply(1)
    world.run(lambda world: world.status.stable.id == first and world.phase is Phase.HEALTHY)
    assert (world.said(Reason.KNOWN_GOOD), world.said(Reason.MIRROR_STARTED)) == (1, 0)


def test_promote_full_skips_the_mirror_but_not_the_capacity(make_world):
    world = healthy(make_world)
    world.startup = timedelta(seconds=30)
    new = world.apply(2)
    world.run(lambda world: world.status.candidate is not None)
    world.command = f"promote-full@{new}"
    world.run(lambda world: world.status.stable.id == new)
    assert world.pods[world.isvc_of(2)].available == 3
    assert world.said(Reason.MIRROR_STARTED) == 0


def test_a_mirror_that_somebody_edited_is_put_back(make_world):
    world = mirrored(make_world)
    world.run(lambda world: len(world.status.traffic) == 2)
    wanted = world.route.mirror
    world.route = replace(world.route, mirror=replace(wanted, percent=7))
    world.run(lambda world: world.route.mirror == wanted)
    assert world.said(Reason.CHILD_RESTORED) == 1


def test_a_freeze_window_lets_no_mirror_begin_and_no_switch_happen(make_world):
    world = healthy(make_world)
    world.fleet = Fleet(freeze_until=world.now + timedelta(hours=1))
    world.apply(2)
    world.run_for(600)
    assert world.status.candidate is None
    world.fleet = Fleet()
    world.run(lambda world: world.live_mirror is not None)
    world.fleet = Fleet(freeze_until=world.now + timedelta(hours=1))
    world.run_for(600)
    assert world.weights == {world.id_of(1): 100}
    world.fleet = Fleet()
    world.run(lambda world: world.phase is Phase.HEALTHY)
    assert world.status.stable.id == world.id_of(2)
    assert world.status.rejected == []


def test_stable_keeps_its_replicas_until_the_watch_is_over(make_world):
    world = mirrored(make_world)
    assert world.status.stable.frozen_min == 3
    world.run(lambda world: world.phase is Phase.WATCHING)
    assert world.status.previous.frozen_min == 3


def test_a_crash_at_any_write_ends_in_the_same_promotion(make_world):
    reference = healthy(make_world)
    new, before = reference.apply(2), reference.writes
    reference.run(lambda world: world.phase is Phase.HEALTHY and not world.status.draining)
    for crash in range(reference.writes - before):
        world = healthy(make_world)
        world.apply(2)
        world.crash_at = world.writes + crash
        world.run(lambda world: world.phase is Phase.HEALTHY and not world.status.draining and world.status.stable.id == new)
        assert world.weights == {new: 100}, crash
        assert world.route.mirror is None
