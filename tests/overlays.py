"""What manifests/overlays installs, as kubectl renders it: as it is, and with all that is commented out; and our own
rules of security for what is in there.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import yaml

Object = dict[str, Any]

MANIFESTS: Final = Path(__file__).parents[1] / "manifests"
KUBECTL: Final = shutil.which("kubectl")
NEEDS_KUBECTL: Final = "kubectl, which renders kustomizations, is not installed"
OVERLAYS: Final = sorted(path.name for path in (MANIFESTS / "overlays").iterdir())
INSTALLATIONS: Final = [*OVERLAYS, *(f"{overlay} with everything" for overlay in OVERLAYS)]
E2E: Final = [obj for path in sorted(Path(__file__).parent.glob("e2e/*.yaml")) for obj in yaml.load_all(path.read_text(), yaml.CSafeLoader)]
"""What `make e2e` applies besides an overlay."""

POLICED: Final = {"Deployment", "StatefulSet"}

_COMMENTED_OUT: Final = re.compile(r"^# (components:|  - \.\./)", re.MULTILINE)


@cache
def rendered(installation: str) -> list[Object]:
    """The objects of one of INSTALLATIONS. Nobody may change them."""
    overlay, _, everything = installation.partition(" ")
    if not everything:
        return kustomized(MANIFESTS / "overlays" / overlay)
    with TemporaryDirectory() as folder:
        copy = shutil.copytree(MANIFESTS, Path(folder, "manifests"))
        for path in copy.glob("overlays/**/kustomization.yaml"):
            path.write_text(_COMMENTED_OUT.sub(r"\1", path.read_text()))
        return kustomized(copy / "overlays" / overlay)


def kustomized(folder: Path) -> list[Object]:
    """The objects that the kustomization in a folder stands for."""
    command = [str(KUBECTL), "kustomize", str(folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return list(yaml.load_all(done.stdout, yaml.CSafeLoader))


def of_kind(objects: Iterable[Object], *kinds: str) -> list[Object]:
    return [obj for obj in objects if obj["kind"] in kinds]


def pods(objects: Iterable[Object]) -> Iterator[tuple[str, Object]]:
    """Every pod template or runtime with a name for messages."""
    for obj in of_kind(objects, *POLICED):
        yield f"{obj['kind']} {obj['metadata']['name']}", obj["spec"]["template"]["spec"]
    for obj in of_kind(objects, "ServingRuntime", "ClusterServingRuntime"):
        yield f"{obj['kind']} {obj['metadata']['name']}", obj["spec"]


def breaches(pod: Object) -> Iterator[str]:
    """What breaks our rules, which are those of the Pod Security Standard `restricted` and a few of our own."""
    for forbidden in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(forbidden):
            yield forbidden
    if any("hostPath" in volume for volume in pod.get("volumes", ())):
        yield "hostPath"
    for container in (*pod["containers"], *pod.get("initContainers", ())):
        security = pod.get("securityContext", {}) | container.get("securityContext", {})
        wanted = {
            "runAsNonRoot": True, "readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
        }  # fmt: skip
        yield from (key for key, value in wanted.items() if security.get(key) != value)
        if security.get("privileged") or security.get("runAsUser") == 0:
            yield "privileged or root"
        if container["image"].rpartition(":")[2] in {"latest", container["image"]}:
            yield "an image without a version"
        resources = container.get("resources", {})
        if not {"cpu", "memory"} <= resources.get("requests", {}).keys() or "memory" not in resources.get("limits", {}):
            yield "no requests, or no limit of memory"
        if not {"readinessProbe", "livenessProbe"} <= container.keys():
            yield "no probes"
