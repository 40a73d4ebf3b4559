"""Names of children: one list for the whole fleet, and what looks and watches add to it."""

from typing import Any

import pytest

from headgate_operator.controller.inventory import FRESH, Inventory
from headgate_operator.controller.resources import INFERENCE_SERVICES, SERVING_RUNTIMES
from headgate_operator.kube.protocol import UnavailableError

KEY = ("ml", "flight-delay")


class Cluster:
    """Has some labelled children, and counts how often they are listed."""

    def __init__(self, **children: str) -> None:
        self.children = children
        self.lists = 0
        self.down = False

    async def each(self, resource: Any, namespace: str | None, see: Any, *, label_selector: str) -> None:
        if self.down:
            raise UnavailableError("no time")
        self.lists += 1
        for name, owner in self.children.items():
            see({"metadata": {"namespace": "ml", "name": name, "labels": {label_selector: owner}}})


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


@pytest.fixture
def inventory(clock: list[float]) -> Inventory:
    return Inventory(clock=lambda: clock[0])


async def test_a_fleet_is_listed_once_a_kind_however_many_looks_ask(inventory):
    cluster = Cluster(a="flight-delay", b="flight-delay", c="other")
    for _ in range(100):
        assert await inventory.names(cluster, INFERENCE_SERVICES, KEY) == {"a", "b"}
        assert await inventory.names(cluster, SERVING_RUNTIMES, ("ml", "nobody")) == frozenset()
    assert cluster.lists == 2


async def test_what_nobody_told_of_is_known_after_the_next_list(inventory, clock):
    cluster = Cluster(a="flight-delay")
    await inventory.names(cluster, INFERENCE_SERVICES, KEY)
    cluster.children["left"] = "flight-delay"
    assert await inventory.names(cluster, INFERENCE_SERVICES, KEY) == {"a"}
    clock[0] += FRESH
    assert await inventory.names(cluster, INFERENCE_SERVICES, KEY) == {"a", "left"}


async def test_an_api_server_without_time_for_the_next_list_costs_nothing_but_the_first_one_is_needed(inventory, clock):
    cluster = Cluster(a="flight-delay")
    cluster.down = True
    with pytest.raises(UnavailableError):
        await inventory.names(cluster, INFERENCE_SERVICES, KEY)
    cluster.down = False
    await inventory.names(cluster, INFERENCE_SERVICES, KEY)
    cluster.down, clock[0] = True, clock[0] + FRESH
    assert await inventory.names(cluster, INFERENCE_SERVICES, KEY) == {"a"}


async def test_a_watch_and_a_look_add_names_and_only_a_look_that_found_nothing_drops_them(inventory):
    cluster = Cluster()
    await inventory.names(cluster, INFERENCE_SERVICES, KEY)
    inventory.heard(INFERENCE_SERVICES, {"namespace": "ml", "name": "a", "labels": {"headgate.dev/model-deployment": "flight-delay"}})
    inventory.heard(INFERENCE_SERVICES, {"namespace": "ml", "name": "stranger", "labels": None})
    assert await inventory.names(cluster, INFERENCE_SERVICES, KEY) == {"a"}
    inventory.read(INFERENCE_SERVICES, KEY, "a", there=False)
    inventory.read(INFERENCE_SERVICES, KEY, "b", there=True)
    assert await inventory.names(cluster, INFERENCE_SERVICES, KEY) == {"b"}
    inventory.read(INFERENCE_SERVICES, KEY, "c", there=False)
    assert await inventory.names(cluster, INFERENCE_SERVICES, KEY) == {"b"}
    inventory.forget(KEY)
    assert await inventory.names(cluster, INFERENCE_SERVICES, KEY) == frozenset()
