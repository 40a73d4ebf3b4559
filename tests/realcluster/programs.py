"""Which real API server the tests can have: one that runs already, programs from elsewhere, or the one built by `make cluster-binaries`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

KUBECONFIG = "HEADGATE_TEST_KUBECONFIG"
ASSETS = "KUBEBUILDER_ASSETS"
REQUIRED = "HEADGATE_REQUIRE_REAL_API"
BUILT = Path(__file__).parents[2] / "build" / "cluster" / "kube-control-plane"


class NoRealApiError(Exception):
    """There is no real API server to be had; the message says what would change that."""


@dataclass(frozen=True)
class Programs:
    """How to start each part of a control plane: the first words of its command line."""

    etcd: tuple[str, ...]
    apiserver: tuple[str, ...]
    controller_manager: tuple[str, ...] | None
    """None if there is none: nothing is collected as garbage then, and namespaces get no ServiceAccount."""


def find_programs(environment: Mapping[str, str] = os.environ, built: Path = BUILT) -> Programs:
    """The programs to use, those that the environment names first.

    Raises:
        NoRealApiError: nothing was built, and the environment names no usable folder.
    """
    if folder := environment.get(ASSETS):
        return _from_folder(Path(folder))
    if not os.access(built, os.X_OK):
        msg = (
            f"no real API server: run `make cluster-binaries` (needs Go), or set {ASSETS} to a folder with etcd and kube-apiserver, "
            f"or {KUBECONFIG} to the kubeconfig of a cluster for tests"
        )
        raise NoRealApiError(msg)
    return Programs(*((str(built), name) for name in ("etcd", "kube-apiserver", "kube-controller-manager")))


def _from_folder(folder: Path) -> Programs:
    for name in ("etcd", "kube-apiserver"):
        if not os.access(folder / name, os.X_OK):
            msg = f"no real API server: {ASSETS} is {folder}, where there is no program {name}"
            raise NoRealApiError(msg)
    manager = folder / "kube-controller-manager"
    return Programs((str(folder / "etcd"),), (str(folder / "kube-apiserver"),), (str(manager),) if os.access(manager, os.X_OK) else None)
