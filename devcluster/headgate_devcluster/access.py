"""How to reach an API server: address, identity, trust; and the same as a kubeconfig for others."""

import base64
import ssl
from dataclasses import dataclass, field
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Access:
    """Where an API server is, and who one is there."""

    url: str
    token: str = field(default="", repr=False)
    """Empty: nobody, as the devcluster's own server takes it."""
    authority: str = ""
    """Certificates of the server's authority as PEM; empty for plain HTTP."""

    def headers(self) -> dict[str, str]:
        """What tells the server who we are."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def trust(self) -> ssl.SSLContext | bool:
        """What aiohttp checks the server's certificate with."""
        return ssl.create_default_context(cadata=self.authority) if self.authority else True


def write_kubeconfig(path: Path, access: Access | str, *, namespace: str = "default") -> Path:
    """Write a kubeconfig, readable by its owner alone; return its path."""
    name = "headgate-devcluster"
    access = Access(access) if isinstance(access, str) else access
    authority = {"certificate-authority-data": base64.b64encode(access.authority.encode()).decode()} if access.authority else {}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": access.url, **authority}}],
        "users": [{"name": name, "user": {"token": access.token} if access.token else {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": namespace}}],
        "current-context": name,
    }
    path.touch(mode=0o600)
    path.chmod(0o600)  # one that was there before keeps its own mode
    path.write_text(yaml.safe_dump(config, sort_keys=False), "utf-8")
    return path
