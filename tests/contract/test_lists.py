"""Lists: selectors, pages, deletion of a collection."""

from typing import Any

import pytest


async def create_five(server: Any) -> None:
    for number in range(5):
        obj = server.model(f"m{number}")
        obj["metadata"]["labels"] = {"parity": "even" if number % 2 == 0 else "odd", **({"first": ""} if number == 0 else {})}
        await server.api.create(obj)


def names(answer: Any) -> list[str]:
    return [item["metadata"]["name"] for item in answer.body["items"]]


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("parity=even", ["m0", "m2", "m4"]),
        ("parity==odd", ["m1", "m3"]),
        ("parity!=even", ["m1", "m3"]),
        ("first", ["m0"]),
        ("!first", ["m1", "m2", "m3", "m4"]),
        ("first=", ["m0"]),
        ("parity in (even,odd),!first", ["m1", "m2", "m3", "m4"]),
        ("parity notin (even)", ["m1", "m3"]),
        ("nothing=here", []),
    ],
)
async def test_labels_select(server: Any, selector: str, found: list[str]) -> None:
    await create_five(server)
    assert names(await server.http("GET", server.path(), labelSelector=selector)) == found


async def test_fields_select_by_name_and_no_others_are_known(server: Any) -> None:
    await create_five(server)
    assert names(await server.http("GET", server.path(), fieldSelector="metadata.name=m3")) == ["m3"]
    assert names(await server.http("GET", server.path(), fieldSelector="metadata.name!=m3")) == ["m0", "m1", "m2", "m4"]
    refused = await server.http("GET", server.path(), fieldSelector="spec.model.runtime=x")
    assert (refused.status, refused.body["message"]) == (400, "field label not supported: spec.model.runtime")


async def test_a_selector_that_cannot_be_read_is_a_bad_request(server: Any) -> None:
    assert (await server.http("GET", server.path(), labelSelector="a in (")).status == 400


async def test_pages_have_a_token_and_tell_how_much_remains(server: Any) -> None:
    await create_five(server)
    first = await server.http("GET", server.path(), limit="3")
    assert names(first) == ["m0", "m1", "m2"]
    assert first.body["metadata"]["remainingItemCount"] == 2
    await server.api.create(server.model("m9"))
    rest = await server.http("GET", server.path(), limit="3", **{"continue": first.body["metadata"]["continue"]})
    assert names(rest) == ["m3", "m4"], "a later page is of the same moment"
    assert rest.body["metadata"]["resourceVersion"] == first.body["metadata"]["resourceVersion"]
    assert "continue" not in rest.body["metadata"] or not rest.body["metadata"]["continue"]


async def test_a_token_that_is_none_is_a_bad_request(server: Any) -> None:
    answer = await server.http("GET", server.path(), limit="3", **{"continue": "!"})
    assert (answer.status, answer.body["reason"]) == (400, "BadRequest")


async def test_a_version_that_has_not_been_yet_is_a_timeout(server: Any) -> None:
    now = int((await server.http("GET", server.path())).body["metadata"]["resourceVersion"])
    answer = await server.http("GET", server.path(), resourceVersion=str(now + 100_000))
    assert (answer.status, answer.body["reason"], answer.body["details"]["retryAfterSeconds"]) == (504, "Timeout", 1)
    assert answer.body["message"].startswith(f"Timeout: Too large resource version: {now + 100_000}, current: ")


async def test_a_list_tells_its_kind_and_its_items_theirs(server: Any) -> None:
    await create_five(server)
    found = (await server.http("GET", server.path())).body
    assert (found["kind"], found["apiVersion"]) == ("ModelDeploymentList", "headgate.dev/v1alpha1")
    assert found["items"][0]["kind"] == "ModelDeployment"
    await server.api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": server.namespace}})
    built_in = (await server.http("GET", server.path("configmaps", "/api/v1"))).body
    assert built_in["kind"] == "ConfigMapList"
    assert "kind" not in built_in["items"][0]


async def test_a_collection_is_deleted_by_selector(server: Any) -> None:
    await create_five(server)
    await server.http("DELETE", server.path(), labelSelector="parity=even")
    assert names(await server.http("GET", server.path())) == ["m1", "m3"]
