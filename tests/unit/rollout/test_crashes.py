"""The operator dies between any two writes, comes back eight seconds later, and the rollout ends as if nothing had happened."""

import pytest

from headgate_operator.api.status import ModelDeploymentStatus, Phase
from headgate_operator.api.stored import read_status
from headgate_operator.rollout.observed import Fleet


@pytest.fixture
def short_world(make_world):
    """Few passes, much traffic: every write is tried."""

    def build():
        steps = [{"weight": weight, "minDuration": "6s", "minRequests": 100} for weight in (10, 25, 50)]
        world = make_world(rollout={"steps": steps, "watch": {"duration": "15s"}, "scaleDownDelay": "30s"})
        world.rate = 300.0
        return world

    return build


def promoted(world):
    world.run()
    world.apply(2)


def refused_on_evidence(world):
    world.run()
    world.apply(2)
    world.behave(2, bad=0.1)


def refused_by_parity(world):
    world.run()
    world.apply(2)
    world.behave(2, mismatch="different")


def rolled_back_in_the_watch(world):
    world.run()
    world.apply(2)
    world.run(lambda world: world.phase is Phase.WATCHING)
    world.behave(2, bad=0.5)


def superseded(world):
    world.run()
    second = world.apply(2)
    world.run(lambda world: world.weights.get(second) == 25)
    world.apply(3)


def aborted(world):
    world.run()
    second = world.apply(2)
    world.run(lambda world: world.weights.get(second) == 25)
    world.command = f"abort@{second}"


def promoted_by_command(world):
    world.run()
    second = world.apply(2)
    world.rate = 0.0
    world.run(lambda world: world.weights.get(second) == 10 and world.status.candidate.step_started_at is not None)
    world.command = f"promote@{second}"
    world.run(lambda world: world.weights.get(second) == 25)
    world.rate = 300.0


def promoted_at_once(world):
    world.run()
    second = world.apply(2)
    world.run(lambda world: world.weights.get(second) == 10)
    world.command = f"promote-full@{second}"


def rolled_back_by_command(world):
    world.run()
    second = world.apply(2)
    world.run()
    world.command = f"rollback@{second}"


def passes_its_pauses(world):
    steps = [{"pause": True}, *world.manifest["rollout"]["steps"], {"pause": True}]
    world.manifest["rollout"] = world.manifest["rollout"] | {"steps": steps}
    world.run()
    second = world.apply(2)
    world.run(lambda world: world.status.candidate is not None and world.status.candidate.at_pause)
    world.command = f"promote@{second}"
    world.run(lambda world: world.command is None and world.status.candidate.weight == 50 and world.status.candidate.at_pause)
    world.command = f"promote@{second}"


def paused_and_resumed(world):
    world.run()
    second = world.apply(2)
    world.run(lambda world: world.weights.get(second) == 10)
    world.command = f"pause@{second}"
    world.run_for(60)
    world.command = f"resume@{second}"


def refused_by_policy(world):
    world.manifest["rollout"] = world.manifest["rollout"] | {"onInsufficientData": "Rollback", "holdTimeout": "60s"}
    world.run()
    world.apply(2)
    world.rate = 0.05


def promoted_by_policy(world):
    refused_by_policy(world)
    world.apply(2, rollout=world.manifest["rollout"] | {"onInsufficientData": "Promote"})


def its_turn_in_the_fleet_came(world):
    world.run()
    world.apply(2)
    world.fleet = Fleet(others_under_way=1, limit=1)
    world.run_for(60)
    world.fleet = Fleet()


def cancelled(world):
    world.run()
    second = world.apply(2)
    world.run(lambda world: world.weights.get(second) == 25)
    world.apply(1)


def back_to_a_known_version(world):
    world.run()
    world.apply(2)
    world.run()
    world.apply(1)


def rolled_back_by_command_in_the_watch(world):
    world.run()
    second = world.apply(2)
    world.run(lambda world: world.phase is Phase.WATCHING)
    world.command = f"rollback@{second}"


def damaged_in_a_canary(world):
    world.run()
    second = world.apply(2)
    world.run(lambda world: world.weights.get(second) == 25)
    stored = world.status.model_dump(mode="json", by_alias=True, exclude_none=True)
    world.status, world.damaged = read_status(stored | {"candidate": {"id": second}})


def lost_after_a_refusal(world):
    refused_by_parity(world)
    world.run()
    world.status = ModelDeploymentStatus()


def first_revision(world):
    pass


def ending(world):
    return (
        world.phase,
        world.weights,
        sorted(world.pods),
        [(entry.id, entry.reason) for entry in world.status.rejected],
        [entry.id for entry in world.status.history],
        world.status.last_command and world.status.last_command.result,
        world.command,
        world.status.stable.frozen_min,
        world.status.draining,
    )


@pytest.mark.parametrize(
    "story",
    [
        first_revision,
        promoted,
        refused_on_evidence,
        refused_by_parity,
        rolled_back_in_the_watch,
        superseded,
        aborted,
        promoted_by_command,
        promoted_at_once,
        rolled_back_by_command,
        passes_its_pauses,
        paused_and_resumed,
        refused_by_policy,
        promoted_by_policy,
        its_turn_in_the_fleet_came,
        cancelled,
        back_to_a_known_version,
        rolled_back_by_command_in_the_watch,
        damaged_in_a_canary,
        lost_after_a_refusal,
    ],
)
def test_a_crash_at_any_write_changes_nothing_about_the_end(story, short_world):
    calm = short_world()
    story(calm)
    begun = calm.writes
    calm.run()
    for write in range(begun, calm.writes):
        world = short_world()
        story(world)
        world.crash_at = write
        world.run()
        assert ending(world) == ending(calm), f"after a crash at write {write - begun} of {calm.writes - begun}"
