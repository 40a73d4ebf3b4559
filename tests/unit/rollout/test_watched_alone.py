"""A watch without holdback: nothing runs beside the promoted version, so a missed objective is what rolls it back."""

import pytest

from headgate_operator.api.reasons import Reason
from headgate_operator.api.status import Phase

ERRORS = {"name": "errors", "preset": "gateway-errors"}


def watched(make_world, *, holdback=0, maximum="1%", duration="30m"):
    """The second version is promoted and watched."""
    steps = [{"weight": weight, "minDuration": "15s", "minRequests": 100} for weight in (10, 50)]
    metric = ERRORS if maximum is None else ERRORS | {"maximum": maximum}
    world = make_world(
        rollout={"steps": steps, "watch": {"duration": duration, "holdback": holdback}},
        analysis={"metrics": [metric]},
    )
    first = world.apply(1)
    world.run()
    second = world.apply(2)
    world.run(lambda world: world.phase is Phase.WATCHING and world.weights == ({second: 100} if not holdback else world.weights))
    assert world.phase is Phase.WATCHING
    return world, first, second


def test_a_promoted_version_that_misses_its_objective_with_nothing_beside_it_is_rolled_back(make_world):
    world, first, second = watched(make_world)
    world.behave(2, bad=0.05)
    world.run_for(300)
    assert world.weights == {first: 100}
    assert [(entry.id, entry.reason) for entry in world.status.rejected] == [(second, Reason.OBJECTIVE_MISSED)]
    assert "at most 1% allowed" in world.status.rejected[0].message


def test_a_promoted_version_that_meets_its_objective_stays(make_world):
    world, _, second = watched(make_world, duration="10m")
    world.behave(2, bad=0.005)
    world.run()
    assert world.weights == {second: 100}
    assert world.phase is Phase.HEALTHY


def test_without_a_declared_maximum_there_is_nothing_to_judge_it_by(make_world):
    world, _, second = watched(make_world, maximum=None)
    world.behave(2, bad=0.05)
    world.run_for(600)
    assert world.weights == {second: 100}
    assert world.status.rejected == []


def test_beside_another_version_the_objective_alone_rolls_nothing_back(make_world):
    world, first, second = watched(make_world, holdback=20)
    for version in (1, 2):
        world.behave(version, bad=0.05)
    world.run_for(600)
    assert world.weights == {first: 20, second: 80}
    assert world.status.rejected == []


def test_without_a_warm_version_to_return_to_nothing_is_rolled_back(make_world):
    world, first, second = watched(make_world)
    world.pods[world.isvc_of(1)].broken = True
    world.behave(2, bad=0.05)
    world.run_for(600)
    assert world.weights == {second: 100}
    world.pods[world.isvc_of(1)].broken = False
    world.run_for(300)
    assert world.weights == {first: 100}


@pytest.mark.parametrize("share", [0.05, 0.5])
def test_an_ill_candidate_is_not_convicted_by_its_objective_while_stable_serves(make_world, share):
    world, first, second = watched(make_world, holdback=20, maximum="1%")
    for version in (1, 2):
        world.behave(version, bad=share)
    world.run_for(300)
    assert second in world.weights
    assert first in world.weights
