"""etcd, kube-apiserver and kube-controller-manager on loopback, with RBAC and tokens, for as long as a block lasts.

There is no kubelet and no Deployment controller: Pods and Deployments are what the devcluster's stand-ins make of them.
"""

import contextlib
import http.client
import secrets
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from headgate_devcluster.access import Access, write_kubeconfig
from headgate_devcluster.errors import free_port
from tests.realcluster.definitions import install_definitions
from tests.realcluster.processes import running
from tests.realcluster.programs import Programs

CONTROLLERS = "garbage-collector-controller,namespace-controller,serviceaccount-controller"
_AUDIT_POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived] # watches that go on are in the log since they started
rules: [{level: Metadata}]
"""


@dataclass(frozen=True)
class ControlPlane:
    """A real API server and what it can do."""

    access: Access
    """As an administrator."""
    collects_garbage: bool
    """Whether a controller manager runs."""
    audit_log: Path | None = None
    """One JSON object a line for every request; None if the server is not ours, or writes none."""


@contextlib.contextmanager
def control_plane(
    folder: Path, programs: Programs, *, definitions: Sequence[dict[str, Any]] = (), audit: bool = True
) -> Iterator[ControlPlane]:
    """Start a control plane that writes below `folder` and serves the kinds that Headgate needs; it ends with the block.

    `definitions` take the place of minimal ones of KServe and the Gateway API. Without `audit` no request is written down.

    Raises:
        ControlPlaneError: a part of it did not come up; nothing is left running then.
    """
    with contextlib.ExitStack() as stack:
        etcd = stack.enter_context(_etcd(folder, programs))
        access, audit_log = stack.enter_context(_apiserver(folder, programs, etcd, audit=audit))
        # Before the controller manager starts: its garbage collector looks for new kinds only twice a minute.
        install_definitions(access, definitions)
        if programs.controller_manager:
            stack.enter_context(_controller_manager(folder, programs.controller_manager, access))
        yield ControlPlane(access, programs.controller_manager is not None, audit_log)


@contextlib.contextmanager
def _etcd(folder: Path, programs: Programs) -> Iterator[str]:
    client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    flags = {
        "data-dir": folder / "etcd",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
        "unsafe-no-fsync": "true",
        "log-level": "error",
    }
    with running("etcd", [*programs.etcd, *_flags(flags)], log=folder / "etcd.log", ready=lambda: _healthy(client, "/health")):
        yield client


@contextlib.contextmanager
def _apiserver(folder: Path, programs: Programs, etcd: str, *, audit: bool) -> Iterator[tuple[Access, Path | None]]:
    port, token = free_port(), secrets.token_urlsafe(24)
    certificates, key, audit_log = folder / "certificates", _signing_key(folder), folder / "audit.log"
    (folder / "audit.yaml").write_text(_AUDIT_POLICY)
    (folder / "tokens.csv").write_text(f"{token},administrator,administrator,system:masters\n")
    flags = {
        "etcd-servers": etcd,
        "bind-address": "127.0.0.1",
        "advertise-address": "192.0.2.1",  # nobody asks for it, but loopback is refused
        "endpoint-reconciler-type": "none",
        "secure-port": port,
        "cert-dir": certificates,
        "service-account-key-file": key,
        "service-account-signing-key-file": key,
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-cluster-ip-range": "10.96.0.0/16",
        "token-auth-file": folder / "tokens.csv",
        "authorization-mode": "RBAC",
        "enable-admission-plugins": "OwnerReferencesPermissionEnforcement",  # as OpenShift has it: who blocks a deletion must be allowed to
    }
    if audit:
        flags |= {"audit-policy-file": folder / "audit.yaml", "audit-log-path": audit_log}
    url, certificate = f"https://127.0.0.1:{port}", certificates / "apiserver.crt"

    def ready() -> bool:
        return certificate.exists() and _healthy(url, "/readyz", token, certificate.read_text())

    with running("kube-apiserver", [*programs.apiserver, *_flags(flags)], log=folder / "kube-apiserver.log", ready=ready):
        yield Access(url, token, certificate.read_text()), audit_log if audit else None


@contextlib.contextmanager
def _controller_manager(folder: Path, program: tuple[str, ...], access: Access) -> Iterator[None]:
    port, certificates = free_port(), folder / "controller-manager"
    flags = {
        "kubeconfig": write_kubeconfig(folder / "controller-manager.kubeconfig", access),
        "controllers": CONTROLLERS,
        "leader-elect": "false",
        "bind-address": "127.0.0.1",
        "secure-port": port,
        "cert-dir": certificates,
    }
    certificate = certificates / "kube-controller-manager.crt"

    def ready() -> bool:
        return certificate.exists() and _healthy(f"https://127.0.0.1:{port}", "/healthz", "", certificate.read_text())

    with running("kube-controller-manager", [*program, *_flags(flags)], log=folder / "kube-controller-manager.log", ready=ready):
        yield


def _flags(values: dict[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in values.items()]


def _signing_key(folder: Path) -> Path:
    """A key that signs the tokens of ServiceAccounts."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = folder / "service-account.key"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    )
    return path


def _healthy(url: str, path: str, token: str = "", authority: str = "") -> bool:
    host = url.split("//")[1]
    connection = (
        http.client.HTTPSConnection(host, timeout=2, context=ssl.create_default_context(cadata=authority))
        if authority
        else http.client.HTTPConnection(host, timeout=2)
    )
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        return connection.getresponse().status == 200
    return False
