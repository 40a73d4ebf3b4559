"""Owners and what they own: collected in the background, waited for in the foreground, orphaned; namespaces with everything in them."""

from typing import Any

import pytest

from tests.waiting import eventually

CONFIG = ("v1", "configmaps")


@pytest.fixture
def server(server: Any, request: pytest.FixtureRequest) -> Any:
    if server.real and not request.getfixturevalue("real_server").collects_garbage:
        pytest.skip("no kube-controller-manager: nothing is collected")
    return server


async def owner_and_child(server: Any, **reference: Any) -> dict[str, Any]:
    owner = await server.api.create(server.model())
    refers = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": "m", "uid": owner["metadata"]["uid"], **reference}
    meta = {"name": "child", "namespace": server.namespace, "ownerReferences": [refers]}
    await server.api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    return dict(owner)


async def child(server: Any) -> Any:
    return await server.api.get(*CONFIG, server.namespace, "child")


async def until_gone(found: Any, seconds: float = 60) -> None:
    async def gone() -> bool:
        return await found() is None

    await eventually(gone, seconds)


async def owner(server: Any) -> Any:
    return await server.api.get("headgate.dev/v1alpha1", "modeldeployments", server.namespace, "m")


async def test_a_child_goes_after_its_owner(server: Any) -> None:
    await owner_and_child(server)
    answer = await server.http("DELETE", f"{server.path()}/m")
    assert answer.body["kind"] == "Status"
    await until_gone(lambda: child(server))


async def test_a_child_goes_before_an_owner_deleted_in_the_foreground(server: Any) -> None:
    await owner_and_child(server, blockOwnerDeletion=True)
    answer = await server.http("DELETE", f"{server.path()}/m", propagationPolicy="Foreground")
    assert answer.body["metadata"]["finalizers"] == ["foregroundDeletion"]
    await until_gone(lambda: owner(server))
    assert await child(server) is None


async def test_an_orphan_stays_without_an_owner(server: Any) -> None:
    await owner_and_child(server)
    await server.http("DELETE", f"{server.path()}/m", propagationPolicy="Orphan")
    await until_gone(lambda: owner(server))
    assert "ownerReferences" not in (await child(server))["metadata"]


async def test_a_child_of_an_owner_that_never_was_is_collected(server: Any) -> None:
    meta = {
        "name": "child", "namespace": server.namespace,
        "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "never", "uid": "3f4e8a44-1d4e-4a3c-8f5f-7a2d7f8c1111"}],
    }  # fmt: skip
    await server.api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    await until_gone(lambda: child(server))


async def test_a_deletion_with_another_uid_is_a_conflict(server: Any) -> None:
    await server.api.create(server.model())
    options = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": "3f4e8a44-1d4e-4a3c-8f5f-7a2d7f8c1111"}}
    answer = await server.http("DELETE", f"{server.path()}/m", options)
    assert (answer.status, answer.body["reason"]) == (409, "Conflict")
    assert answer.body["message"].startswith(
        'Operation cannot be fulfilled on ModelDeployment.headgate.dev "m": the UID in the precondition '
        "(3f4e8a44-1d4e-4a3c-8f5f-7a2d7f8c1111) does not match the UID in record ("
    )


async def test_a_namespace_goes_with_everything_in_it_and_takes_nothing_new(server: Any) -> None:
    obj = server.model()
    obj["metadata"]["finalizers"] = ["example.com/hold"]
    await server.api.create(obj)
    answer = await server.http("DELETE", f"/api/v1/namespaces/{server.namespace}")
    assert answer.body["status"]["phase"] == "Terminating"
    refused = await server.http("POST", server.path(), server.model("late"))
    assert (refused.status, refused.body["reason"]) == (403, "Forbidden")
    assert "because it is being terminated" in refused.body["message"]
    await server.api.merge_patch("headgate.dev/v1alpha1", "modeldeployments", server.namespace, "m", {"metadata": {"finalizers": None}})
    await until_gone(lambda: server.api.get("v1", "namespaces", None, server.namespace))


async def test_a_pod_on_a_node_waits_for_its_kubelet(server: Any) -> None:
    meta = {"name": "p", "namespace": server.namespace}
    spec = {"nodeName": "n", "automountServiceAccountToken": False, "containers": [{"name": "c", "image": "i:1"}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}

    async def allowed() -> bool:
        return (await server.http("POST", server.path("pods", "/api/v1"), pod)).status != 403

    await eventually(allowed)  # a real server refuses Pods until the namespace has its ServiceAccount
    path = server.path("pods", "/api/v1") + "/p"
    marked = (await server.http("DELETE", path)).body
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 30
    assert (await server.http("GET", path)).status == 200
    await server.http("DELETE", path, {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0})
    assert (await server.http("GET", path)).status == 404
