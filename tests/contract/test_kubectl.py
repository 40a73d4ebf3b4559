"""What people see: kubectl itself. The same answers are checked over plain HTTP beside it, with or without the program."""

import asyncio
import os
import shutil
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from headgate_devcluster.access import write_kubeconfig

KUBECTL = shutil.which("kubectl")
pytestmark = [pytest.mark.kubectl, pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed: its checks are skipped")]

MANIFEST = """
apiVersion: headgate.dev/v1alpha1
kind: ModelDeployment
metadata: {name: flight-delay}
spec:
  model: {uri: s3://models/flight-delay/7, format: {name: xgboost, version: "3"}, runtime: headgate-xgboost}
"""

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec:
  selector: {matchLabels: {app: d}}
  template:
    metadata: {labels: {app: d}}
    spec: {containers: [{name: kept, image: "i:1"}, {name: dropped, image: "i:1"}]}
"""


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Kubectl = Callable[..., Coroutine[Any, Any, Outcome]]


@pytest.fixture
async def kubectl(server: Any, tmp_path: Path) -> Kubectl:
    """`kubectl(*arguments, given="text on stdin")` in the test's namespace."""
    kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", server.access, namespace=server.namespace)
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "KUBECONFIG": str(kubeconfig), "NO_PROXY": "127.0.0.1"}

    async def run(*arguments: str, given: str = "") -> Outcome:
        process = await asyncio.create_subprocess_exec(
            str(KUBECTL),
            *arguments,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(120):
                out, err = await process.communicate(given.encode())
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()
        return Outcome(process.returncode or 0, out.decode(), err.decode())

    return run


def edited(manifest: str, **spec: Any) -> str:
    obj = yaml.safe_load(manifest)
    obj["spec"] |= spec
    return yaml.safe_dump(obj)


async def test_apply_get_describe_and_delete(kubectl: Kubectl) -> None:
    assert (await kubectl("wait", "--for=condition=Established", "crd/modeldeployments.headgate.dev", "--timeout=60s")).code == 0
    assert (await kubectl("apply", "-f", "-", given=MANIFEST)).out == "modeldeployment.headgate.dev/flight-delay created\n"
    assert (await kubectl("apply", "-f", "-", given=MANIFEST)).out == "modeldeployment.headgate.dev/flight-delay unchanged\n"
    changed = edited(MANIFEST, rollout={"historyLimit": 7})
    assert (await kubectl("apply", "-f", "-", given=changed)).out == "modeldeployment.headgate.dev/flight-delay configured\n"
    header, row = (await kubectl("get", "mdep")).out.splitlines()
    assert header.split() == ["NAME", "PHASE", "STABLE", "CANDIDATE", "WEIGHT", "READY", "REASON", "AGE"]
    assert row.split()[0] == "flight-delay"
    found = yaml.safe_load((await kubectl("get", "mdep", "flight-delay", "-o", "yaml")).out)
    assert found["spec"]["rollout"]["historyLimit"] == 7
    assert "Runtime:    headgate-xgboost" in (await kubectl("describe", "mdep", "flight-delay")).out
    assert "deleted" in (await kubectl("delete", "mdep", "flight-delay")).out
    assert "No resources found" in (await kubectl("get", "mdep")).err


@pytest.mark.parametrize("side", [(), ("--server-side",)])
async def test_a_list_is_applied_object_by_object(kubectl: Kubectl, side: tuple[str, ...]) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "golden"}, "data": {"a": "b"}}
    both = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [config, yaml.safe_load(MANIFEST)]})
    how = "serverside-applied" if side else "created"
    outcome = await kubectl("apply", *side, "-f", "-", given=both)
    assert outcome.out == f"configmap/golden {how}\nmodeldeployment.headgate.dev/flight-delay {how}\n", outcome.err
    wrong = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [yaml.safe_load(edited(MANIFEST, rolout={}))]})
    refused = await kubectl("apply", *side, "-f", "-", given=wrong)
    assert refused.code == 1
    assert "rolout" in refused.err


async def test_client_side_apply_removes_what_the_manifest_no_longer_names(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", given=edited(MANIFEST, rollout={"steps": [{"weight": 5}]}))
    await kubectl("apply", "-f", "-", given=MANIFEST)
    found = yaml.safe_load((await kubectl("get", "mdep", "flight-delay", "-o", "yaml")).out)
    assert "steps" not in found["spec"]["rollout"]


async def test_server_side_apply_takes_over_from_client_side_and_tells_conflicts(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", given=edited(MANIFEST, rollout={"historyLimit": 6}))
    taken = await kubectl("apply", "--server-side", "-f", "-", given=edited(MANIFEST, rollout={"historyLimit": 7}))
    assert taken.out == "modeldeployment.headgate.dev/flight-delay serverside-applied\n", taken.err
    other = edited(MANIFEST, rollout={"historyLimit": 8})
    refused = await kubectl("apply", "--server-side", "--field-manager=other", "-f", "-", given=other)
    assert 'Apply failed with 1 conflict: conflict with "kubectl": .spec.rollout.historyLimit' in refused.err
    assert (await kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=other", "-f", "-", given=other)).code == 0


async def test_a_built_in_kind_is_applied_by_strategic_merge(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", given=DEPLOYMENT)
    smaller = DEPLOYMENT.replace(', {name: dropped, image: "i:1"}', "").replace('"i:1"', '"i:2"')
    assert (await kubectl("apply", "-f", "-", given=smaller)).out == "deployment.apps/d configured\n"
    images = await kubectl("get", "deploy", "d", "-o", "jsonpath={.spec.template.spec.containers[*].image}")
    assert images.out == "i:2"


async def test_patch_annotate_and_label(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", given=MANIFEST)
    for arguments in (
        ("patch", "mdep", "flight-delay", "--type=merge", "-p", '{"spec": {"rollout": {"historyLimit": 7}}}'),
        ("patch", "mdep", "flight-delay", "--type=json", "-p", '[{"op": "remove", "path": "/spec/rollout/historyLimit"}]'),
        ("annotate", "mdep", "flight-delay", "headgate.dev/command=abort@r3f9a1c02"),
        ("label", "mdep", "flight-delay", "team=ops"),
    ):
        outcome = await kubectl(*arguments)
        assert outcome.code == 0, outcome.err
    found = yaml.safe_load((await kubectl("get", "mdep", "-l", "team=ops", "-o", "yaml")).out)["items"][0]
    assert found["metadata"]["annotations"]["headgate.dev/command"] == "abort@r3f9a1c02"


async def test_wait_sees_a_condition_that_comes_later(kubectl: Kubectl, server: Any) -> None:
    await kubectl("apply", "-f", "-", given=MANIFEST)
    waiting = asyncio.create_task(kubectl("wait", "mdep/flight-delay", "--for=condition=Ready", "--timeout=60s"))
    condition = {
        "type": "Ready", "status": "True", "reason": "Serving", "message": "", "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    status = {"status": {"conditions": [condition], "phase": "Healthy"}}
    await server.api.merge_patch(
        "headgate.dev/v1alpha1", "modeldeployments", server.namespace, "flight-delay", status, subresource="status"
    )
    outcome = await waiting
    assert outcome.out == "modeldeployment.headgate.dev/flight-delay condition met\n", outcome.err
    assert (await kubectl("get", "mdep")).out.splitlines()[1].split()[:4] == ["flight-delay", "Healthy", "True", "Serving"]


@pytest.mark.parametrize(
    ("change", "side", "told"),
    [
        ({"rolout": {}}, (), 'strict decoding error: unknown field "spec.rolout"'),
        ({"rolout": {}}, ("--server-side",), ".spec.rolout: field not declared in schema"),
        ({"rollout": {"steps": [{"weight": 9}, {"weight": 3}]}}, (), "weights of the steps must rise"),
        ({"rollout": {"steps": [{"weight": 9}, {"weight": 3}]}}, ("--server-side",), "weights of the steps must rise"),
    ],
)
async def test_bad_manifests_are_refused_with_a_sentence(
    kubectl: Kubectl, change: dict[str, Any], side: tuple[str, ...], told: str
) -> None:
    outcome = await kubectl("apply", *side, "-f", "-", given=edited(MANIFEST, **change))
    assert outcome.code == 1
    assert told in outcome.err


async def test_describe_shows_events(kubectl: Kubectl, server: Any) -> None:
    await kubectl("apply", "-f", "-", given=MANIFEST)
    obj = await server.api.get("headgate.dev/v1alpha1", "modeldeployments", server.namespace, "flight-delay")
    assert obj is not None
    regarding = {name: obj["metadata"][name] for name in ("name", "namespace", "uid")} | {
        "kind": "ModelDeployment",
        "apiVersion": obj["apiVersion"],
    }
    event = {
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "type": "Normal",
        "metadata": {"name": "flight-delay.1", "namespace": server.namespace},
        "eventTime": "2026-01-01T00:00:00.000001Z", "reportingController": "headgate.dev/operator", "reportingInstance": "headgate-0",
        "action": "Rollout", "reason": "RevisionPromoted", "note": "r3f9a1c02 serves all traffic", "regarding": regarding,
    }  # fmt: skip
    await server.api.create(event)
    assert "r3f9a1c02 serves all traffic" in (await kubectl("describe", "mdep", "flight-delay")).out
    listed = (await kubectl("get", "events")).out
    assert "RevisionPromoted" in listed
    assert "modeldeployment/flight-delay" in listed


async def test_explain_and_api_resources_know_the_definition(kubectl: Kubectl) -> None:
    await kubectl("get", "mdep")  # makes kubectl look again what there is: it has cached what was there before the definition
    assert "How many promoted revisions are kept" in (await kubectl("explain", "mdep.spec.rollout")).out
    assert "modeldeployments" in (await kubectl("api-resources", "--categories=kserve")).out


async def test_a_namespace_is_deleted_with_its_objects(kubectl: Kubectl, server: Any) -> None:
    await kubectl("apply", "-f", "-", given=MANIFEST)
    assert (await kubectl("delete", "namespace", server.namespace, "--timeout=60s")).code == 0
    assert "No resources found" in (await kubectl("get", "mdep")).err


async def test_get_watch_prints_a_row_for_every_change(kubectl: Kubectl, server: Any) -> None:
    await kubectl("apply", "-f", "-", given=MANIFEST)
    watching = asyncio.create_task(kubectl("get", "mdep", "-w", "--request-timeout=4s"))
    status: dict[str, Any] = {"status": {"phase": "Healthy", "conditions": []}}
    async with asyncio.timeout(60):
        while not watching.done():  # kubectl says nothing before it ends: it is told the same until then
            phase = "Pending" if status["status"]["phase"] == "Healthy" else "Healthy"
            status = {"status": {"phase": phase}}
            await server.api.merge_patch(
                "headgate.dev/v1alpha1", "modeldeployments", server.namespace, "flight-delay", status, subresource="status"
            )
            await asyncio.sleep(0.5)
    rows = [line.split()[:2] for line in (await watching).out.splitlines()]
    assert rows[0] == ["NAME", "PHASE"]
    assert ["flight-delay", "Healthy"] in rows
    assert ["flight-delay", "Pending"] in rows


async def test_built_in_kinds_are_created_without_a_file(kubectl: Kubectl, server: Any) -> None:
    for arguments, said in (
        (("configmap", "c", "--from-literal=a=b"), "configmap/c created"),
        (("secret", "generic", "s", "--from-literal=a=b"), "secret/s created"),
        (("serviceaccount", "sa"), "serviceaccount/sa created"),
        (("role", "r", "--verb=get", "--resource=pods"), "role.rbac.authorization.k8s.io/r created"),
        (("rolebinding", "b", "--role=r", f"--serviceaccount={server.namespace}:sa"), "rolebinding.rbac.authorization.k8s.io/b created"),
        (("deployment", "d", "--image=i:1", "--replicas=2", "--port=80"), "deployment.apps/d created"),
        (("service", "clusterip", "s", "--tcp=80:8080"), "service/s created"),
    ):
        outcome = await kubectl("create", *arguments)
        assert outcome.out == f"{said}\n", outcome.err
    assert (await kubectl("get", "cm", "c", "-o", "jsonpath={.data.a}")).out == "b"
    assert (await kubectl("get", "secret", "s", "-o", "jsonpath={.data.a}")).out == "Yg=="
    assert (await kubectl("get", "deploy", "d", "-o", "jsonpath={.spec.template.spec.containers[0].ports[0].containerPort}")).out == "80"
    assert (await kubectl("create", "token", "sa")).out.count(".") == 2
    assert (await kubectl("auth", "can-i", "delete", "pods")).out == "yes\n"


async def test_scale_sets_replicas_and_checks_those_it_found(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", given=DEPLOYMENT)
    assert (await kubectl("scale", "deploy/d", "--replicas=3")).out == "deployment.apps/d scaled\n"
    refused = await kubectl("scale", "deploy/d", "--replicas=1", "--current-replicas=2")
    assert "Expected replicas to be 2, was 3" in refused.err
    assert (await kubectl("scale", "deploy/d", "--replicas=0", "--current-replicas=3")).code == 0
    assert (await kubectl("get", "deploy", "d", "-o", "jsonpath={.spec.replicas}")).out == "0"
