"""The verbs say to an API server what they mean, and say to us what it answered."""

import asyncio
import inspect

import pytest
from aiohttp import web
from kubernetes.aio.config.config_exception import ConfigException

from headgate_operator.kube.client import PAGE_SIZE, KubeClient
from headgate_operator.kube.connect import connect
from headgate_operator.kube.protocol import (
    ApiError,
    ConflictError,
    InvalidError,
    KubeApi,
    NotFoundError,
    Resource,
    UnavailableError,
)

ISVC = Resource("serving.kserve.io", "v1beta1", "inferenceservices", "InferenceService")
PODS = Resource("", "v1", "pods", "Pod")
RUNTIMES = Resource("serving.kserve.io", "v1alpha1", "clusterservingruntimes", "ClusterServingRuntime")
OBJECT = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": {"name": "a", "namespace": "ml"}}


def test_the_client_has_exactly_the_verbs_of_the_protocol():
    for name, verb in inspect.getmembers(KubeApi, inspect.isfunction):
        if not name.startswith("_"):
            assert list(inspect.signature(verb).parameters) == list(inspect.signature(getattr(KubeClient, name)).parameters)


async def test_get_asks_by_path_with_our_token(client, script):
    script.say(OBJECT)
    assert await client.get(ISVC, "ml", "a") == OBJECT
    assert script.asked == [("GET", "/apis/serving.kserve.io/v1beta1/namespaces/ml/inferenceservices/a", {}, None)]
    assert script.headers[0]["Authorization"] == "Bearer secret"


async def test_core_and_cluster_scoped_kinds_have_their_own_paths(client, script):
    script.say(OBJECT)
    await client.get(PODS, "ml", "p")
    await client.get(RUNTIMES, None, "headgate-xgboost")
    assert [path for _, path, _, _ in script.asked] == [
        "/api/v1/namespaces/ml/pods/p",
        "/apis/serving.kserve.io/v1alpha1/clusterservingruntimes/headgate-xgboost",
    ]


async def test_an_object_that_does_not_exist_is_none(client, script):
    script.refuse(404, 'inferenceservices "a" not found', reason="NotFound")
    assert await client.get(ISVC, "ml", "a") is None


async def test_a_kind_that_does_not_exist_is_an_error(client, script):
    script.say("404 page not found\n", 404)
    with pytest.raises(NotFoundError, match="404 page not found"):
        await client.get(ISVC, "ml", "a")
    assert await client.serves(ISVC) is False


async def test_serves_looks_for_the_kind_in_discovery(client, script):
    script.say({"kind": "APIResourceList", "resources": [{"name": "inferenceservices"}]})
    assert await client.serves(ISVC) is True
    assert await client.serves(RUNTIMES) is False


async def test_list_follows_pages_and_completes_the_items(client, script):
    script.say({"items": [{"metadata": {"name": "a"}}], "metadata": {"continue": "t+/="}})
    script.say({"items": [{"metadata": {"name": "b"}}], "metadata": {}})
    pods = await client.list(PODS, "ml", label_selector="a=b,c in (d, e)")
    assert [(pod["kind"], pod["apiVersion"], pod["metadata"]["name"]) for pod in pods] == [("Pod", "v1", "a"), ("Pod", "v1", "b")]
    assert [query for _, _, query, _ in script.asked] == [
        {"limit": str(PAGE_SIZE), "labelSelector": "a=b,c in (d, e)"},
        {"limit": str(PAGE_SIZE), "labelSelector": "a=b,c in (d, e)", "continue": "t+/="},
    ]


async def test_a_list_that_expires_between_pages_is_read_again(client, script):
    script.say({"items": [{"metadata": {"name": "a"}}], "metadata": {"continue": "t"}})
    script.refuse(410, "the provided continue parameter is too old")
    script.say({"items": [{"metadata": {"name": "b"}}], "metadata": {}})
    assert [pod["metadata"]["name"] for pod in await client.list(PODS, None)] == ["b"]


async def test_an_apply_that_creates_returns_the_object(client, script):
    script.say(OBJECT, 201)
    assert await client.apply(ISVC, OBJECT, field_manager="headgate") == OBJECT
    method, path, query, body = script.asked[0]
    assert (method, path.rpartition("/")[2], body) == ("PATCH", "a", OBJECT)
    assert query == {"fieldManager": "headgate", "force": "true"}
    assert script.headers[0]["Content-Type"] == "application/apply-patch+yaml"


async def test_status_is_put_whole(client, script):
    script.say(OBJECT)
    await client.replace_status(ISVC, OBJECT | {"status": {"phase": "Healthy"}})
    method, path, _, body = script.asked[0]
    assert (method, body["status"]) == ("PUT", {"phase": "Healthy"})
    assert path.endswith("/inferenceservices/a/status")


async def test_patch_is_a_merge_patch(client, script):
    script.say(OBJECT)
    await client.patch(ISVC, "ml", "a", {"metadata": {"annotations": {"x": None}}})
    assert script.asked[0][3] == {"metadata": {"annotations": {"x": None}}}
    assert script.headers[0]["Content-Type"] == "application/merge-patch+json"


async def test_create_posts_and_replace_puts(client, script):
    script.say(OBJECT, 201)
    await client.create(ISVC, OBJECT)
    await client.replace(ISVC, OBJECT)
    assert [(method, path.rpartition("/")[2]) for method, path, _, _ in script.asked] == [("POST", "inferenceservices"), ("PUT", "a")]


@pytest.mark.parametrize("status", [404, 409])
async def test_deleting_what_is_gone_or_replaced_is_no_error(client, script, status):
    script.refuse(status, "gone")
    await client.delete(ISVC, "ml", "a", uid="u-1")
    assert script.asked[0][3]["preconditions"] == {"uid": "u-1"}
    assert script.asked[0][3]["propagationPolicy"] == "Background"


@pytest.mark.parametrize(
    ("status", "message", "more", "kind"),
    [
        (404, "not found", {}, NotFoundError),
        (409, "the object has been modified", {}, ConflictError),
        (422, "x", {"details": {"causes": [{"field": "metadata.uid"}]}}, ConflictError),
        (422, "spec.model.uri: Invalid value", {}, InvalidError),
        (400, "NaN", {}, InvalidError),
        (500, "failed to create typed patch object: .spec.rolout: field not declared in schema", {}, InvalidError),
        (500, "etcd has no leader", {}, UnavailableError),
        (429, "too many requests", {}, UnavailableError),
        (403, "forbidden: no right", {}, ApiError),
    ],
)
async def test_a_refusal_becomes_the_error_it_means_in_the_servers_words(client, script, status, message, more, kind):
    script.refuse(status, message, **more)
    with pytest.raises(ApiError) as error:
        await client.apply(ISVC, OBJECT, field_manager="headgate")
    assert type(error.value) is kind
    assert error.value.status == status
    assert str(error.value) == f"PATCH inferenceservices ml/a: {message}"
    assert len(script.asked) == 1


async def test_reads_are_tried_again_while_the_server_has_no_time(client, script):
    script.refuse(429, "busy", headers={"Retry-After": "0"})
    script.refuse(503, "starting", headers={"Retry-After": "0"})
    script.say(OBJECT)
    assert await client.get(ISVC, "ml", "a") == OBJECT


async def test_reads_give_up_after_three_tries(client, script):
    script.refuse(503, "starting", headers={"Retry-After": "0"})
    with pytest.raises(UnavailableError, match="GET inferenceservices ml/a: starting"):
        await client.get(ISVC, "ml", "a")
    assert len(script.asked) == 3


async def test_a_server_that_does_not_answer_is_unavailable(kubeconfig, script):
    async def never() -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    script.answers.append(never)
    impatient = await connect(kubeconfig, request_timeout=0.5)
    with pytest.raises(UnavailableError, match=r"no answer from the API server within 0.5 s"):
        await impatient.replace(ISVC, OBJECT)
    await impatient.close()


async def test_a_server_that_is_not_there_is_unavailable(tmp_path, kubeconfig):
    text = kubeconfig.read_text()
    start = text.index("http://127.0.0.1:")
    kubeconfig.write_text(text.replace(text[start : text.index("\n", start)], "http://127.0.0.1:1"))
    client = await connect(kubeconfig)
    with pytest.raises(UnavailableError, match="cannot be reached"):
        await client.get(ISVC, "ml", "a")
    await client.close()


async def test_an_answer_that_is_no_object_is_not_taken_for_one(client, script):
    script.say("<html>welcome</html>")
    with pytest.raises(UnavailableError, match="is this address an API server"):
        await client.get(ISVC, "ml", "a")


@pytest.mark.parametrize("content", [None, "", "{", "a: b: c", "apiVersion: v1\nkind: Config\n"])
async def test_a_kubeconfig_that_cannot_be_used_is_told_in_one_line(tmp_path, content):
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ApiError) as error:
        await connect(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


async def test_outside_a_pod_there_is_no_service_account(monkeypatch):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ApiError, match="the service account of this pod cannot be used"):
        await connect(None)


async def test_credentials_that_cannot_be_read_for_a_moment_are_worth_another_try(client, script):
    def refresh(_configuration):
        raise ConfigException("Token file exists but empty.")

    client._transport._api.configuration.refresh_api_key_hook = refresh
    with pytest.raises(UnavailableError, match=r"no credentials for the API server: Token file exists but empty\."):
        await client.delete(ISVC, "ml", "a", uid="u")
