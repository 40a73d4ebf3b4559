"""Pieces of queries. What a person chose in the dashboard is in Grafana's variables: `$namespace`, `$model`, `$__rate_interval`."""

from typing import Final

NAME: Final = "{{namespace}}/{{name}}"
"""How legends call a ModelDeployment."""

OBJECT: Final = 'namespace=~"$namespace",name=~"$model"'
"""Selects series about ModelDeployments: the operator's own, and those of model servers as components/scrape-serving labels them."""

WATCHED: Final = 'namespace=~"$namespace",deployment=~"$model"'
"""Selects series of drift monitors, each of which is scraped in the namespace of its models."""

_CLUSTER: Final = 'envoy_cluster_name=~"httproute/($namespace)/($model)/rule/0/backend/[01]"'
_PLACE: Final = {"namespace": "httproute/([^/]+)/.+", "name": "httproute/[^/]+/([^/]+)/.+", "slot": ".+/backend/([01])"}


def rate(series: str, selector: str = "") -> str:
    """Return how fast a counter grows, by second."""
    return f"rate({series}{{{selector}}}[$__rate_interval])"


def total(expression: str, *labels: str) -> str:
    """Return the sum by some labels."""
    return f"sum by ({', '.join(labels)}) ({expression})" if labels else f"sum({expression})"


def latest(series: str, *labels: str, matchers: str = "") -> str:
    """Return a gauge about ModelDeployments by some labels beside theirs, whichever process tells it."""
    return f"max by ({', '.join(('namespace', 'name', *labels))}) ({series}{{{','.join(filter(None, (OBJECT, matchers)))}}})"


def share(part: str, whole: str) -> str:
    """Return a part of a whole; nothing where the whole is 0."""
    return f"{part} / ({whole} > 0)"


def quantile(q: float, histogram: str, selector: str, *labels: str) -> str:
    """Return a quantile of a histogram."""
    return f"histogram_quantile({q}, {total(rate(f'{histogram}_bucket', selector), 'le', *labels)})"


def gateway(series: str, *labels: str, matchers: str = "") -> str:
    """Return the rate of one of Envoy's series by version and other labels.

    Envoy counts by position in the route. Which version has a position the operator knows; where two are said to have it, one of them by a
    process that is gone, the later one has it.
    """
    selector = ",".join(filter(None, (_CLUSTER, matchers)))
    placed = total(rate(series, selector), "envoy_cluster_name", *labels)
    for label, pattern in _PLACE.items():
        placed = f'label_replace({placed}, "{label}", "$1", "envoy_cluster_name", "{pattern}")'
    since = latest("headgate_version_since_timestamp_seconds", "slot", "version", matchers='slot!=""')
    held = f"topk by (namespace, name, slot) (1, {since}) > bool 0"
    joined = f"{placed} * on (namespace, name, slot) group_left (version) ({held})"
    return total(joined, "namespace", "name", "version", *labels)
