"""Which version plays which part right now, with its traffic."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from headgate_operator.api.status import Candidate, ModelDeploymentStatus, Pinned, Traffic


@dataclass(frozen=True)
class Role:
    """One version in its part."""

    name: str
    pinned: Pinned
    since: datetime
    traffic: Traffic
    """What the route was seen to give it."""
    seen: bool
    """Whether the route has it; if not, `traffic` is nothing."""
    remark: str = ""

    @property
    def share(self) -> str:
        """Its traffic in words."""
        return f"{self.traffic.mirror} % mirrored" if self.traffic.mirror else f"{self.traffic.weight} %"


def roles(status: ModelDeploymentStatus, steps: int) -> Iterator[Role]:
    """Yield every version that is there; the canary has so many steps."""
    carried = {entry.id: entry for entry in status.traffic}

    def role(name: str, pinned: Pinned, since: datetime, remark: str = "") -> Role:
        traffic = carried.get(pinned.id)
        return Role(name, pinned, since, traffic or Traffic(id=pinned.id, weight=0), traffic is not None, remark)

    if (stable := status.stable) is not None:
        until = status.watch_until
        yield role("stable", stable, stable.since, f"watched until {until:%H:%M:%S} UTC" if until and status.previous else "")
    if (candidate := status.candidate) is not None:
        step = "looks on" if candidate.mirror else _step(candidate, steps)
        hold = f", held: {candidate.hold_reason}" if candidate.hold_reason else ""
        yield role("candidate", candidate, candidate.started_at, step + hold)
    if status.previous is not None:
        yield role("previous", status.previous, status.previous.since, "holdback")
    for draining in status.draining:
        yield role("draining", draining, draining.since)


def _step(candidate: Candidate, steps: int) -> str:
    return f"step {candidate.step + 1} of {steps}" if candidate.step >= 0 else "before its first step"
