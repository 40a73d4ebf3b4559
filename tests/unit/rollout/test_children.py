"""Children: put back as pinned, never adopted from others, deleted only when nobody can be using them."""

from dataclasses import replace

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase


def at_weight(world, weight):
    revision = world.apply(2)
    world.run(lambda world: world.weights.get(revision) == weight and world.status.candidate.step_started_at is not None)
    return revision


def test_an_edited_route_is_put_back_and_somebody_is_told_once(serving, backend):
    second = at_weight(serving, 10)
    first = serving.id_of(1)
    edited = (backend(isvc=serving.isvc_of(1), revision=first, weight=0), backend(isvc=serving.isvc_of(2), revision=second, weight=100))
    serving.route = replace(serving.route, slots=edited)
    serving.step()
    assert serving.weights == {first: 90, second: 10}
    serving.run()
    assert serving.said(Reason.CHILD_RESTORED) == 1


def test_a_route_of_another_shape_is_put_back(serving):
    serving.route = replace(serving.route, slots=None)
    serving.run()
    assert serving.weights == {serving.id_of(1): 100}
    assert serving.said(Reason.CHILD_RESTORED) == 1


def test_a_deleted_route_comes_back(serving):
    serving.route = None
    serving.run()
    assert serving.weights == {serving.id_of(1): 100}
    assert serving.phase is Phase.HEALTHY


def test_evidence_of_requests_under_foreign_weights_is_not_counted(serving, backend):
    second = at_weight(serving, 10)
    serving.run_for(6)
    counted = serving.status.candidate.step_requests
    first = serving.id_of(1)
    edited = (backend(isvc=serving.isvc_of(1), revision=first, weight=50), backend(isvc=serving.isvc_of(2), revision=second, weight=50))
    serving.route = replace(serving.route, slots=edited)
    serving.pass_time(serving.startup)
    decision = serving.step()
    assert decision.status.candidate.step_requests == counted
    serving.step()
    assert all(metric.discard_next for metric in serving.status.analysis.metrics)


def test_a_deleted_inference_service_of_stable_comes_back_as_pinned(serving):
    del serving.pods[serving.isvc_of(1)]
    decision = serving.step()
    assert decision.services[0].rendered.inference_service == {"revision": serving.id_of(1)}
    serving.run()
    assert serving.phase is Phase.HEALTHY


def test_an_upgrade_that_renders_differently_restarts_nobody(serving):
    pinned = serving.step().services[0].rendered
    serving.problem = (Reason.RUNTIME_MISSING, "today's code renders nothing")
    assert serving.step().services[0].rendered == pinned


def test_an_inference_service_of_somebody_else_is_never_touched(serving):
    serving.apply(2)
    serving.step()
    pod = serving.pods[serving.isvc_of(2)]
    pod.ours, pod.min_replicas = False, 7
    serving.run_for(60)
    assert serving.condition("Stalled") == Reason.NAME_TAKEN
    assert pod.min_replicas == 7


def test_a_route_of_somebody_else_is_never_touched(make_world, serving):
    world = make_world()
    world.route = replace(serving.route, ours=False)
    before = world.route
    world.run_for(60)
    assert world.condition("Stalled") == Reason.NAME_TAKEN
    assert world.route == before
    assert world.pods == {}


def test_versions_keep_their_slot_for_life_and_the_next_takes_the_free_one(serving):
    slots = {serving.id_of(1): 0}
    for version in (2, 3, 4):
        serving.apply(version)
        serving.run()
        stable = serving.status.stable
        slots[stable.id] = stable.slot
        assert serving.route.slots[stable.slot].revision == stable.id
    assert list(slots.values()) == [0, 1, 0, 1]


def test_a_slot_is_given_again_only_after_the_request_timeout(serving):
    serving.manifest["serving"] = {"requestTimeout": "40s"}
    second = at_weight(serving, 10)
    serving.apply(3)
    serving.run(lambda world: second not in world.weights)
    left = serving.now
    third = serving.id_of(3)
    serving.run(lambda world: third in world.weights)
    assert (serving.now - left).total_seconds() >= 40
    assert serving.said(Reason.WAITING_FOR_SLOT) == 0, "an ordinary wait"


def test_a_replaced_version_is_kept_warm_and_then_deleted(serving):
    serving.apply(2)
    serving.run(lambda world: world.said(Reason.WATCH_ENDED) == 1)
    ended = serving.now
    old = serving.isvc_of(1)
    serving.run(lambda world: old not in world.pods)
    assert (serving.now - ended).total_seconds() >= 600
    assert serving.status.stable.id == serving.id_of(2)


def test_a_new_candidate_cuts_the_warm_time_short(serving):
    serving.apply(2)
    serving.run(lambda world: world.said(Reason.WATCH_ENDED) == 1)
    serving.apply(3)
    serving.run_for(30)
    assert serving.isvc_of(1) not in serving.pods


def test_nothing_is_deleted_while_the_gateway_may_still_send_it_requests(serving):
    second = at_weight(serving, 25)
    serving.gateway_up = False
    serving.command = f"abort@{second}"
    serving.run_for(3_600)
    assert serving.isvc_of(2) in serving.pods
    assert serving.route.accepted is False
    serving.gateway_up = True
    serving.run_for(700)
    assert serving.isvc_of(2) not in serving.pods


@pytest.mark.parametrize(("weight", "replicas"), [(10, 1), (25, 3), (50, 5)])
def test_the_candidate_is_scaled_before_it_gets_the_weight(make_world, weight, replicas):
    world = make_world(predictor={"replicas": {"min": 10}})
    world.run()
    second = world.apply(2)
    world.run(lambda world: world.weights.get(second) == weight)
    assert world.pods[world.isvc_of(2)].available >= replicas


def test_stable_keeps_the_capacity_it_had_until_the_watch_ends(serving):
    serving.manifest["predictor"] = {"replicas": {"min": 2, "max": 9}}
    serving.run()
    serving.pods[serving.isvc_of(1)].available = 6  # its autoscaler made it six
    second = serving.apply(2)
    serving.run(lambda world: world.weights.get(second) == 10)
    assert serving.pods[serving.isvc_of(1)].min_replicas == 6
    serving.run(lambda world: world.phase is Phase.WATCHING)
    assert serving.pods[serving.isvc_of(1)].min_replicas == 6
    assert serving.pods[serving.isvc_of(2)].min_replicas == 6
    serving.run()
    assert serving.pods[serving.isvc_of(2)].min_replicas == 2


def test_stable_keeps_its_capacity_after_a_refusal_until_its_autoscaler_has_seen_all_traffic_again(serving):
    serving.manifest["predictor"] = {"replicas": {"min": 2, "max": 9}}
    serving.run()
    serving.pods[serving.isvc_of(1)].available = 6
    second = serving.apply(2)
    serving.run(lambda world: world.weights.get(second) == 50)
    serving.behave(2, bad=0.5)
    serving.run(lambda world: bool(world.status.rejected))
    serving.run(lambda world: not world.status.draining or world.pods[world.isvc_of(1)].min_replicas < 6)
    assert not serving.status.draining
    serving.run()
    assert serving.pods[serving.isvc_of(1)].min_replicas == 2


def test_the_version_that_a_watch_goes_back_to_keeps_the_capacity_it_had(serving):
    serving.manifest["predictor"] = {"replicas": {"min": 2, "max": 9}}
    serving.run()
    serving.pods[serving.isvc_of(1)].available = 6
    serving.apply(2)
    serving.run(lambda world: world.phase is Phase.WATCHING)
    serving.behave(2, bad=0.5)
    serving.run(lambda world: bool(world.status.rejected))
    assert serving.weights == {serving.id_of(1): 100}
    assert serving.pods[serving.isvc_of(1)].min_replicas == 6


def test_a_promotion_waits_for_the_capacity_of_all_traffic(make_world):
    world = make_world(predictor={"replicas": {"min": 10}})
    world.run()
    second = world.apply(2)
    world.run(lambda world: world.weights.get(second) == 95)
    assert world.pods[world.isvc_of(2)].available >= 10
