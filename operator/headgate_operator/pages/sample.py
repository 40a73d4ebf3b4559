"""What was seen of one rollout at one instant: one point of every chart."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from headgate_operator.api.status import MetricStatus, ModelDeploymentStatus, Rejected


@dataclass(frozen=True, slots=True)
class Count:
    """Requests that one metric counted for one version, since counting began; it may begin anew at any time."""

    bad: float
    total: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about one metric, as natural logs of e-values and of the bounds at which they decide."""

    rollback: float
    rollback_bound: float
    promotion: float
    promotion_bound: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One instant."""

    at: float
    """Seconds, on whatever clock all samples share."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Percent of traffic by revision, as read back from the route."""
    requests: Mapping[str, float] = field(default_factory=dict)
    """Requests by revision, since counting began."""
    trial: str | None = None
    """The revision that is compared with another one."""
    counts: Mapping[str, Mapping[str, Count]] = field(default_factory=dict)
    """By metric, then by revision."""
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    """By metric."""
    drift: Mapping[str, float] = field(default_factory=dict)
    """How far each feature that moved is from the reference, 0 to 1."""


def sample_of(status: ModelDeploymentStatus, at: float, *, just_refused: Rejected | None = None) -> Sample:
    """Return what a status says. The write that refuses a version ends its comparison, so its last evidence is in the refusal."""
    analysis = status.analysis
    metrics = analysis.metrics if analysis is not None else []
    trial = analysis.candidate if analysis is not None else None
    other = _compared_with(status, trial)
    evidence = {metric.name: evidence_of(metric) for metric in metrics}
    if trial is None and just_refused is not None and just_refused.evidence is not None:
        trial, found = just_refused.id, just_refused.evidence
        evidence = {found.metric: Evidence(found.evidence, found.bound, 0.0, 0.0)}
    return Sample(
        at=at,
        weights={traffic.id: float(traffic.weight) for traffic in status.traffic},
        requests={traffic.id: float(traffic.requests) for traffic in status.traffic},
        trial=trial,
        counts={metric.name: _counts(metric, trial, other) for metric in metrics},
        evidence=evidence,
        drift={moved.feature: moved.distance for moved in status.drift.top} if status.drift is not None else {},
    )


def evidence_of(metric: MetricStatus) -> Evidence:
    """Return a metric's evidence."""
    return Evidence(metric.evidence, metric.bound, metric.promotion_evidence, metric.promotion_bound)


def _compared_with(status: ModelDeploymentStatus, trial: str | None) -> str | None:
    """Return the other side: stable, or during the watch, when stable itself is on trial, the previous version."""
    other = next((pinned for pinned in (status.stable, status.previous) if pinned is not None and pinned.id != trial), None)
    return other.id if other is not None else None


def _counts(metric: MetricStatus, trial: str | None, other: str | None) -> dict[str, Count]:
    sides = ((trial, metric.bad.candidate, metric.total.candidate), (other, metric.bad.stable, metric.total.stable))
    return {revision: Count(bad, total) for revision, bad, total in sides if revision is not None}
