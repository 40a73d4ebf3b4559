"""Which Envoy cluster carries a version: a template in the manifest, because every gateway names its clusters in its own way."""

from collections.abc import Mapping

from headgate_operator.metrics.placeholders import filled


def cluster_name(template: str, values: Mapping[str, str]) -> str:
    """Return the cluster's name as Envoy's statistics have it (they turn colons into underscores).

    `values` has a text for every placeholder that is known here. ValueError with the allowed ones if the template has another.
    """
    return filled(template, values, what="cluster name").replace(":", "_")
