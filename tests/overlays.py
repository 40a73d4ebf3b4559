"""The installations that manifests/overlays offers, as kubectl renders them: as they are, and with all that they have commented out."""

import re
import shutil
import subprocess
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
