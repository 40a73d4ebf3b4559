"""The operator dies between any two writes, comes back eight seconds later, and the rollout ends as if nothing had happened."""

import pytest

from headgate_operator.api.status import Phase


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
