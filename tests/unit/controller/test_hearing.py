"""Which events make the operator look, and at what."""

from typing import Any

import pytest

from headgate_operator.controller.act import Actor
from headgate_operator.controller.claims import Claims
from headgate_operator.controller.echoes import Echoes
from headgate_operator.controller.hearing import Hearing
from headgate_operator.controller.inventory import Inventory
from headgate_operator.controller.notes import Notes
from headgate_operator.controller.resources import INFERENCE_SERVICES, MODEL_DEPLOYMENTS
from headgate_operator.controller.workqueue import WorkQueue
from headgate_operator.rollout.decide import decide

KEY = ("ml", "flight-delay")


def meta(name: str, owner: str | None = None, **more: Any) -> dict[str, Any]:
    labels = {"labels": {"headgate.dev/model-deployment": owner}} if owner else {}
    return {"namespace": "ml", "name": name, "uid": name, "resourceVersion": "1", **labels, **more}


def child(name: str, owner: str | None = None) -> dict[str, Any]:
    return {"metadata": meta(name, owner)}


class Ears:
    """A Hearing, and what it put on the queue since one last looked."""

    def __init__(self, *, sharded: bool = False) -> None:
        self.queue: WorkQueue[tuple[str, str]] = WorkQueue()
        self.echoes = Echoes()
        self.hearing = Hearing(self.queue, claims=Claims(), inventory=Inventory(), echoes=self.echoes, sharded=sharded)

    async def queued(self) -> list[str]:
        keys = [(await self.queue.get())[0] for _ in range(self.queue.depth)]
        for key in keys:
            self.queue.done(key)
        return [name for _, name in keys]


@pytest.fixture
async def ears() -> Ears:
    return Ears()


async def test_a_child_makes_its_owner_be_looked_at_once_and_foreign_ones_nobody(ears) -> None:
    ears.hearing.deployment(meta("x"), False)
    ears.hearing.service(child("x-1", "x"), False)
    ears.hearing.route(child("y", "y"), False)
    ears.hearing.route(child("foreign"), False)
    assert await ears.queued() == ["x", "y"]


async def test_a_child_that_is_gone_makes_its_owner_be_looked_at(ears) -> None:
    ears.hearing.service(child("x-1", "x"), True)
    assert await ears.queued() == ["x"]


async def test_children_of_another_shard_are_not_looked_at() -> None:
    ears = Ears(sharded=True)
    ears.hearing.service(child("theirs-1", "theirs"), False)
    assert await ears.queued() == []
    ears.hearing.deployment(meta("ours"), False)
    ears.hearing.service(child("ours-1", "ours"), False)
    assert await ears.queued() == ["ours"]
    ears.hearing.deployment(meta("ours"), True)  # as when its label is taken away
    assert await ears.queued() == ["ours"]
    ears.hearing.service(child("ours-1", "ours"), False)
    assert await ears.queued() == []


async def test_what_we_wrote_is_no_news_when_it_is_heard_of_but_the_least_change_by_others_is(ears) -> None:
    ears.echoes.expect({"metadata": meta("x-1", resourceVersion="7")})
    ears.hearing.service({"metadata": meta("x-1", "x", resourceVersion="7")}, False)
    assert await ears.queued() == []
    ears.hearing.service({"metadata": meta("x-1", "x", resourceVersion="8")}, False)
    assert await ears.queued() == ["x"]


async def test_an_object_that_others_changed_after_our_write_is_looked_at_even_if_our_own_version_is_never_heard_of(ears) -> None:
    ears.echoes.expect({"metadata": meta("x", resourceVersion="7")})
    ears.hearing.deployment(meta("x", resourceVersion="9"), False)
    assert await ears.queued() == ["x"]


async def test_the_deletion_of_what_we_wrote_is_news(ears) -> None:
    ears.echoes.expect({"metadata": meta("x-1", resourceVersion="7")})
    ears.hearing.service({"metadata": meta("x-1", "x", resourceVersion="7")}, True)
    assert await ears.queued() == ["x"]


async def test_echoes_that_never_come_are_forgotten() -> None:
    echoes = Echoes()
    for number in range(10_001):
        echoes.expect({"metadata": meta(f"x-{number}")})
    assert not echoes.heard(meta("x-0"))
    assert echoes.heard(meta("x-10000"))


async def test_new_bounds_are_written_without_a_second_look_and_their_events_are_echoes(world, ears) -> None:
    await world.manifest()
    await world.settle()
    await world.queue.get()
    world.queue.done(KEY)
    await world.manifest(predictor={"replicas": {"max": 9}})
    world.reconciler._actor = Actor(world.api, Notes(world.api), ears.echoes)
    assert await world.reconciler.look(KEY) == "written"
    assert world.queue.depth == 0
    assert world.queue._timers[KEY], "the slow resync is planned all the same"
    (isvc,) = await world.admin.list(INFERENCE_SERVICES, "ml")
    assert isvc["spec"]["predictor"]["maxReplicas"] == 9
    ears.hearing.service(isvc, False)
    ears.hearing.deployment((await world.get(MODEL_DEPLOYMENTS))["metadata"], False)
    assert await ears.queued() == []
    assert await world.reconciler.look(KEY) == "unchanged"


async def test_what_a_webhook_made_of_our_write_is_news(world, ears) -> None:
    await world.manifest()
    await world.settle()
    await world.manifest(predictor={"replicas": {"max": 9}})
    snapshot = await world.snapshot()
    apply = world.admin.apply

    async def rewritten(resource: Any, obj: Any, **options: Any) -> Any:
        answer = await apply(resource, obj, **options)
        answer["spec"]["predictor"]["maxReplicas"] = 5
        return answer

    world.admin.apply = rewritten
    await Actor(world.api, Notes(world.api), ears.echoes).act(snapshot, decide(snapshot.observed))
    ears.hearing.service((await world.admin.list(INFERENCE_SERVICES, "ml"))[0], False)
    assert await ears.queued() == ["flight-delay"]
