"""What the API server double does besides being one: it says so, keeps its state, refuses what it cannot read, serves logs of Pods."""

import asyncio
from pathlib import Path

import aiohttp

from headgate_devcluster.access import Access
from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.apiserver import ApiServer
from headgate_operator.api.crd import crd
from tests.manifests import VALID
from tests.plainhttp import Http


async def test_it_says_that_it_is_a_double() -> None:
    async with ApiServer() as server, aiohttp.ClientSession() as session:
        http = Http(Access(server.url), session)
        assert (await http("GET", "/version")).body["gitVersion"].endswith("+headgate-devcluster-test-double")
        assert (await http("GET", "/readyz")).body == "ok"


async def test_protobuf_is_refused_with_a_way_out() -> None:
    async with ApiServer() as server, aiohttp.ClientSession() as session:
        answer = await Http(Access(server.url), session)("POST", "/api/v1/namespaces", b"k8s\0", "application/vnd.kubernetes.protobuf")
        assert answer.status == 415
        assert "use `kubectl apply -f`" in answer.body["message"]


async def test_everything_survives_a_restart_with_state(tmp_path: Path) -> None:
    subject = ("headgate.dev/v1alpha1", "modeldeployments", "ml", "flight-delay")
    async with ApiServer(state=tmp_path) as server, ApiClient(server.url) as api:
        await api.create(crd())
        await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}})
        created = await api.create(VALID)
    async with ApiServer(state=tmp_path) as server, ApiClient(server.url) as api:
        assert await api.get(*subject) == created
        changed = await api.merge_patch(*subject, {"metadata": {"labels": {"a": "b"}}})
        assert int(changed["metadata"]["resourceVersion"]) > int(created["metadata"]["resourceVersion"])


async def test_a_pods_log_is_text_and_only_that_of_a_pod_that_exists(tmp_path: Path) -> None:
    (tmp_path / "p.log").write_text("the model is loaded\n")
    (tmp_path / "gone.log").write_text("old words")
    async with ApiServer(logs=tmp_path) as server, ApiClient(server.url) as api, aiohttp.ClientSession() as session:
        spec = {"containers": [{"name": "c", "image": "i:1"}]}
        await api.apply(
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"}, "spec": spec}, field_manager="t"
        )
        http = Http(Access(server.url), session)
        found = await http("GET", "/api/v1/namespaces/default/pods/p/log")
        assert (found.status, found.body) == (200, "the model is loaded\n")
        assert (await http("GET", "/api/v1/namespaces/default/pods/gone/log")).body["message"] == 'pods "gone" not found'


async def test_a_log_is_followed_until_its_pod_is_gone(tmp_path: Path) -> None:
    log = tmp_path / "p.log"
    log.write_text("one\ntwo\n")
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"}}
    async with ApiServer(logs=tmp_path) as server, ApiClient(server.url) as api, aiohttp.ClientSession() as session:
        await api.create(pod | {"spec": {"containers": [{"name": "c", "image": "i:1"}]}})
        query = {"follow": "true", "tailLines": "1"}
        async with asyncio.timeout(60), session.get(f"{server.url}/api/v1/namespaces/default/pods/p/log", params=query) as answer:
            assert await answer.content.readline() == b"two\n"
            with log.open("a") as file:
                file.write("three\n")
            assert await answer.content.readline() == b"three\n"
            await api.delete("v1", "pods", "default", "p", grace_seconds=0)
            assert await answer.content.read() == b""
