"""RBAC switched on in the devcluster: what clients are told, and the operator with the rights of its manifests and no others."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from headgate_devcluster.access import Access
from headgate_devcluster.apiclient import ApiClient, ApiError
from headgate_devcluster.apiserver import ApiServer
from headgate_devcluster.cluster import Cluster
from tests.scene import Scene

ROLE = Path(__file__).parents[2] / "manifests" / "rbac" / "clusterrole.yaml"
RBAC = {"apiVersion": "rbac.authorization.k8s.io/v1"}


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    async with ApiServer(rbac=True) as server:
        yield server


@pytest.fixture
async def admin(server: ApiServer) -> AsyncIterator[ApiClient]:
    async with ApiClient(Access(server.url, server.administrator)) as api:
        await api.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader", "namespace": "default"}})
        yield api


@pytest.fixture
async def reader(server: ApiServer, admin: ApiClient) -> AsyncIterator[ApiClient]:
    async with ApiClient(Access(server.url, await admin.token("default", "reader"))) as api:
        yield api


def config_map(name: str = "c") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}


async def grant(admin: ApiClient, *verbs: str) -> None:
    meta = {"name": "r", "namespace": "default"}
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": list(verbs)}]
    await admin.apply(RBAC | {"kind": "Role", "metadata": meta, "rules": rules}, field_manager="t")
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
    subjects = [{"kind": "ServiceAccount", "name": "reader"}]
    await admin.apply(RBAC | {"kind": "RoleBinding", "metadata": meta, "roleRef": reference, "subjects": subjects}, field_manager="t")


async def test_nobody_and_bad_tokens_are_refused(server: ApiServer) -> None:
    for token, status, sentence in (
        ("", 403, 'User "system:anonymous" cannot list resource "configmaps" in API group "" in the namespace "default"'),
        ("nonsense", 401, "Unauthorized"),
    ):
        async with ApiClient(Access(server.url, token)) as api:
            with pytest.raises(ApiError) as caught:
                await api.list("v1", "configmaps", "default")
            assert (caught.value.status, sentence in str(caught.value)) == (status, True), caught.value


async def test_a_right_counts_from_the_moment_it_is_given_until_it_is_taken(admin: ApiClient, reader: ApiClient) -> None:
    with pytest.raises(ApiError, match=r'configmaps is forbidden: User "system:serviceaccount:default:reader" cannot list'):
        await reader.list("v1", "configmaps", "default")
    await grant(admin, "list")
    assert await reader.list("v1", "configmaps", "default") == []
    await admin.delete("rbac.authorization.k8s.io/v1", "rolebindings", "default", "r")
    with pytest.raises(ApiError, match="is forbidden"):
        await reader.list("v1", "configmaps", "default")


async def test_applying_what_does_not_exist_needs_the_right_to_create(admin: ApiClient, reader: ApiClient) -> None:
    await grant(admin, "patch")
    with pytest.raises(ApiError, match='cannot create resource "configmaps"'):
        await reader.apply(config_map(), field_manager="t")
    await admin.create(config_map())
    await reader.apply(config_map() | {"data": {"a": "b"}}, field_manager="t")


async def test_the_operator_serves_a_version_with_the_rights_of_its_manifests_and_no_others(tmp_path: Path, make_export: Any) -> None:
    allowed = {
        (group, resource, verb)
        for rule in yaml.safe_load(ROLE.read_text())["rules"]
        for group in rule["apiGroups"] for resource in rule["resources"] for verb in rule["verbs"]
    }  # fmt: skip
    async with Cluster(tmp_path / "cluster", rbac=True) as cluster:
        (user,) = yaml.safe_load(cluster.kubeconfig.read_text())["users"]
        assert user["user"]["token"]
        scene, export = Scene(cluster), make_export(tmp_path / "models", "1")
        await scene.apply(export)
        await scene.serving(export)
        calls = cluster.faults.audit.of("kopf") + cluster.faults.audit.of("OpenAPI-Generator")
    assert [item for item in calls if item.code in {401, 403}] == []
    used = {(item.call.group, item.call.path, item.call.verb) for item in calls if item.call.resource != "leases"}
    assert ("headgate.dev", "modeldeployments/status", "update") in used
    assert used <= allowed
