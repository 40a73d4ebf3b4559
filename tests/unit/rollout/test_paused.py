"""`spec.paused` freezes weights where they are. Serving goes on, and every way back stays open."""

from datetime import timedelta

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase


def frozen_at(world, weight):
    second = world.apply(2)
    world.run(lambda world: world.weights.get(second) == weight)
    world.apply(2, paused=True)
    world.step()
    return second


def frozen_in_the_watch(world):
    second = world.apply(2)
    world.run(lambda world: world.phase is Phase.WATCHING)
    world.apply(2, paused=True)
    world.step()
    return second


def test_weights_stay_and_the_rollout_goes_on_afterwards(serving):
    second = frozen_at(serving, 25)
    for _ in range(4):
        serving.run_for(1_000)
    assert serving.weights[second] == 25
    assert serving.phase is Phase.PAUSED
    assert serving.condition("Stalled") is None
    serving.apply(2, paused=False)
    serving.run()
    assert serving.weights == {second: 100}


def test_a_frozen_candidate_that_is_worse_is_rolled_back(serving):
    second = frozen_at(serving, 25)
    serving.behave(2, bad=0.5)
    serving.run_for(120)
    assert serving.weights == {serving.id_of(1): 100}
    assert serving.status.rejected[0].id == second


def test_a_frozen_candidate_without_endpoints_loses_its_weight(serving):
    frozen_at(serving, 25)
    serving.pods[serving.isvc_of(2)].available = 0
    serving.step()
    assert serving.weights == {serving.id_of(1): 100}
    assert serving.said(Reason.CANDIDATE_UNREADY) == 1


def test_a_promoted_version_that_is_worse_is_rolled_back_from_a_frozen_watch(serving):
    second = frozen_in_the_watch(serving)
    serving.behave(2, bad=0.5)
    serving.run_for(120)
    assert serving.weights == {serving.id_of(1): 100}
    assert serving.status.rejected[0].id == second


def test_a_frozen_watch_does_not_end(serving):
    second = frozen_in_the_watch(serving)
    serving.run_for(1_000)
    assert serving.weights == {serving.id_of(1): 5, second: 95}
    serving.apply(2, paused=False)
    serving.run()
    assert serving.weights == {second: 100}


def test_nothing_new_starts(serving):
    serving.apply(2, paused=True)
    serving.run_for(300)
    assert list(serving.pods) == [serving.isvc_of(1)]
    assert serving.phase is Phase.PAUSED
    assert serving.condition("Reconciling") == Reason.PAUSED


def test_a_first_revision_waits_too(make_world):
    world = make_world(paused=True)
    world.run_for(120)
    assert world.pods == {}
    world.apply(1, paused=False)
    world.run()
    assert world.phase is Phase.HEALTHY


def test_the_next_revision_does_not_replace_a_frozen_candidate(serving):
    second = frozen_at(serving, 25)
    third = serving.apply(3)
    serving.run_for(300)
    assert serving.weights[second] == 25
    serving.apply(3, paused=False)
    serving.run()
    assert serving.weights == {third: 100}


def test_a_frozen_watch_is_not_ended_by_the_next_revision(serving):
    second = frozen_in_the_watch(serving)
    serving.apply(3)
    serving.run_for(120)
    assert serving.weights == {serving.id_of(1): 5, second: 95}


@pytest.mark.parametrize("freeze", [lambda world: frozen_at(world, 25), frozen_in_the_watch])
def test_going_back_in_the_manifest_works(serving, freeze):
    freeze(serving)
    first = serving.apply(1)
    serving.step()
    assert serving.weights == {first: 100}


def test_abort_works(serving):
    second = frozen_at(serving, 25)
    serving.command = f"abort@{second}"
    serving.step()
    assert serving.weights == {serving.id_of(1): 100}


def test_rollback_works_through_the_fast_track_too(serving):
    second = serving.apply(2)
    serving.run()
    serving.apply(2, paused=True)
    serving.command = f"rollback@{second}"
    serving.run_for(300)
    assert serving.weights == {serving.id_of(1): 100}


def test_promote_is_told_what_is_in_its_way(serving):
    second = frozen_at(serving, 25)
    serving.command = f"promote@{second}"
    serving.run_for(60)
    assert "paused: true" in serving.status.last_command.result
    assert serving.weights[second] == 25


def test_a_slow_start_is_not_reported_for_the_time_of_a_pause(serving):
    serving.startup = timedelta(hours=3)
    serving.apply(2)
    serving.run_for(60)
    serving.apply(2, paused=True)
    serving.run_for(3_600)
    serving.apply(2, paused=False)
    serving.run_for(60)
    assert serving.condition("Stalled") is None
    serving.run_for(1_800)
    assert serving.condition("Stalled") == Reason.CANDIDATE_NOT_READY
