"""Which counters belong to which slot of a route: the one place that says so."""

from collections.abc import Mapping
from typing import Final

from headgate_operator.api.spec import EnvoyProvider
from headgate_operator.metrics.clusters import cluster_name
from headgate_operator.metrics.presets import Version
from headgate_operator.rollout.observed import MIRROR_SLOT, Backend, Mirror, Route, Subject

Values = Mapping[str, str]
"""A text for every placeholder of a template."""

_CLUSTER: Final[str] = EnvoyProvider.model_fields["cluster"].default
_KNATIVE_CLUSTER: Final = "{{namespace}}/{{knativeRevision}}"
_KNATIVE: Final = "knativeRevision"
_MIRROR_CLUSTER: Final[str] = EnvoyProvider.model_fields["mirror_cluster"].default


def slot_values(subject: Subject, route: Route) -> dict[int, Values]:
    """Return what the placeholders stand for, for each slot, and for the mirrored version."""
    versions: dict[int, Backend | Mirror] = dict(enumerate(route.slots or ()))
    if route.mirror is not None:
        versions[MIRROR_SLOT] = route.mirror
    return {
        slot: {
            "namespace": subject.namespace,
            "name": subject.name,
            "revision": version.revision,
            "isvc": version.isvc,
            "slot": str(slot),
            **({_KNATIVE: route.knative[version.isvc]} if version.isvc in route.knative else {}),
        }
        for slot, version in versions.items()
    }


def slot_clusters(values: Mapping[int, Values], template: str = _CLUSTER, *, mirror: str = _MIRROR_CLUSTER) -> dict[int, str]:
    """Return each slot's Envoy cluster; a mirrored version's is named by the template `mirror`.

    Knative knows no slots: there the default is the name that Kourier gives a revision's cluster.

    ValueError if a template has an unknown placeholder.
    """
    return {slot: cluster_name(_template(slot, known, template, mirror), known) for slot, known in values.items()}


def _template(slot: int, known: Values, template: str, mirror: str) -> str:
    if slot == MIRROR_SLOT:
        return mirror
    return _KNATIVE_CLUSTER if template == _CLUSTER and _KNATIVE in known else template


def slot_versions(values: Mapping[int, Values]) -> dict[int, Version]:
    """Return what the presets find each slot's series by."""
    clusters = slot_clusters(values)
    return {
        slot: Version(namespace=known["namespace"], isvc=known["isvc"], cluster=clusters[slot], knative=known.get(_KNATIVE))
        for slot, known in values.items()
    }  # fmt: skip
