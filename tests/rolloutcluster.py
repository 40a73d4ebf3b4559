"""The cluster that `decide` is tested in: pods that take their time, and a gateway that sends requests and counts what becomes of them."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from headgate_operator.api.status import ModelDeploymentStatus
from headgate_operator.rollout.observed import MIRROR_SLOT, Backend, Mirror, Route

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Pod:
    """An InferenceService and its pods."""

    revision: str
    min_replicas: int
    ready_at: datetime
    available: int = 0
    restarts: int = 0
    broken: bool = False
    ours: bool = True


@dataclass
class Behaviour:
    """How a revision answers."""

    bad: float = 0.0
    mismatch: str | None = None


class Cluster:
    """Everything that changes by itself as time passes. What a pass of the operator does to it is rolloutworld's."""

    def __init__(self) -> None:
        self.now = START
        self.status = ModelDeploymentStatus()
        self.pods: dict[str, Pod] = {}
        self.route: Route | None = None
        self.gateway_up = True
        self.live: tuple[Backend, ...] = ()
        self.live_mirror: Mirror | None = None
        self.copies: dict[str, float] = {}
        self.dark_seconds = 0.0
        """How long the gateway copied requests to a version without endpoints."""
        self.rate = 75.0
        self.pinned = 0.0
        """Share of the candidate's requests that something in front of the gateway sends to stable instead."""
        self.behaviour: dict[str, Behaviour] = {}
        self.counters: dict[int, dict[str, float]] = {}
        self.served: dict[str, float] = {}
        self.startup = timedelta(seconds=4)
        self.cut_off: set[str] = set()

    def pass_time(self, duration: timedelta) -> None:
        self.now += duration
        self._settle_pods()
        if self.gateway_up:
            self.live = (self.route.slots or ()) if self.route else ()
            self.live_mirror = self.route.mirror if self.route else None
            self.route = self.route and replace(self.route, accepted=True)
        refused = {entry.id for entry in self.status.rejected}
        routed = {backend.revision for backend in self.live if backend.weight}
        routed |= {self.live_mirror.revision} if self.live_mirror else set()
        self.cut_off = (self.cut_off & refused) | (refused - routed)
        self._serve(duration / timedelta(seconds=1))

    def _settle_pods(self) -> None:
        for pod in self.pods.values():
            if pod.broken:
                pod.available = 0
            elif pod.available < pod.min_replicas and self.now >= pod.ready_at:
                pod.available = pod.min_replicas

    def _serve(self, seconds: float) -> None:
        for slot, backend in enumerate(self.live):
            if backend.weight == 0:
                self.counters.pop(slot, None)  # a backend of weight 0 is not in the gateway's configuration
                continue
            self.served[backend.revision] = self.served.get(backend.revision, 0) + self.rate * seconds * backend.weight
            assert backend.revision not in self.cut_off, "a refused revision got traffic again"
            requests = self.rate * seconds * self._share(backend)
            pod = self.pods.get(backend.isvc)
            gone = pod is None or pod.available == 0  # then the gateway answers 503
            bad = requests if gone else requests * self.behaviour.get(backend.revision, Behaviour()).bad
            self._count(slot, requests, bad)
        self._serve_copies(seconds)

    def _serve_copies(self, seconds: float) -> None:
        mirror = self.live_mirror
        if mirror is None:
            self.counters.pop(MIRROR_SLOT, None)
            return
        assert mirror.revision not in self.cut_off, "a refused revision got copies again"
        pod = self.pods.get(mirror.isvc)
        if pod is None or pod.available == 0:
            self.dark_seconds += seconds  # then the gateway answers 500 to everybody
        copies = self.rate * seconds * mirror.percent / 100 * (1 - self.pinned)
        self.copies[mirror.revision] = self.copies.get(mirror.revision, 0) + copies
        self._count(MIRROR_SLOT, copies, copies * self.behaviour.get(mirror.revision, Behaviour()).bad)

    def _count(self, slot: int, requests: float, bad: float) -> None:
        counters = self.counters.setdefault(slot, {"rq_timeout": 0})
        for name, count in (("rq_2xx", requests - bad), ("rq_5xx", bad), ("latency_count", requests), ("latency_le_250", requests)):
            counters[name] = counters.get(name, 0) + count

    def _share(self, backend: Backend) -> float:
        if not self.pinned or self.status.stable is None:
            return backend.weight / 100
        strayed = self.pinned * sum(other.weight for other in self.live if other.revision != self.status.stable.id)
        weight = backend.weight + strayed if backend.revision == self.status.stable.id else backend.weight * (1 - self.pinned)
        return weight / 100
