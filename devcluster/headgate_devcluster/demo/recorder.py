"""What the demo saw: the status of the ModelDeployment and the answers of its clients, sampled once a second."""

import time
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any, Final

from headgate_devcluster.demo.replay import Tally
from headgate_operator.api.status import ModelDeploymentStatus, Rejected
from headgate_operator.pages.sample import Count, Sample, sample_of

EVENTS_SHOWN: Final = 200
CLIENTS: Final = "as clients saw them"
"""The metric of the charts that no operator counts."""


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
    """By seconds since the demo began; requests are those that clients counted."""
    events: deque[Told] = field(default_factory=lambda: deque(maxlen=EVENTS_SHOWN))
    versions: dict[str, str] = field(default_factory=dict)
    """Version label by revision id, for every revision ever seen."""
    _began: float = field(default_factory=time.monotonic)
    _refused: Rejected | None = None
    """The version that was refused since the last sample."""
    _seen_events: dict[str, int] = field(default_factory=dict)

    @property
    def elapsed(self) -> float:
        """Seconds since the demo began."""
        return time.monotonic() - self._began

    def saw_status(self, obj: dict[str, Any]) -> None:
        """Take over the status of the ModelDeployment."""
        known = {entry.id for entry in self.status.rejected}
        self.status = ModelDeploymentStatus.model_validate(obj.get("status") or {})
        self._refused = next((entry for entry in self.status.rejected if entry.id not in known), self._refused)
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
        seen = sample_of(self.status, self.elapsed, just_refused=self._refused)
        requests = {revision: float(count) for revision, count in self.tally.requests.items()}
        counts = {revision: Count(float(self.tally.bad[revision]), total) for revision, total in requests.items()}
        self.samples.append(replace(seen, requests=requests, counts={CLIENTS: counts}))
        self._refused = None
