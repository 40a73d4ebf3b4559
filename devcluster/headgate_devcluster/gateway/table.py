"""What the gateway serves, as values: the link between Kubernetes objects (`httproute.py`) and Envoy's resources (`resources.py`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from headgate_devcluster.objects import LOCAL_SUFFIX

Endpoint = tuple[str, int]
"""Address and port of one server process."""

MILLION = 1_000_000


@dataclass(frozen=True)
class HeaderChanges:
    """What one header modifier does."""

    set: tuple[tuple[str, str], ...] = ()
    add: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True)
class Backend:
    """One backend of a rule with a weight above zero."""

    cluster: str
    """Its name in Envoy and so in the metrics."""
    service: tuple[str, str]
    """Namespace and name of the Service behind it."""
    weight: int
    request_headers: HeaderChanges = HeaderChanges()
    response_headers: HeaderChanges = HeaderChanges()


@dataclass(frozen=True)
class Mirror:
    """A Service that gets copies of a rule's requests; its answers are thrown away."""

    cluster: str
    service: tuple[str, str]
    """Namespace and name of the Service behind it."""
    per_million: int = MILLION
    """How many of a million requests are copied."""


@dataclass(frozen=True)
class Rule:
    """Requests whose path starts with `prefix` go to the backends in proportion to their weights."""

    prefix: str
    backends: tuple[Backend, ...]
    """None at all answers 500."""
    timeout: str | None = None
    """As Envoy writes durations, such as `5s`; None means no limit."""
    mirrors: tuple[Mirror, ...] = ()


@dataclass(frozen=True)
class VirtualHost:
    """What is served under some host names."""

    name: str
    domains: tuple[str, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Table:
    """Everything Envoy has to know. Equal tables need no write."""

    public: tuple[VirtualHost, ...] = ()
    local: tuple[VirtualHost, ...] = ()
    """Hosts with cluster-local names that are more than one Service; they come before a Service of the same name."""
    services: tuple[tuple[str, str], ...] = ()
    """Namespace and name of every Service that can be reached by its cluster-local name."""
    endpoints: Mapping[tuple[str, str], tuple[Endpoint, ...]] = field(default_factory=dict)
    """By Service. One without endpoints answers 503."""


def cluster_local(name: str) -> tuple[str, ...]:
    """The names by which pods of the cluster call `<service>.<namespace>.svc.cluster.local`."""
    short = name.removesuffix(LOCAL_SUFFIX)
    return f"{short}{LOCAL_SUFFIX}", f"{short}.svc", short
