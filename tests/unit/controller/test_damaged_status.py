"""A status that somebody else damaged in the cluster is rebuilt and written whole, once."""

from headgate_operator.api.names import COMMAND_ANNOTATION
from headgate_operator.controller.resources import MODEL_DEPLOYMENTS

KEY = ("ml", "flight-delay")


async def test_an_impossible_stable_version_is_restored_from_the_route_and_no_weight_moves(world) -> None:
    await world.manifest()
    await world.settle()
    before, weights = await world.status(), await world.weights()
    obj = await world.get(MODEL_DEPLOYMENTS)
    obj["status"]["stable"]["slot"] = 7
    await world.admin.replace_status(MODEL_DEPLOYMENTS, obj)
    assert (await world.snapshot()).observed.damaged == {"stable"}
    await world.settle()
    after = await world.status()
    assert (after.stable.id, after.stable.slot) == (before.stable.id, before.stable.slot)
    assert await world.weights() == weights
    assert (await world.snapshot()).observed.damaged == frozenset()


async def test_status_remembers_who_wrote_a_command(world) -> None:
    await world.manifest()
    await world.settle()
    await world.manifest(annotations={COMMAND_ANNOTATION: "pause@r00000000"})
    await world.reconciler.look(KEY)
    last = (await world.status()).last_command
    assert (last.command, last.by, last.removing) == ("pause@r00000000", "person", True)
    await world.settle()
    assert not (await world.status()).last_command.removing


async def test_a_lost_status_is_rebuilt_from_the_children_and_none_of_them_is_written(world) -> None:
    await world.manifest()
    await world.settle()
    before = await world.status()
    obj = await world.get(MODEL_DEPLOYMENTS)
    await world.admin.replace_status(MODEL_DEPLOYMENTS, obj | {"status": {}})
    world.api.calls.clear()
    await world.settle()
    after = await world.status()
    assert {kind for _, kind in world.api.writes} == {"ModelDeployment", "Event"}
    assert after.history[0].rendered == before.history[0].rendered
    assert (after.stable.id, after.stable.version) == (before.stable.id, before.stable.version)
