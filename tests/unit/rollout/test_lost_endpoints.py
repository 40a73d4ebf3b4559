"""A version without endpoints gets no traffic as long as another one is there, and gets it back when it is ready."""

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase


def at_weight(world, weight):
    revision = world.apply(2)
    world.run(lambda world: world.weights.get(revision) == weight and world.status.candidate.step_started_at is not None)
    return revision


def test_a_candidate_without_endpoints_gets_no_traffic_until_it_is_ready_again(serving):
    second = at_weight(serving, 25)
    pod = serving.pods[serving.isvc_of(2)]
    pod.broken, pod.available = True, 0
    serving.step()
    assert serving.weights == {serving.id_of(1): 100}
    assert serving.phase is Phase.HOLDING
    serving.run_for(60)
    assert second not in serving.weights
    pod.broken = False
    serving.run(lambda world: second in world.weights)
    assert serving.weights[second] == 25, "back to the step it was at"
    serving.run()
    assert serving.weights == {second: 100}


def test_the_third_loss_of_all_endpoints_refuses_the_candidate(serving):
    second = at_weight(serving, 25)
    pod = serving.pods[serving.isvc_of(2)]
    for _ in range(3):
        serving.run(lambda world: second in world.weights)
        pod.broken, pod.available = True, 0
        serving.step()
        pod.broken = False
    serving.run()
    assert serving.status.rejected[0].reason == Reason.REPEATEDLY_UNREADY


def test_a_candidate_whose_inference_service_was_deleted_is_put_back_as_pinned(serving):
    second = at_weight(serving, 25)
    del serving.pods[serving.isvc_of(2)]
    serving.step()
    assert second not in serving.weights
    assert serving.isvc_of(2) in serving.pods
    serving.run()
    assert serving.weights == {second: 100}


def test_with_no_version_available_the_weights_stay(serving):
    second = at_weight(serving, 25)
    for pod in serving.pods.values():
        pod.broken, pod.available = True, 0
    serving.run_for(60)
    assert serving.weights[second] == 25
    assert serving.status.candidate.unready_count == 0


def test_a_stable_version_alone_keeps_all_traffic_whatever_happens(serving):
    pod = serving.pods[serving.isvc_of(1)]
    pod.broken, pod.available = True, 0
    serving.run_for(120)
    assert serving.weights == {serving.id_of(1): 100}
    assert serving.condition("Ready") == Reason.STABLE_UNAVAILABLE
    assert serving.said(Reason.STABLE_UNAVAILABLE) == 1
    pod.broken = False
    serving.run()
    assert serving.phase is Phase.HEALTHY


def test_a_promoted_version_that_loses_its_endpoints_in_the_watch_is_rolled_back(serving):
    second = serving.apply(2)
    serving.run(lambda world: world.phase is Phase.WATCHING)
    pod = serving.pods[serving.isvc_of(2)]
    pod.broken, pod.available = True, 0
    serving.step()
    assert serving.weights == {serving.id_of(1): 100}
    assert serving.status.rejected[0].id == second


def test_a_previous_version_that_loses_its_endpoints_gives_its_holdback_up_until_it_is_ready(serving):
    second = serving.apply(2)
    serving.run(lambda world: world.phase is Phase.WATCHING)
    pod = serving.pods[serving.isvc_of(1)]
    pod.broken, pod.available = True, 0
    serving.step()
    assert serving.weights == {second: 100}
    pod.broken = False
    serving.run(lambda world: len(world.weights) == 2)
    assert serving.weights == {second: 95, serving.id_of(1): 5}


def all_fail(world, *, restart):
    if restart:
        world.pods[world.isvc_of(2)].restarts += 1
    world.behave(2, bad=1.0)
    world.run(lambda world: world.status.candidate is None or world.status.candidate.weight == 0)


def test_a_candidate_that_fails_everything_is_refused_within_seconds(serving):
    at_weight(serving, 50)
    serving.run_for(6)
    began = serving.now
    all_fail(serving, restart=False)
    assert serving.status.rejected[0].reason == Reason.ALL_FAILING
    assert (serving.now - began).total_seconds() <= 12


def test_a_candidate_that_fails_everything_after_a_restart_is_suspended_and_comes_back(serving):
    second = at_weight(serving, 50)
    serving.run_for(6)
    all_fail(serving, restart=True)
    assert serving.status.candidate.suspended == 1
    assert serving.phase is Phase.SUSPENDED
    serving.behave(2)
    serving.run()
    assert serving.weights == {second: 100}
    assert serving.status.rejected == []


@pytest.mark.parametrize("suspensions", [2])
def test_a_candidate_is_suspended_at_most_twice(serving, suspensions):
    second = at_weight(serving, 10)
    serving.rate = 30.0
    for _ in range(suspensions):
        all_fail(serving, restart=True)
        if serving.status.candidate is None:
            break
        serving.run(lambda world: second in world.weights)
    all_fail(serving, restart=True)
    assert serving.status.rejected[0].id == second
    assert serving.said(Reason.SUSPENDED) <= suspensions


def never_serves(world, *, restart):
    """The second version fails from its first request on, at ten requests a second; one of its pods may restart meanwhile."""
    world.rate = 10.0
    second = at_weight(world, 10)
    world.behave(2, bad=1.0)
    began = world.now
    world.run_for(4)
    if restart:
        world.pods[world.isvc_of(2)].restarts += 1
    world.run(lambda world: world.status.candidate is None or world.status.candidate.weight == 0)
    assert (world.now - began).total_seconds() <= 20
    return second


def test_a_candidate_that_never_served_is_refused_within_seconds_at_little_traffic(serving):
    second = never_serves(serving, restart=False)
    assert [(entry.id, entry.reason) for entry in serving.status.rejected] == [(second, Reason.ALL_FAILING)]


def test_a_candidate_that_never_served_but_restarted_meanwhile_is_suspended_and_not_refused(serving):
    second = never_serves(serving, restart=True)
    assert serving.status.rejected == []
    assert serving.phase is Phase.SUSPENDED
    serving.behave(2)
    serving.run()
    assert serving.weights == {second: 100}
