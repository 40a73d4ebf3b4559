"""The API server double over plain HTTP: what kubectl and every client library ask for."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.apiserver import ApiServer
from headgate_operator.api.crd import crd

COLLECTION = "/apis/headgate.dev/v1alpha1/namespaces/ml/modeldeployments"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


def model(name: str = "m", **spec: Any) -> dict[str, Any]:
    served = {"uri": "s3://models/m/1", "format": {"name": "xgboost", "version": "3"}, "runtime": "headgate-xgboost"}
    return {
        "apiVersion": "headgate.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": name, "namespace": "ml"},
        "spec": {"model": served, **spec},
    }


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Any


class Http:
    """Plain requests: a JSON or raw body in, status and JSON out."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url, self.session = url, session

    async def __call__(self, method: str, path: str, body: Any = None, kind: str = "application/json", **query: str) -> Answer:
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        headers = {"Content-Type": kind} if data is not None else {}
        async with self.session.request(method, self.url + path, data=data, params=query, headers=headers) as response:
            text = await response.text()
            return Answer(response.status, json.loads(text) if text.startswith(("{", "[")) else text, response.headers)


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with (
        ApiServer() as server,
        ApiClient(server.url) as api,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
    ):
        await api.create(crd())
        await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}})
        yield Http(server.url, session)


async def test_it_says_that_it_is_a_double(http: Http) -> None:
    assert (await http("GET", "/version")).body["gitVersion"].endswith("+headgate-devcluster-test-double")
    assert (await http("GET", "/readyz")).body == "ok"


async def test_discovery_lists_built_in_and_defined_kinds(http: Http) -> None:
    assert (await http("GET", "/api")).body["versions"] == ["v1"]
    groups = {group["name"] for group in (await http("GET", "/apis")).body["groups"]}
    assert {"apps", "coordination.k8s.io", "events.k8s.io", "headgate.dev", "serving.kserve.io", "gateway.networking.k8s.io"} <= groups
    assert (await http("GET", "/apis/headgate.dev")).body["preferredVersion"]["version"] == "v1alpha1"
    listed = {entry["name"]: entry for entry in (await http("GET", "/apis/headgate.dev/v1alpha1")).body["resources"]}
    assert listed["modeldeployments"]["shortNames"] == ["mdep"]
    assert "modeldeployments/status" in listed


async def test_discovery_is_there_in_one_document_too(http: Http) -> None:
    accept = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"}
    async with http.session.get(f"{http.url}/apis", headers=accept) as response:
        body = json.loads(await response.text())
        assert "as=APIGroupDiscoveryList" in response.headers["Content-Type"]
    ours = next(item for item in body["items"] if item["metadata"]["name"] == "headgate.dev")
    assert ours["versions"][0]["resources"][0]["subresources"][0]["subresource"] == "status"


async def test_a_definition_is_served_at_once_and_gone_with_its_deletion(http: Http) -> None:
    assert (await http("GET", COLLECTION)).body["kind"] == "ModelDeploymentList"
    await http("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/modeldeployments.headgate.dev")
    answer = await http("GET", COLLECTION)
    assert (answer.status, answer.body) == (404, "404 page not found\n")


async def test_open_api_describes_the_kinds(http: Http) -> None:
    index = (await http("GET", "/openapi/v3")).body["paths"]
    document = (await http("GET", index["apis/headgate.dev/v1alpha1"]["serverRelativeURL"])).body
    schema = document["components"]["schemas"]["dev.headgate.v1alpha1.ModelDeployment"]
    assert schema["x-kubernetes-group-version-kind"] == [{"group": "headgate.dev", "version": "v1alpha1", "kind": "ModelDeployment"}]
    assert schema["properties"]["spec"]["properties"]["rollout"]["description"]


async def test_codes_of_the_verbs(http: Http) -> None:
    created = await http("POST", COLLECTION, model())
    assert created.status == 201
    assert (await http("POST", COLLECTION, model())).status == 409
    assert (await http("GET", f"{COLLECTION}/m")).body == created.body
    assert (await http("PUT", f"{COLLECTION}/m", created.body)).status == 200
    assert (await http("PATCH", f"{COLLECTION}/m", {"metadata": {"labels": {"a": "b"}}}, MERGE)).status == 200
    assert (await http("DELETE", f"{COLLECTION}/m")).body["status"] == "Success"
    for method, body in (("GET", None), ("PUT", created.body), ("DELETE", None)):
        answer = await http(method, f"{COLLECTION}/m", body)
        assert (answer.status, answer.body["reason"]) == (404, "NotFound")
        assert answer.body["message"] == 'modeldeployments.headgate.dev "m" not found'


async def test_applying_answers_201_for_a_creation_and_200_for_an_update(http: Http) -> None:
    first = await http("PATCH", f"{COLLECTION}/m", model(), APPLY, fieldManager="t")
    second = await http("PATCH", f"{COLLECTION}/m", model(), APPLY, fieldManager="t")
    assert (first.status, second.status) == (201, 200)
    assert first.body == second.body


async def test_applying_takes_yaml_and_needs_a_field_manager(http: Http) -> None:
    text = b"""
apiVersion: v1
kind: ConfigMap
metadata: {name: c, annotations: {since: 2026-01-01}}
data: {at: 2026-01-01T00:00:00Z}
"""
    path = "/api/v1/namespaces/ml/configmaps/c"
    assert (await http("PATCH", path, text, APPLY, fieldManager="t")).body["data"] == {"at": "2026-01-01T00:00:00Z"}
    answer = await http("PATCH", path, text, APPLY)
    assert (answer.status, answer.body["message"]) == (
        422,
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    )


@pytest.mark.parametrize(
    ("name", "spec", "sentence"),
    [
        ("m", {"rollout": {"steps": [{"weight": 50}, {"weight": 20}]}}, "weights of the steps must rise from step to step"),
        ("m", {"model": {"uri": "models:/m/1", "format": {"name": "xgboost"}, "runtime": "r"}}, "cannot be read by KServe"),
        ("m" * 60, {}, "metadata.name must be at most 40 characters long"),
    ],
)
async def test_a_bad_manifest_is_refused_with_the_projects_own_sentence(http: Http, name: str, spec: dict[str, Any], sentence: str) -> None:
    for answer in (
        await http("POST", COLLECTION, model(name, **spec)),
        await http("PATCH", f"{COLLECTION}/{name}", model(name, **spec), APPLY, fieldManager="t"),
    ):
        assert (answer.status, answer.body["reason"]) == (422, "Invalid")
        assert answer.body["message"].startswith(f'ModelDeployment.headgate.dev "{name}" is invalid: ')
        assert sentence in answer.body["message"]


async def test_an_unknown_field_gets_the_servers_own_words(http: Http) -> None:
    strict = await http("POST", COLLECTION, model(rolout={}), fieldValidation="Strict")
    assert (strict.status, strict.body["message"]) == (
        400,
        'ModelDeployment in version "v1alpha1" cannot be handled as a ModelDeployment: strict decoding error: unknown field "spec.rolout"',
    )
    applied = await http("PATCH", f"{COLLECTION}/m", model(rolout={}), APPLY, fieldManager="t")
    assert (applied.status, applied.body["message"]) == (
        500,
        "failed to create typed patch object (ml/m; headgate.dev/v1alpha1, Kind=ModelDeployment): "
        ".spec.rolout: field not declared in schema",
    )
    warned = await http("POST", COLLECTION, model(rolout={}))
    assert warned.status == 201
    assert warned.headers.getall("Warning") == ['299 - "unknown field \\"spec.rolout\\""']


@pytest.mark.parametrize(
    "body", [b'{"a": NaN}', b"{", b'"text"', b"[]", b'{"kind": "ModelDeployment"}', b'{"apiVersion": "v1", "kind": "Pod"}']
)
async def test_a_body_that_is_no_object_of_the_kind_is_a_bad_request(http: Http, body: bytes) -> None:
    assert (await http("POST", COLLECTION, body)).status == 400


async def test_nan_is_refused_in_a_status(http: Http) -> None:
    await http("POST", COLLECTION, model())
    answer = await http("PATCH", f"{COLLECTION}/m/status", b'{"status": {"x": NaN}}', MERGE)
    assert (answer.status, answer.body["reason"]) == (400, "BadRequest")


async def test_custom_resources_take_no_strategic_patch(http: Http) -> None:
    await http("POST", COLLECTION, model())
    answer = await http("PATCH", f"{COLLECTION}/m", {}, "application/strategic-merge-patch+json")
    assert (answer.status, answer.body["reason"]) == (415, "UnsupportedMediaType")
    assert "application/strategic-merge-patch+json" not in answer.body["message"]


async def test_protobuf_is_refused_with_a_way_out(http: Http) -> None:
    answer = await http("POST", "/api/v1/namespaces", b"k8s\0", "application/vnd.kubernetes.protobuf")
    assert answer.status == 415
    assert "use `kubectl apply -f`" in answer.body["message"]


async def test_a_failing_json_patch_test_is_unprocessable(http: Http) -> None:
    await http("POST", COLLECTION, model())
    patch = [{"op": "test", "path": "/metadata/resourceVersion", "value": "1"}]
    assert (await http("PATCH", f"{COLLECTION}/m", patch, "application/json-patch+json")).status == 422


async def test_verbs_that_a_path_does_not_have_are_refused(http: Http) -> None:
    assert (await http("POST", f"{COLLECTION}/m", model())).status == 405
    assert (await http("DELETE", f"{COLLECTION}/m/status")).status == 405
    assert (await http("POST", "/apis/headgate.dev/v1alpha1/modeldeployments", model())).status == 405
    for path in ("/nothing", "/apis/none", "/apis/none/v1", "/api/v1/nothing", f"{COLLECTION}/m/scale", "/apis/apps/v1/deployments/d"):
        assert (await http("GET", path)).status == 404, path


async def test_lists_are_selected_and_paged(http: Http) -> None:
    for number in range(5):
        obj = model(f"m{number}")
        obj["metadata"]["labels"] = {"parity": "even" if number % 2 == 0 else "odd"}
        await http("POST", COLLECTION, obj)
    even = await http("GET", "/apis/headgate.dev/v1alpha1/modeldeployments", labelSelector="parity=even")
    assert [item["metadata"]["name"] for item in even.body["items"]] == ["m0", "m2", "m4"]
    one = await http("GET", COLLECTION, fieldSelector="metadata.name=m3")
    assert len(one.body["items"]) == 1
    first = await http("GET", COLLECTION, limit="3")
    rest = await http("GET", COLLECTION, limit="3", **{"continue": first.body["metadata"]["continue"]})
    assert [item["metadata"]["name"] for item in first.body["items"] + rest.body["items"]] == [f"m{number}" for number in range(5)]


async def test_a_collection_is_deleted_by_selector(http: Http) -> None:
    for name in "ab":
        obj = model(name)
        obj["metadata"]["labels"] = {"name": name}
        await http("POST", COLLECTION, obj)
    await http("DELETE", COLLECTION, labelSelector="name=a")
    assert [item["metadata"]["name"] for item in (await http("GET", COLLECTION)).body["items"]] == ["b"]


async def test_a_table_has_the_printer_columns_of_the_definition(http: Http) -> None:
    await http("POST", COLLECTION, model())
    headers = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
    async with http.session.get(http.url + COLLECTION, headers=headers) as response:
        found = await response.json()
    assert found["kind"] == "Table"
    names = [column["name"] for column in found["columnDefinitions"]]
    assert names == ["Name", "Phase", "Stable", "Candidate", "Weight", "Ready", "Reason", "Age"]


async def test_a_watch_streams_lines_and_ends_when_its_time_is_up(http: Http) -> None:
    revision = (await http("GET", COLLECTION)).body["metadata"]["resourceVersion"]
    await http("POST", COLLECTION, model())
    query = {"watch": "1", "resourceVersion": revision, "timeoutSeconds": "1"}
    async with http.session.get(http.url + COLLECTION, params=query) as response:
        events = [json.loads(line) async for line in response.content]
    assert [(event["type"], event["object"]["metadata"]["name"]) for event in events] == [("ADDED", "m")]


async def test_everything_survives_a_restart_with_a_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "cluster.json"
    async with ApiServer(snapshot_file=path) as server, ApiClient(server.url) as api:
        await api.create(crd())
        await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}})
        created = await api.create(model())
    async with ApiServer(snapshot_file=path) as server, ApiClient(server.url) as api:
        assert await api.get("headgate.dev/v1alpha1", "modeldeployments", "ml", "m") == created
        changed = await api.merge_patch("headgate.dev/v1alpha1", "modeldeployments", "ml", "m", {"metadata": {"labels": {"a": "b"}}})
        assert int(changed["metadata"]["resourceVersion"]) > int(created["metadata"]["resourceVersion"])


async def test_a_pods_log_is_text_and_only_that_of_a_pod_that_exists(tmp_path: Path) -> None:
    (tmp_path / "p.log").write_text("the model is loaded\n")
    (tmp_path / "gone.log").write_text("old words")
    async with ApiServer(logs=tmp_path) as server, ApiClient(server.url) as api, aiohttp.ClientSession() as session:
        spec = {"containers": [{"name": "c", "image": "i:1"}]}
        await api.apply(
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"}, "spec": spec}, field_manager="t"
        )
        http = Http(server.url, session)
        found = await http("GET", "/api/v1/namespaces/default/pods/p/log")
        assert (found.status, found.body) == (200, "the model is loaded\n")
        assert (await http("GET", "/api/v1/namespaces/default/pods/gone/log")).body["message"] == 'pods "gone" not found'
