"""A hostname that another route has: told by condition, nothing starts, and it goes on when the other route goes."""

from headgate_operator.controller.resources import HTTP_ROUTES

KEY = ("ml", "flight-delay")
HOST = "flight-delay.ml.example.com"


async def other_route(world, name="other"):
    parent = {"name": "kserve-ingress-gateway", "namespace": "kserve"}
    spec = {"parentRefs": [parent], "hostnames": [HOST], "rules": [{"backendRefs": [{"name": "x", "port": 80}]}]}
    meta = {"name": name, "namespace": "ml"}
    obj = {"apiVersion": HTTP_ROUTES.api_version, "kind": "HTTPRoute", "metadata": meta, "spec": spec}
    return await world.admin.apply(HTTP_ROUTES, obj, field_manager="person")


def conditions(status):
    return {condition.type: condition for condition in status.conditions}


async def test_a_taken_hostname_is_told_and_nothing_starts_until_the_other_route_is_gone(world) -> None:
    other = await other_route(world)
    world.observer.claims.heard(other)
    await world.manifest()
    await world.settle()
    status = await world.status()
    stalled = conditions(status)["Stalled"]
    assert stalled.reason == "HostnameTaken"
    assert f"ml/other has {HOST} on the gateway kserve/kserve-ingress-gateway" in stalled.message
    assert status.candidate is None
    assert await world.admin.get(HTTP_ROUTES, *KEY) is None
    assert world.observer.claims.heard(other, gone=True) == {KEY}, "it is looked at again at once"
    await world.settle()
    assert (await world.status()).stable is not None


async def test_a_route_whose_deletion_the_watch_missed_blocks_nobody(world) -> None:
    other = await other_route(world)
    world.observer.claims.heard(other)
    await world.admin.delete(HTTP_ROUTES, "ml", "other", uid=other["metadata"]["uid"])
    await world.manifest()
    await world.settle()
    assert (await world.status()).stable is not None


async def test_a_younger_route_takes_nothing_from_one_that_serves(world) -> None:
    await world.manifest()
    await world.settle()
    other = await other_route(world) | {}
    other["metadata"]["creationTimestamp"] = "2099-01-01T00:00:00Z"
    assert world.observer.claims.heard(other) == {KEY}
    await world.settle()
    assert "Stalled" not in conditions(await world.status())


async def test_an_object_that_is_gone_is_no_longer_woken(world) -> None:
    await world.manifest()
    await world.reconciler.look(KEY)
    world.observer.claims.forget(KEY)
    assert world.observer.claims.heard(await other_route(world)) == set()
