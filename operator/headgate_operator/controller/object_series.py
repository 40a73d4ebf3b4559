"""Series about each ModelDeployment, made when Prometheus asks, from a few words kept for each object: they vanish with it.

A client library's own gauges would keep a lock and a value for every label set: for thousands of objects more than all the rest. Labels
are bounded by what they say: one phase, at most three roles and ten metrics for an object.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from headgate_operator.api.spec import Owner
from headgate_operator.api.status import AnalysisStatus, ModelDeploymentStatus, Phase

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is told of one object."""

    phase: Phase
    weights: tuple[tuple[str, int], ...]
    """Percent by role."""
    mirror: int | None
    """Percent of the requests of which the candidate gets a copy; None without a candidate."""
    evidence: tuple[tuple[str, float, float], ...]
    """Metric; the part of the way to the bound of a rollback and of a promotion."""
    owner: tuple[str, str, str] | None


_Rows = Callable[[_Shown], Iterable[tuple[tuple[str, ...], float]]]

_FAMILIES: Final[Mapping[str, tuple[str, tuple[str, ...], _Rows]]] = {
    "headgate_rollout_phase": (
        "1 for the present phase of each object.", ("phase",), lambda shown: [((shown.phase.value,), 1.0)],
    ),
    "headgate_traffic_weight_percent": (
        "Percent of traffic by role, as the route was seen to say.", ("role",),
        lambda shown: [((role,), float(weight)) for role, weight in shown.weights],
    ),
    "headgate_candidate_mirror_percent": (
        "Percent of requests of which the candidate gets a copy, as the route was seen to say.", (),
        lambda shown: [] if shown.mirror is None else [((), float(shown.mirror))],
    ),
    "headgate_rollback_evidence_ratio": (
        "Evidence that the version on trial is worse, as a part of what rolls it back: 1 is a rollback.", ("metric",),
        lambda shown: [((metric,), rollback) for metric, rollback, _ in shown.evidence],
    ),
    "headgate_promotion_evidence_ratio": (
        "Evidence that the version on trial is good enough, as a part of what promotes it.", ("metric",),
        lambda shown: [((metric,), promotion) for metric, _, promotion in shown.evidence],
    ),
    "headgate_model_owner": (
        "1 for each object whose manifest names an owner.", ("team", "contact", "runbook"),
        lambda shown: [(shown.owner, 1.0)] if shown.owner else [],
    ),
}  # fmt: skip


class ObjectSeries(Collector):
    """The present state of every object this process serves."""

    def __init__(self) -> None:
        self._shown: dict[Key, _Shown] = {}

    def show(self, key: Key, status: ModelDeploymentStatus, owner: Owner | None) -> None:
        """Replace what is told of an object."""
        words = (owner.team or "", owner.contact or "", owner.runbook or "") if owner is not None else None
        self._shown[key] = _Shown(status.phase, _weights(status), _mirror(status), _evidence(status.analysis), words)

    def forget(self, key: Key) -> None:
        """Drop the series of an object that is gone, or that another shard serves."""
        self._shown.pop(key, None)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yield all families; called by the registry."""
        phases = Counter(shown.phase for shown in self._shown.values())
        rollouts = GaugeMetricFamily("headgate_rollouts", "Objects by phase.", labels=("phase",))
        for phase in Phase:
            rollouts.add_metric((phase.value,), phases[phase])
        yield rollouts
        for name, (text, labels, rows) in _FAMILIES.items():
            family = GaugeMetricFamily(name, text, labels=("namespace", "name", *labels))
            for key, shown in self._shown.items():
                for values, number in rows(shown):
                    family.add_metric((*key, *values), number)
            yield family


def _weights(status: ModelDeploymentStatus) -> tuple[tuple[str, int], ...]:
    """Return the weight of each role that there is; what the route says of any other version is a fault that conditions tell of."""
    seen = {traffic.id: traffic.weight for traffic in status.traffic}
    roles = (("stable", status.stable), ("candidate", status.candidate), ("previous", status.previous))
    return tuple((role, seen.get(version.id, 0)) for role, version in roles if version is not None)


def _mirror(status: ModelDeploymentStatus) -> int | None:
    if status.candidate is None:
        return None
    return next((traffic.mirror for traffic in status.traffic if traffic.id == status.candidate.id), 0)


def _evidence(analysis: AnalysisStatus | None) -> tuple[tuple[str, float, float], ...]:
    metrics = analysis.metrics if analysis is not None else ()
    return tuple(
        (one.name, _part(one.evidence, one.bound), _part(one.promotion_evidence, one.promotion_bound))
        for one in metrics
    )  # fmt: skip


def _part(evidence: float, bound: float) -> float:
    """Return how far evidence has come; 0 before there is a bound."""
    return evidence / bound if bound > 0 else 0.0
