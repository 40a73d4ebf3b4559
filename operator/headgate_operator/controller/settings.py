"""What the operator is told when it starts: one frozen value, checked once."""

import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from headgate_operator.api.quantities import format_duration
from headgate_operator.api.spec import EnvoyProvider, Gateway, PrometheusProvider, SeriesPreset
from headgate_operator.controller.allowed import AllowList, parse_allow_list
from headgate_operator.controller.fleet import FleetSettings
from headgate_operator.controller.scrape import Providers
from headgate_operator.controller.shard import Shard
from headgate_operator.controller.upstream.rest import TokenFile
from headgate_operator.metrics.prometheus import Access
from headgate_operator.web.server import WebSettings

RESYNC: Final = timedelta(minutes=5)
"""How often an object is looked at although nothing happened; each time up to a fifth more, so that objects spread out."""

DRAIN: Final = timedelta(seconds=10)
"""How long looks under way may take to finish once the process is asked to stop."""


LEASE_NAME: Final = "headgate-operator"

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
    shard: Shard = field(default_factory=Shard)
    """Which ModelDeployments of these namespaces."""
    providers: Providers = field(default_factory=Providers)
    allowed: AllowList = field(default_factory=AllowList)
    """Which URLs in manifests are asked."""
    tokens: tuple[TokenFile, ...] = ()
    """Secrets for model registries and training pipelines, each for one server."""
    monitor: str | None = None
    """Address of a namespace's drift monitor, with the placeholder {{namespace}}; None: there is none."""
    monitor_token_file: str | None = None
    """Path of a file with its bearer token, with the same placeholder; None: it wants none."""
    kubeconfig: Path | None = None
    """None: the service account of the pod."""
    health: Address | None = None
    web: WebSettings | None = None
    """The web view; None: there is none."""
    workers: int = 8
    leader_election: bool = True
    lease_namespace: str = "default"
    lease_name: str = LEASE_NAME
    start_timeout: timedelta = timedelta(seconds=60)
    """How long the API server and its CRDs are waited for."""
    resync: timedelta = RESYNC
    fleet: FleetSettings = field(default_factory=FleetSettings)
    audit_log: str | None = None
    """Path of the audit log, `-` for standard output; None: there is none."""


def choose_lease_namespace(given: str | None, namespaces: tuple[str, ...]) -> str:
    """Return where the Lease lives: as told, else in the pod's own namespace, else (outside of a cluster) in the first one served."""
    if given:
        return given
    try:
        return _POD_NAMESPACE.read_text(encoding="utf-8").strip()
    except OSError:
        return namespaces[0] if namespaces else "default"


def choose_lease_name(given: str | None, shard: Shard) -> str:
    """Return the name of the Lease: as told, else one of the shard's own, so that no shard waits for another."""
    return given or f"{LEASE_NAME}{shard.lease_suffix}"


def allow_list(prefixes: tuple[str, ...]) -> AllowList:
    """Read the values of --allow-url."""
    try:
        return parse_allow_list(prefixes)
    except ValueError as error:
        raise SettingsError(f"--allow-url {error}") from None


def token_files(texts: tuple[str, ...]) -> tuple[TokenFile, ...]:
    """Read the values of --token-file, `<address>=<file>`; the files must be there now, so that a wrong path shows at the start."""
    return tuple(map(_token_file, texts))


def _token_file(text: str) -> TokenFile:
    address, equals, path = text.partition("=")
    parts = urlsplit(address)
    if not equals or parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username is not None:
        raise SettingsError(
            f"--token-file {text!r}: write <address>=<file>, such as https://mlflow.example.com=/var/run/secrets/mlflow/token"
        )
    if not Path(path).is_file():
        raise SettingsError(f"--token-file {text}: there is no file {path}")
    return TokenFile(address, Path(path))


def parse_gateway(text: str) -> Gateway:
    """Read `namespace/name`."""
    namespace, slash, name = text.partition("/")
    try:
        if not slash:
            raise ValueError
        return Gateway(name=name, namespace=namespace)
    except ValueError:
        raise SettingsError(f"--gateway {text!r}: write <namespace>/<name>, such as kserve/kserve-ingress-gateway") from None


def parse_address(text: str, *, flag: str = "--health-address", example: str = "0.0.0.0:8080") -> Address:
    """Read `host:port`."""
    parts = urlsplit(f"//{text}")
    try:
        if parts.hostname is None or parts.port is None or parts.path:
            raise ValueError
        return Address(host=parts.hostname, port=parts.port)
    except ValueError:
        raise SettingsError(f"{flag} {text!r}: write <host>:<port>, such as {example}") from None


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


def prometheus_provider(address: str | None, series: str, scrape_interval: timedelta) -> PrometheusProvider | None:
    """Return the default server, or None if none is named."""
    if address is None:
        return None
    parts = urlsplit(address)
    if parts.username is not None or parts.password is not None:
        raise SettingsError(
            "--prometheus must have no user and password in it; write user:password into a file for --prometheus-token-file"
        )
    try:
        if not parts.hostname or parts.query or parts.fragment or not scrape_interval:
            raise ValueError
        return PrometheusProvider(address=address.rstrip("/"), series=SeriesPreset(series), scrape_interval=scrape_interval)
    except ValueError:
        raise SettingsError(
            f"--prometheus {address} with --prometheus-scrape-interval {format_duration(scrape_interval)}: write the server's address, "
            "such as http://prometheus.monitoring:9090, and an interval above 0s"
        ) from None


def access(address: str | None, token_file: Path | None, ca_file: Path | None) -> Access:
    """Return how Prometheus servers are asked; both files must be there now, so that a wrong path shows at the start."""
    if token_file is not None and address is None:
        raise SettingsError("--prometheus-token-file needs --prometheus: only that server is sent the token")
    for flag, path in (("--prometheus-token-file", token_file), ("--prometheus-ca-file", ca_file)):
        if path is not None and not path.is_file():
            raise SettingsError(f"{flag} {path}: there is no such file")
    try:
        if ca_file is not None:
            ssl.create_default_context().load_verify_locations(cafile=ca_file)
    except (ssl.SSLError, OSError):
        raise SettingsError(f"--prometheus-ca-file {ca_file}: not a file of PEM certificates") from None
    return Access(token_file=token_file, trusted=address, ca_file=ca_file)
