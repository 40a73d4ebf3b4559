"""`headgate doctor` before a real API server: its version, its clock, its definitions, and what a ServiceAccount may really do."""

import asyncio
import json
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner

from headgate_devcluster.access import write_kubeconfig
from headgate_operator.cli.main import main

RBAC = "rbac.authorization.k8s.io/v1"
RULES = Path(__file__).parents[2] / "manifests" / "rbac"


async def findings(server: Any, kubeconfig: Path) -> dict[str, list[Any]]:
    options = ["-n", server.namespace, "--operator-namespace", server.namespace, "--kubeconfig", str(kubeconfig), "-o", "json"]
    result = await asyncio.to_thread(CliRunner().invoke, main, ["doctor", *options])
    found: dict[str, list[Any]] = {}
    for finding in json.loads(result.output)["findings"]:
        found.setdefault(finding["check"], []).append(finding)
    return found


async def grant(server: Any) -> None:
    """Give the ServiceAccount of that namespace the rules of the manifests, under names of the test's own."""
    subject = {"kind": "ServiceAccount", "name": "headgate-operator", "namespace": server.namespace}
    for file, kind, namespace in (("clusterrole.yaml", "ClusterRole", None), ("role.yaml", "Role", server.namespace)):
        metadata = {"name": server.namespace, **({"namespace": namespace} if namespace else {})}
        rules = yaml.safe_load((RULES / file).read_text())["rules"]
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": server.namespace}
        role = {"apiVersion": RBAC, "kind": kind, "metadata": metadata, "rules": rules}
        binding = {"apiVersion": RBAC, "kind": f"{kind}Binding", "metadata": metadata, "roleRef": reference, "subjects": [subject]}
        for obj in (role, binding):
            await server.api.apply(obj, field_manager="test")


async def test_it_says_of_a_real_server_what_it_says_of_the_double(server: Any, tmp_path: Path) -> None:
    kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", server.access, namespace=server.namespace)
    found = await findings(server, kubeconfig)
    for check in ("cluster", "clocks", "definitions"):
        assert {finding["level"] for finding in found[check]} == {"ok"}, found[check]
    assert found["kserve"][0]["level"] == found["operator"][0]["level"] == "unknown", "neither is installed here"
    if server.real:  # the double was started without RBAC: everybody may do everything
        (refused,) = found["rights"]
        assert refused["level"] == "failed"
        assert f"{server.namespace}:headgate-operator may not get modeldeployments.headgate.dev" in refused["message"]
        await grant(server)
        found = await findings(server, kubeconfig)
        for plural in ("clusterroles", "clusterrolebindings"):
            await server.api.delete(RBAC, plural, None, server.namespace)
    (rights,) = found["rights"]
    assert rights["level"] == "ok", rights
