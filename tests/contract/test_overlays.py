"""What manifests/overlays installs is taken by a real API server, field by field, with `kubectl apply`."""

import asyncio
import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from headgate_devcluster.access import write_kubeconfig
from tests.overlays import E2E, INSTALLATIONS, KUBECTL, NEEDS_KUBECTL, Object, rendered
from tests.realcluster.definitions import definitions_beside_kserve

pytestmark = [pytest.mark.kubectl, pytest.mark.skipif(KUBECTL is None, reason=NEEDS_KUBECTL)]


async def dry_run(server: Any, folder: Path, objects: list[Object]) -> tuple[int, str]:
    """Apply them without keeping any; the exit code, and what kubectl printed."""
    kubeconfig = write_kubeconfig(folder / "kubeconfig", server.access)
    process = await asyncio.create_subprocess_exec(
        str(KUBECTL), "apply", "--server-side", "--dry-run=server", "--field-manager=tests", "--force-conflicts", "-f", "-",
        env={"HOME": str(folder), "KUBECONFIG": str(kubeconfig), "NO_PROXY": "127.0.0.1"},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(120):
            printed, _ = await process.communicate(yaml.safe_dump_all(objects).encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, printed.decode()


def moved(obj: Object, namespace: str) -> Object:
    """The object in another namespace, for a dry run creates none."""
    return obj | {"metadata": obj["metadata"] | ({"namespace": namespace} if "namespace" in obj["metadata"] else {})}


async def warn_of_unrestricted_pods(server: Any) -> None:
    labels = {"pod-security.kubernetes.io/warn": "restricted"}
    await server.api.merge_patch("v1", "namespaces", None, server.namespace, {"metadata": {"labels": labels}})


@pytest.mark.parametrize("server", [pytest.param("real", marks=pytest.mark.real_api)], indirect=True)
@pytest.mark.parametrize("installation", INSTALLATIONS)
async def test_an_overlay_is_accepted_whole(server: Any, tmp_path: Path, installation: str) -> None:
    known = [obj for obj in rendered(installation) if await server.api.serves(obj["apiVersion"], obj["kind"])]
    left_out = {obj["apiVersion"] for obj in rendered(installation)} - {obj["apiVersion"] for obj in known}
    served = {definition["spec"]["group"] for definition in definitions_beside_kserve()}
    assert {version.partition("/")[0] for version in left_out} <= {"monitoring.coreos.com", "gateway.envoyproxy.io"} - served
    await warn_of_unrestricted_pods(server)
    code, printed = await dry_run(server, tmp_path, [moved(obj, server.namespace) for obj in known])
    assert code == 0, printed
    assert printed.count("serverside-applied (server dry run)") == len(known), printed
    assert "Warning" not in printed


@pytest.mark.parametrize("server", [pytest.param("real", marks=pytest.mark.real_api)], indirect=True)
async def test_what_the_end_to_end_tests_apply_is_accepted(server: Any, tmp_path: Path) -> None:
    await warn_of_unrestricted_pods(server)
    code, printed = await dry_run(server, tmp_path, [moved(obj, server.namespace) for obj in E2E])
    assert (code, printed.count("serverside-applied (server dry run)")) == (0, len(E2E)), printed
    assert "Warning" not in printed


@pytest.mark.parametrize("server", [pytest.param("real", marks=pytest.mark.real_api)], indirect=True)
async def test_misspelled_fields_are_refused_and_pods_with_privileges_warned_of(server: Any, tmp_path: Path) -> None:
    await warn_of_unrestricted_pods(server)
    objects = {obj["kind"]: moved(obj, server.namespace) for obj in rendered("monitor")}
    policy, privileged = objects["NetworkPolicy"], copy.deepcopy(objects["StatefulSet"])
    code, printed = await dry_run(server, tmp_path, [policy | {"spec": policy["spec"] | {"egres": []}}])
    assert code == 1
    assert ".spec.egres: field not declared in schema" in printed
    privileged["spec"]["template"]["spec"]["hostNetwork"] = True
    _, printed = await dry_run(server, tmp_path, [privileged])
    assert "would violate PodSecurity" in printed
