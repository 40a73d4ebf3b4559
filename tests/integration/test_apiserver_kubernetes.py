"""The API server double under the official client, kubernetes.aio."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio import client, config, watch
from kubernetes.aio.client.exceptions import ApiException

from headgate_devcluster.access import write_kubeconfig
from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.apiserver import ApiServer
from headgate_operator.api.crd import crd

PLACE = {"group": "headgate.dev", "version": "v1alpha1", "namespace": "ml", "plural": "modeldeployments"}


def model(**spec: Any) -> dict[str, Any]:
    served = {"uri": "s3://models/m/1", "format": {"name": "xgboost"}, "runtime": "headgate-xgboost"}
    return {
        "apiVersion": "headgate.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": "m", "namespace": "ml"},
        "spec": {"model": served, **spec},
    }


@pytest.fixture
async def kube(tmp_path: Path) -> AsyncIterator[client.ApiClient]:
    async with ApiServer() as server, ApiClient(server.url) as api:
        await api.create(crd())
        await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}})
        configuration = client.Configuration()
        path = write_kubeconfig(tmp_path / "kubeconfig", server.url)
        await config.load_kube_config(config_file=str(path), client_configuration=configuration)
        async with client.ApiClient(configuration) as kube:
            yield kube


async def test_custom_objects_are_created_patched_replaced_and_deleted(kube: client.ApiClient) -> None:
    api = client.CustomObjectsApi(kube)
    created = await api.create_namespaced_custom_object(**PLACE, body=model())
    assert created["metadata"]["generation"] == 1
    kube.set_default_header("Content-Type", "application/merge-patch+json")
    patched = await api.patch_namespaced_custom_object(**PLACE, name="m", body={"spec": {"rollout": {"historyLimit": 7}}})
    assert (patched["spec"]["rollout"]["historyLimit"], patched["metadata"]["generation"]) == (7, 2)
    kube.default_headers.pop("Content-Type")
    patched["status"] = {"phase": "Pending"}
    written = await api.replace_namespaced_custom_object_status(**PLACE, name="m", body=patched)
    assert written["status"] == {"phase": "Pending"}
    with pytest.raises(ApiException) as stale:
        await api.replace_namespaced_custom_object_status(**PLACE, name="m", body=patched)
    assert stale.value.status == 409
    assert json.loads(stale.value.body)["reason"] == "Conflict"
    listed = await api.list_namespaced_custom_object(**PLACE)
    assert [item["metadata"]["name"] for item in listed["items"]] == ["m"]
    wrong = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid="other"))
    with pytest.raises(ApiException) as other:
        await api.delete_namespaced_custom_object(**PLACE, name="m", body=wrong)
    assert other.value.status == 409
    right = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid=created["metadata"]["uid"]))
    await api.delete_namespaced_custom_object(**PLACE, name="m", body=right)
    with pytest.raises(ApiException) as gone:
        await api.get_namespaced_custom_object(**PLACE, name="m")
    assert gone.value.status == 404


async def test_typed_kinds_survive_the_trip(kube: client.ApiClient) -> None:
    core = client.CoreV1Api(kube)
    body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="c"), data={"golden.json": "{}"})
    created = await core.create_namespaced_config_map("ml", body)
    assert created.metadata.uid
    found = await core.list_namespaced_config_map("ml", label_selector="!x")
    assert [item.data for item in found.items] == [{"golden.json": "{}"}]


async def test_a_watch_gets_every_change(kube: client.ApiClient) -> None:
    api = client.CustomObjectsApi(kube)
    created = await api.create_namespaced_custom_object(**PLACE, body=model())
    await api.delete_namespaced_custom_object(**PLACE, name="m")
    before = str(int(created["metadata"]["resourceVersion"]) - 1)
    async with watch.Watch() as stream:
        seen = [
            event["type"]
            async for event in stream.stream(api.list_namespaced_custom_object, **PLACE, resource_version=before, timeout_seconds=1)
        ]
    assert seen == ["ADDED", "DELETED"]
