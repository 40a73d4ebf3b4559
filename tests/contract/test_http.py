"""What kubectl and every client library ask an API server for, over plain HTTP: discovery, verbs and their codes."""

from typing import Any

import pytest

from tests.plainhttp import APPLY, MERGE


async def test_discovery_lists_built_in_and_defined_kinds(server: Any) -> None:
    assert (await server.http("GET", "/api")).body["versions"] == ["v1"]
    groups = {group["name"] for group in (await server.http("GET", "/apis")).body["groups"]}
    assert {"apps", "coordination.k8s.io", "events.k8s.io", "headgate.dev", "serving.kserve.io", "gateway.networking.k8s.io"} <= groups
    assert (await server.http("GET", "/apis/headgate.dev")).body["preferredVersion"]["version"] == "v1alpha1"
    listed = {entry["name"]: entry for entry in (await server.http("GET", "/apis/headgate.dev/v1alpha1")).body["resources"]}
    assert listed["modeldeployments"]["shortNames"] == ["mdep"]
    assert listed["modeldeployments/status"]["verbs"] == ["get", "patch", "update"]


async def test_discovery_is_there_in_one_document_too(server: Any) -> None:
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
    answer = await server.http("GET", "/apis", accept=accept)
    assert "as=APIGroupDiscoveryList" in answer.headers["Content-Type"]
    ours = next(item for item in answer.body["items"] if item["metadata"]["name"] == "headgate.dev")
    assert ours["versions"][0]["resources"][0]["subresources"][0]["subresource"] == "status"


async def test_open_api_describes_the_kinds(server: Any) -> None:
    index = (await server.http("GET", "/openapi/v3")).body["paths"]
    document = (await server.http("GET", index["apis/headgate.dev/v1alpha1"]["serverRelativeURL"].partition("?")[0])).body
    schema = document["components"]["schemas"]["dev.headgate.v1alpha1.ModelDeployment"]
    assert schema["x-kubernetes-group-version-kind"] == [{"group": "headgate.dev", "version": "v1alpha1", "kind": "ModelDeployment"}]
    assert schema["properties"]["spec"]["properties"]["rollout"]["description"]


async def test_codes_of_the_verbs(server: Any) -> None:
    created = await server.http("POST", server.path(), server.model())
    assert created.status == 201
    assert (await server.http("POST", server.path(), server.model())).status == 409
    assert (await server.http("GET", f"{server.path()}/m")).body == created.body
    assert (await server.http("PUT", f"{server.path()}/m", created.body)).status == 200
    assert (await server.http("PATCH", f"{server.path()}/m", {"metadata": {"labels": {"a": "b"}}}, MERGE)).status == 200
    deleted = await server.http("DELETE", f"{server.path()}/m")
    uid = created.body["metadata"]["uid"]
    assert (deleted.status, deleted.body) == (200, {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": {"name": "m", "group": "headgate.dev", "kind": "modeldeployments", "uid": uid},
    })  # fmt: skip
    for method, body in (("GET", None), ("DELETE", None)):
        answer = await server.http(method, f"{server.path()}/m", body)
        assert (answer.status, answer.body) == (404, {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "NotFound", "code": 404,
            "message": 'modeldeployments.headgate.dev "m" not found',
            "details": {"name": "m", "group": "headgate.dev", "kind": "modeldeployments"},
        })  # fmt: skip


async def test_an_object_that_exists_is_named_in_the_conflict(server: Any) -> None:
    await server.http("POST", server.path(), server.model())
    answer = await server.http("POST", server.path(), server.model())
    assert answer.body["reason"] == "AlreadyExists"
    assert answer.body["message"] == 'modeldeployments.headgate.dev "m" already exists'


async def test_a_replacement_of_what_does_not_exist_is_not_found(server: Any) -> None:
    gone = server.model()
    gone["metadata"] |= {"resourceVersion": "1", "uid": "3f4e8a44-1d4e-4a3c-8f5f-7a2d7f8c1111"}
    answer = await server.http("PUT", f"{server.path()}/m", gone)
    assert (answer.status, answer.body["reason"]) == (404, "NotFound")


async def test_a_replacement_of_a_custom_resource_needs_a_resource_version(server: Any) -> None:
    await server.http("POST", server.path(), server.model())
    answer = await server.http("PUT", f"{server.path()}/m", server.model())
    assert (answer.status, answer.body["message"]) == (
        422,
        'modeldeployments.headgate.dev "m" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    )


@pytest.mark.parametrize(
    "body", [b'{"a": NaN}', b"{", b'"text"', b"[]", b'{"kind": "ModelDeployment"}', b'{"apiVersion": "v1", "kind": "Pod"}']
)
async def test_a_body_that_is_no_object_of_the_kind_is_a_bad_request(server: Any, body: bytes) -> None:
    assert (await server.http("POST", server.path(), body)).status == 400


async def test_nan_is_refused_in_a_status(server: Any) -> None:
    await server.http("POST", server.path(), server.model())
    answer = await server.http("PATCH", f"{server.path()}/m/status", b'{"status": {"x": NaN}}', MERGE)
    assert (answer.status, answer.body["reason"]) == (400, "BadRequest")


async def test_custom_resources_take_no_strategic_patch(server: Any) -> None:
    await server.http("POST", server.path(), server.model())
    answer = await server.http("PATCH", f"{server.path()}/m", {}, "application/strategic-merge-patch+json")
    assert (answer.status, answer.body["reason"]) == (415, "UnsupportedMediaType")
    assert answer.body["message"] == (
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, "
        "application/merge-patch+json, application/apply-patch+yaml"
    )


async def test_verbs_that_a_path_does_not_have_are_refused(server: Any) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    assert (await server.http("POST", server.path("configmaps/c", "/api/v1"), config)).status == 405
    assert (await server.http("DELETE", f"{server.path()}/m/status")).status == 405
    assert (await server.http("POST", "/api/v1/configmaps", config)).status == 405
    for path in ("/nothing", "/apis/none", "/apis/none/v1", "/api/v1/nothing", f"{server.path()}/m/scale", "/apis/apps/v1/deployments/d"):
        assert (await server.http("GET", path)).status == 404, path


def words(answer: Any) -> tuple[int, Any]:
    """The code, and what a Status says, or else the text."""
    body = answer.body
    return answer.status, (body["reason"], body["message"], body.get("details")) if isinstance(body, dict) else body


NOT_ALLOWED = (405, ("MethodNotAllowed", "the server does not allow this method on the requested resource", {}))
NO_RESOURCE = (404, ("NotFound", "the server could not find the requested resource", {}))
NO_PAGE = (404, "404 page not found\n")
OURS = "/apis/headgate.dev/v1alpha1"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_what_writes_to_odd_paths_are_answered(server: Any, method: str) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    core, kind = f"/api/v1/namespaces/{server.namespace}", MERGE if method == "PATCH" else "application/json"

    async def say(path: str) -> tuple[int, Any]:
        return words(await server.http(method, path, None if method == "DELETE" else config, kind))

    for path in ("/version", "/api", "/api/v1", f"{core}/pods/p/log"):
        assert await say(path) == NOT_ALLOWED, path
    for path in (f"{core}/nothing", f"{core}/configmaps/c/nothing", f"{core}/configmaps/c/d/e", "/api/v1/configmaps/c"):
        assert await say(path) == NO_RESOURCE, path
    for path in ("/nothing", "/apis/none/v1/things", f"{OURS}/modeldeployments", f"{server.path()}s"):
        assert await say(path) == NO_PAGE, path
    details = {"name": "m", "group": "headgate.dev", "kind": "modeldeployments"}
    assert await say(f"{server.path()}/m/nothing") == (404, ("NotFound", 'modeldeployments.headgate.dev "m" not found', details))
    if method in {"PUT", "PATCH"}:
        assert await say(server.path()) == (400, ("BadRequest", "name must be provided", None))
    else:
        verb = {"POST": "create", "DELETE": "delete"}[method]
        code, (reason, message, _) = await say(f"{server.path()}/m/status")
        said = f'{verb} is not supported on resources of kind "modeldeployments.headgate.dev"'
        assert (code, reason, message) == (405, "MethodNotAllowed", said)


async def test_a_custom_resource_posted_to_a_name_is_created_under_its_own(server: Any) -> None:
    assert (await server.http("POST", f"{server.path()}/other", server.model())).status == 201
    assert (await server.http("GET", f"{server.path()}/m")).status == 200


async def test_an_object_in_a_namespace_that_does_not_exist_is_refused(server: Any) -> None:
    obj = server.model()
    obj["metadata"]["namespace"] = "nowhere"
    answer = await server.http("POST", "/apis/headgate.dev/v1alpha1/namespaces/nowhere/modeldeployments", obj)
    assert (answer.status, answer.body["message"]) == (404, 'namespaces "nowhere" not found')


async def test_the_namespace_of_an_object_must_be_that_of_the_request(server: Any) -> None:
    obj = server.model()
    obj["metadata"]["namespace"] = "default"
    answer = await server.http("POST", server.path(), obj)
    assert (answer.status, answer.body["message"]) == (
        400,
        "the namespace of the provided object does not match the namespace sent on the request",
    )


async def test_a_generated_name_ends_in_five_characters(server: Any) -> None:
    obj = server.model()
    del obj["metadata"]["name"]
    answer = await server.http("POST", server.path(), obj | {"metadata": obj["metadata"] | {"generateName": "m-"}})
    assert answer.status == 201
    assert len(answer.body["metadata"]["name"]) == 7


async def test_a_dry_run_leaves_nothing_behind(server: Any) -> None:
    assert (await server.http("POST", server.path(), server.model(), dryRun="All")).status == 201
    assert (await server.http("PATCH", f"{server.path()}/m", server.model(), APPLY, fieldManager="t", dryRun="All")).status == 201
    assert (await server.http("GET", f"{server.path()}/m")).status == 404


async def test_a_table_has_the_printer_columns_of_the_definition(server: Any) -> None:
    await server.http("POST", server.path(), server.model())
    found = (await server.http("GET", server.path(), accept="application/json;as=Table;v=v1;g=meta.k8s.io,application/json")).body
    assert found["kind"] == "Table"
    names = [column["name"] for column in found["columnDefinitions"]]
    assert names == ["Name", "Phase", "Stable", "Candidate", "Weight", "Ready", "Reason", "Age"]
    (row,) = found["rows"]
    assert row["cells"][:-1] == ["m", None, None, None, None, None, None]
    assert row["object"]["kind"] == "PartialObjectMetadata"


async def test_a_table_of_a_built_in_kind_has_the_columns_kubectl_shows(server: Any) -> None:
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    for path, names in (
        ("configmaps", ["Name", "Data", "Age"]),
        ("pods", ["Name", "Ready", "Status", "Restarts", "Age", "IP", "Node", "Nominated Node", "Readiness Gates"]),
        ("services", ["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "Selector"]),
    ):
        table = (await server.http("GET", server.path(path, "/api/v1"), accept=accept)).body
        assert [column["name"] for column in table["columnDefinitions"]] == names
    scalers = (await server.http("GET", server.path("horizontalpodautoscalers", "/apis/autoscaling/v2"), accept=accept)).body
    names = ["Name", "Reference", "Targets", "MinPods", "MaxPods", "Replicas", "Age"]
    assert [column["name"] for column in scalers["columnDefinitions"]] == names
    deployments = (await server.http("GET", server.path("deployments", "/apis/apps/v1"), accept=accept)).body
    names = ["Name", "Ready", "Up-to-date", "Available", "Age", "Containers", "Images", "Selector"]
    assert [column["name"] for column in deployments["columnDefinitions"]] == names
