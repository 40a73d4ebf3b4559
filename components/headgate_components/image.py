"""The image all components run in.

Its name must contain "python": kfp's local runner warns about any other. Its tag carries a hash of the code the steps run, because the
cache keys of Kubeflow Pipelines know the image and the inputs but not the code inside the image.
"""

import hashlib
import importlib.util
import os
from importlib.metadata import version
from pathlib import Path

REPOSITORY = "ghcr.io/headgate/headgate-python"
PACKAGES = ("headgate_components", "headgate_serving.model", "headgate_monitor.detectors")
OVERRIDE = "HEADGATE_IMAGE"
"""Environment variable: another image with the same packages, such as a mirror's or one pinned by digest."""


def source_hash() -> str:
    """12 hex digits that change with any code a step can run."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        for folder in spec.submodule_search_locations or () if spec else ():
            for path in sorted(Path(folder).rglob("*.py")):
                digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


BASE_IMAGE = os.environ.get(OVERRIDE) or f"{REPOSITORY}:{version('headgate')}-{source_hash()}"
