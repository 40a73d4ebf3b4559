"""What the demo saw: the status of the ModelDeployment and the answers of its clients, sampled once a second."""

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from headgate_devcluster.demo.replay import Tally
from headgate_operator.api.status import MetricStatus, ModelDeploymentStatus

EVENTS_SHOWN: Final = 200


@dataclass(frozen=True)
class Evidence:
    """What is known about one metric, as natural logs of e-values and of the bounds at which they decide."""

    rollback: float
    rollback_bound: float
    promotion: float
    promotion_bound: float


@dataclass(frozen=True)
class Sample:
    """One second of the demo."""

    at: float
    """Seconds since the demo began."""
    weights: dict[str, int]
    """Weight by revision id, as read back from the route."""
    requests: dict[str, int]
    bad: dict[str, int]
    candidate: str | None
    evidence: dict[str, Evidence]
    """By metric."""


@dataclass(frozen=True)
class Told:
    """A Kubernetes Event, as the demo first saw it."""

    at: float
    reason: str
    message: str
    warning: bool


@dataclass
class Recorder:
    """Collects; judges nothing."""

    tally: Tally = field(default_factory=Tally)
    status: ModelDeploymentStatus = field(default_factory=ModelDeploymentStatus)
    samples: list[Sample] = field(default_factory=list)
    events: deque[Told] = field(default_factory=lambda: deque(maxlen=EVENTS_SHOWN))
    versions: dict[str, str] = field(default_factory=dict)
    """Version label by revision id, for every revision ever seen."""
    _began: float = field(default_factory=time.monotonic)
    _seen_events: dict[str, int] = field(default_factory=dict)

    @property
    def elapsed(self) -> float:
        """Seconds since the demo began."""
        return time.monotonic() - self._began

    def saw_status(self, obj: dict[str, Any]) -> None:
        """Take over the status of the ModelDeployment."""
        self.status = ModelDeploymentStatus.model_validate(obj.get("status") or {})
        for pinned in (self.status.stable, self.status.candidate, self.status.previous, *self.status.draining, *self.status.rejected):
            if pinned is not None and pinned.version:
                self.versions.setdefault(pinned.id, pinned.version.split("-")[0])

    def saw_event(self, obj: dict[str, Any]) -> Told | None:
        """Take over a Kubernetes Event; return it if it is new or happened again."""
        count = int((obj.get("series") or {}).get("count", 1))
        name = obj["metadata"]["name"]
        if self._seen_events.get(name, 0) >= count:
            return None
        self._seen_events[name] = count
        told = Told(self.elapsed, obj.get("reason", ""), obj.get("note", ""), obj.get("type") == "Warning")
        self.events.append(told)
        return told

    def label(self, revision: str) -> str:
        """Name a revision for people: `version 2`."""
        version = self.versions.get(revision)
        return f"version {version}" if version else revision

    def sample(self) -> None:
        """Keep this second."""
        analysis = self.status.analysis
        self.samples.append(
            Sample(
                at=self.elapsed,
                weights={traffic.id: traffic.weight for traffic in self.status.traffic},
                requests=dict(self.tally.requests),
                bad=dict(self.tally.bad),
                candidate=analysis.candidate if analysis else None,
                evidence={metric.name: _evidence(metric) for metric in analysis.metrics} if analysis else {},
            )
        )


def _evidence(metric: MetricStatus) -> Evidence:
    return Evidence(metric.evidence, metric.bound, metric.promotion_evidence, metric.promotion_bound)
