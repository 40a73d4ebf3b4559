"""What the operator is told when it starts: one frozen value, checked once."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from headgate_operator.api.quantities import format_duration
from headgate_operator.api.spec import EnvoyProvider, Gateway
from headgate_operator.controller.allowed import AllowList, parse_allow_list
from headgate_operator.controller.fleet import FleetSettings

RESYNC: Final = timedelta(minutes=5)
"""How often an object is looked at although nothing happened; each time up to a fifth more, so that objects spread out."""

DRAIN: Final = timedelta(seconds=10)
"""How long looks under way may take to finish once the process is asked to stop."""


_POD_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class SettingsError(ValueError):
    """A setting is wrong; the message names it and says what is allowed."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where our own HTTP server listens."""

    host: str
    port: int


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Operator-wide settings; `__main__` explains each one to people."""

    gateway: Gateway
    domain: str
    namespaces: tuple[str, ...] = ()
    """Empty: all of them."""
    envoy: EnvoyProvider | None = None
    """For objects that name no provider of their own."""
    allowed: AllowList = field(default_factory=AllowList)
    """Which URLs in manifests are asked."""
    monitor: str | None = None
    """Address of a namespace's drift monitor, with the placeholder {{namespace}}; None: there is none."""
    kubeconfig: Path | None = None
    """None: the service account of the pod."""
    health: Address | None = None
    workers: int = 8
    leader_election: bool = True
    lease_namespace: str = "default"
    lease_name: str = "headgate-operator"
    start_timeout: timedelta = timedelta(seconds=60)
    """How long the API server and its CRDs are waited for."""
    resync: timedelta = RESYNC
    fleet: FleetSettings = field(default_factory=FleetSettings)


def choose_lease_namespace(given: str | None, namespaces: tuple[str, ...]) -> str:
    """Return where the Lease lives: as told, else in the pod's own namespace, else (outside of a cluster) in the first one served."""
    if given:
        return given
    try:
        return _POD_NAMESPACE.read_text(encoding="utf-8").strip()
    except OSError:
        return namespaces[0] if namespaces else "default"


def allow_list(prefixes: tuple[str, ...]) -> AllowList:
    """Read the values of --allow-url."""
    try:
        return parse_allow_list(prefixes)
    except ValueError as error:
        raise SettingsError(f"--allow-url {error}") from None


def parse_gateway(text: str) -> Gateway:
    """Read `namespace/name`."""
    namespace, slash, name = text.partition("/")
    try:
        if not slash:
            raise ValueError
        return Gateway(name=name, namespace=namespace)
    except ValueError:
        raise SettingsError(f"--gateway {text!r}: write <namespace>/<name>, such as kserve/kserve-ingress-gateway") from None


def parse_address(text: str) -> Address:
    """Read `host:port`."""
    parts = urlsplit(f"//{text}")
    try:
        if parts.hostname is None or parts.port is None or parts.path:
            raise ValueError
        return Address(host=parts.hostname, port=parts.port)
    except ValueError:
        raise SettingsError(f"--health-address {text!r}: write <host>:<port>, such as 0.0.0.0:8080") from None


def envoy_provider(addresses: tuple[str, ...], flush: timedelta) -> EnvoyProvider | None:
    """Return the default provider, or None if no proxy is named."""
    if not addresses:
        return None
    try:
        return EnvoyProvider(addresses=[address.rstrip("/") for address in addresses], flush=flush)
    except ValueError:
        raise SettingsError(
            f"--envoy-address {', '.join(addresses)} with --envoy-flush {format_duration(flush)}: write admin addresses such as "
            "http://10.0.0.7:19001, at most 32 of them"
        ) from None
