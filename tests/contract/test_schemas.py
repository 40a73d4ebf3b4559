"""What manifests/overlays installs obeys the schemas of Kubernetes and of those whose kinds it uses, by kubeconform, strictly.

Beside the dry run on a real API server this needs no cluster of the reader's, knows the Gateway API in full, and finds duplicate keys.
"""

import json
import os
import ssl
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from headgate_devcluster.access import Access
from headgate_devcluster.apiserver.server import own_definitions
from headgate_operator.api.crd import crd
from tests import schemas
from tests.overlays import E2E, INSTALLATIONS, KUBECTL, NEEDS_KUBECTL, rendered
from tests.realcluster.controlplane import ControlPlane
from tests.realcluster.definitions import full_definitions, published_definitions
from tests.realcluster.programs import REQUIRED

pytestmark = [pytest.mark.real_api, pytest.mark.kubectl, pytest.mark.skipif(KUBECTL is None, reason=NEEDS_KUBECTL)]

KUBECONFORM = Path(__file__).parents[2] / "build" / "cluster" / "kubeconform"
GROUPS = [
    "api/v1", "apis/apps/v1", "apis/rbac.authorization.k8s.io/v1", "apis/networking.k8s.io/v1", "apis/policy/v1",
    "apis/apiextensions.k8s.io/v1",
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    if not (os.access(KUBECONFORM, os.X_OK) and published_definitions()):
        missing = "kubeconform and published definitions are not here: run `make cluster-binaries` (needs Go)"
        pytest.fail(missing, pytrace=False) if os.environ.get(REQUIRED) else pytest.skip(missing)


@pytest.fixture(scope="module")
def folder(real_server: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The schema of every kind that may be in an overlay."""
    folder = tmp_path_factory.mktemp("schemas")
    documents = {group: openapi(real_server.access, group) for group in GROUPS}
    for document in documents.values():
        schemas.write_built_in(folder, document)
    metadata = schemas.part_of(documents["api/v1"], schemas.METADATA)
    for definition in (*own_definitions(), *full_definitions()[1], *published_definitions(), crd()):  # the last one of a kind counts
        schemas.write_defined(folder, definition, metadata)
    return folder


def openapi(access: Access, group: str) -> Any:
    request = urllib.request.Request(f"{access.url}/openapi/v3/{group}", headers=access.headers())
    trust = ssl.create_default_context(cadata=access.authority)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    with opener.open(request, timeout=30) as answer:
        return json.load(answer)


def kubeconform(folder: Path, documents: str) -> tuple[int, str]:
    command = [str(KUBECONFORM), "-strict", "-summary", "-n=2", f"-schema-location={folder}/{schemas.LOCATION}", "-"]
    done = subprocess.run(command, input=documents, check=False, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_every_overlay_obeys_every_schema(folder: Path) -> None:
    objects = {json.dumps(obj) for installation in INSTALLATIONS for obj in rendered(installation)}  # most are in many of them
    objects |= {json.dumps(obj) for obj in E2E}
    code, said = kubeconform(folder, "\n---\n".join(objects))
    assert (code, f"Summary: {len(objects)} resources found" in said, f"Valid: {len(objects)}" in said) == (0, True, True), said


def broken(kind: str, *path: Any, value: object = "x") -> str:
    """An object of an overlay with one field set to what it cannot be."""
    (obj,) = [obj for obj in (*rendered("kind"), *rendered("monitor with everything")) if obj["kind"] == kind][:1]
    changed = node = yaml.safe_load(yaml.safe_dump(obj))
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = value
    return yaml.safe_dump(changed)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (lambda: broken("Deployment", "spec", "template", "spec", "containers", 0, "imagePullPolice"), "'imagePullPolice' not allowed"),
        (lambda: broken("Deployment", "spec", "replicas"), "got string, want integer"),
        (lambda: broken("NetworkPolicy", "spec", "egres", value=[]), "'egres' not allowed"),
        (lambda: broken("Gateway", "spec", "listeners", 0, "allowedRoutes", "namespaces", "from"), "value must be one of"),
        (lambda: broken("EnvoyProxy", "spec", "provider", "kubernetes", "envoyServices", value={}), "'envoyServices' not allowed"),
        (lambda: broken("ServiceMonitor", "spec", "endpoints", 0, "intervall"), "'intervall' not allowed"),
        (lambda: broken("PersistentVolume", "metadata", "lables", value={}), "'lables' not allowed"),
        (lambda: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {}\ndata: {}\n", 'key "data" already set in map'),
        (lambda: "apiVersion: v1\nkind: ConfigMaps\nmetadata: {name: a}\n", "could not find schema for ConfigMaps"),
    ],
)  # fmt: skip
def test_what_disobeys_is_found(folder: Path, document: Any, said: str) -> None:
    code, output = kubeconform(folder, document())
    assert code == 1
    assert said in output
