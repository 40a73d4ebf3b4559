"""How each rollout ended, and the demo's summary, as written to summary.json."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from headgate_operator.api.status import ModelDeploymentStatus


class Ending(StrEnum):
    """How a rollout ended."""

    PROMOTED = "Promoted"
    ROLLED_BACK = "RolledBack"
    REJECTED = "Rejected"


@dataclass(frozen=True)
class RolloutOutcome:
    """How the rollout of one version ended. Requests are those that clients counted, not the operator."""

    version: int
    revision: str
    outcome: Ending
    reason: str
    message: str
    candidate_requests: int
    candidate_bad: int
    seconds: float
    """From applying the manifest to the verdict."""
    began: float
    """Seconds since the demo began."""

    def to_json(self) -> dict[str, Any]:
        """As in summary.json."""
        return {
            "version": self.version,
            "revision": self.revision,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "message": self.message,
            "candidateRequests": self.candidate_requests,
            "candidateBad": self.candidate_bad,
            "seconds": round(self.seconds, 1),
        }


@dataclass
class Summary:
    """What the demo leaves behind."""

    rollouts: list[RolloutOutcome] = field(default_factory=list)
    requests: int = 0
    errors_from_other_causes: int = 0
    causes: dict[str, int] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    """Of version 2, on June."""
    seconds: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As in summary.json."""
        return {
            "rollouts": [rollout.to_json() for rollout in self.rollouts],
            "requests": self.requests,
            "errorsFromOtherCauses": self.errors_from_other_causes,
            "failures": self.causes,
            "metrics": self.metrics,
            "seconds": {phase: round(seconds, 1) for phase, seconds in self.seconds.items()},
        }

    @property
    def as_expected(self) -> bool:
        """Whether version 2 was promoted, 3 rolled back, 4 refused, and nothing else failed."""
        endings = [rollout.outcome for rollout in self.rollouts]
        return endings == [Ending.PROMOTED, Ending.ROLLED_BACK, Ending.REJECTED] and self.errors_from_other_causes == 0


@dataclass(frozen=True)
class Verdict:
    """What the status says about one version."""

    revision: str
    promoted: bool
    reason: str
    message: str


def verdict(status: ModelDeploymentStatus, uri: str) -> Verdict | None:
    """Read the operator's verdict on the version with this URI; None if there is none yet."""
    for rejected in status.rejected:
        if rejected.model_uri == uri:
            return Verdict(rejected.id, promoted=False, reason=rejected.reason, message=rejected.message)
    if status.stable and status.stable.model_uri == uri:
        return Verdict(status.stable.id, promoted=True, reason=Ending.PROMOTED.value, message="")
    return None
