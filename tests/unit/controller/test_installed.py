"""An operator that is newer than the installed CRD writes nothing, says why, and goes on once the CRD is replaced."""

import logging
from copy import deepcopy

import pytest

from headgate_operator.api.crd import crd, root_schema
from headgate_operator.controller import installed
from headgate_operator.controller.installed import missing_fields, outdated
from headgate_operator.controller.resources import CRDS
from headgate_operator.kube.protocol import ApiError

KEY = ("ml", "flight-delay")


def without(*fields: str) -> dict:
    """The CRD of an older release, which did not know these fields."""
    older = deepcopy(crd())
    for field in fields:
        *parents, last = field.split(".")
        node = older["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        for name in parents:
            node = node["properties"][name.removesuffix("[]")]
            node = node["items"] if name.endswith("[]") else node
        del node["properties"][last]
    return older


def schema(older: dict) -> dict:
    return older["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


async def install(world, obj) -> None:
    live = await world.admin.get(CRDS, None, installed.NAME)
    await world.admin.replace(CRDS, obj | {"metadata": live["metadata"]})


def test_the_crd_of_this_release_and_newer_ones_lack_nothing() -> None:
    assert list(missing_fields(root_schema())) == []
    newer = deepcopy(root_schema())
    newer["properties"]["status"]["properties"]["mood"] = {"type": "string"}
    assert list(missing_fields(newer)) == []


@pytest.mark.parametrize("field", ["status", "status.candidate.paused", "status.analysis.metrics[].faults", "spec.paused"])
def test_a_field_that_would_be_pruned_is_named(field) -> None:
    assert list(missing_fields(schema(without(field)))) == [field]


def test_a_schema_that_keeps_what_it_does_not_know_lacks_nothing() -> None:
    assert list(missing_fields({"x-kubernetes-preserve-unknown-fields": True})) == []


async def test_nothing_is_written_through_an_older_crd_until_it_is_replaced(world) -> None:
    await install(world, without("status.candidate.golden", "spec.paused", "status.rejected", "status.url"))
    await world.manifest()
    world.api.calls.clear()
    assert [await world.reconciler.look(KEY), await world.reconciler.look(KEY)] == ["error", "error"]
    assert world.api.writes == [("create", "Event")], "it is told once"
    said = await outdated(world.admin)
    assert said == (
        "the installed CRD modeldeployments.headgate.dev is older than this operator: it does not know spec.paused, "
        "status.url, status.candidate.golden and more; install the one of this release with "
        "`headgate crd | kubectl apply --server-side -f -`"
    )
    await install(world, crd())
    await world.settle()
    assert (await world.status()).phase == "Healthy"


async def test_without_the_right_to_look_it_works_on_and_says_so_once(world, caplog) -> None:
    async def forbidden() -> None:
        raise ApiError("customresourcedefinitions is forbidden", 403)

    installed._tell_blindness.cache_clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            world.api.before["get", "CustomResourceDefinition"] = forbidden
            assert await outdated(world.api) == ""
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "whether the installed CRD is older than this operator cannot be checked"
    ]


async def test_an_api_server_that_does_not_answer_is_no_older_crd(world) -> None:
    async def down() -> None:
        raise ApiError("no answer", 0)

    await world.manifest()
    world.api.before["get", "CustomResourceDefinition"] = down
    assert await world.reconciler.look(KEY) == "error"
    await world.settle()
    assert (await world.status()).phase == "Healthy"
