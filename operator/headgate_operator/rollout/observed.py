"""What a decision is made from: one frozen snapshot, taken by fresh reads.

The controller fills it in (controller/observe.py) and asks `needs` (rollout/needs.py) first which of the expensive parts, metrics and
parity, this pass has use for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from headgate_operator.api.reasons import Reason
from headgate_operator.api.spec import HookType, ModelDeploymentSpec
from headgate_operator.api.status import DriftedFeature, ModelDeploymentStatus, Notice, Rendered, Signal
from headgate_operator.rollout.upstream import RegistryAnswer, RegistryReport, RunAnswer, RunReport


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Which ModelDeployment this is about."""

    name: str
    namespace: str
    uid: str
    generation: int
    command: str | None = None
    """The command annotation, unparsed."""
    command_by: str | None = None
    """The field manager that wrote it, if the API server knows."""
    manifest_by: str | None = None
    """The field manager that wrote the manifest last, likewise."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The revision the manifest asks for, rendered by today's code. Pinned into status if it becomes the candidate."""

    id: str
    inputs: Mapping[str, Any]
    model_uri: str
    version: str
    isvc: str
    rendered: Rendered | None
    """None if the runtime it names does not exist (`problem` says so)."""
    problem: tuple[Reason, str] | None = None
    """Why the revision cannot be started: a broken rule, a missing runtime, an alias that nobody could look up."""
    registry_version: str | None = None
    """Its version in the model registry, if the manifest follows one."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """One of our InferenceServices and its Deployment, as they are."""

    name: str
    ours: bool
    """Owned by this ModelDeployment's uid. If not, the name is taken."""
    deleting: bool = False
    min_replicas: int = 1
    """predictor.minReplicas on the live object."""
    available_replicas: int = 0
    isvc_ready: bool = False
    """InferenceService condition Ready. May flap and may lie; read together with `rolled_out`."""
    rolled_out: bool = False
    """The Deployment's observedGeneration is current and its pod template carries the pinned model URI."""
    not_ready: str = ""
    """Why it is not ready, in words; empty when nothing is known."""
    restarts: int = 0
    """Container restarts over all its pods."""
    elastic: bool = False
    """Whether Knative adds replicas by itself as requests come: then one is enough to begin with."""
    asleep: bool = False
    """Whether Knative took its replicas because nobody asks; it wakes with the next request."""
    rendered: Rendered | None = None
    """It and its runtime copy in the form that is pinned; read only while status does not know how stable was rendered."""

    def ready_to_start(self, wanted_min: int) -> bool:
        """Whether it may get (more) traffic: everything rolled out and at least `wanted_min` replicas available."""
        enough = self.available_replicas >= (1 if self.elastic else wanted_min)
        return self.ours and not self.deleting and self.isvc_ready and self.rolled_out and enough

    @property
    def still_serving(self) -> bool:
        """Whether it can keep the traffic it has. Ready of a serving version may flap, only available replicas tell."""
        return self.available_replicas > 0 or self.asleep


@dataclass(frozen=True, kw_only=True)
class Backend:
    """One backend of the route, at its position."""

    isvc: str
    revision: str
    """What the header filter stamps on the backend's requests."""
    weight: int


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """A version that gets copies of requests; the gateway throws its answers away."""

    isvc: str
    revision: str
    percent: int
    """How many of the requests are copied, in percent."""


MIRROR_SLOT: Final = 2
"""Where the counters of a mirrored version are found: after the two positions of the route."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """Our HTTPRoute, as it is; in Knative mode the traffic of our InferenceService, seen as one."""

    ours: bool
    accepted: bool
    """Our gateway reports Accepted and ResolvedRefs at the route's current generation."""
    slots: tuple[Backend, Backend] | None
    """None if the route does not have the two backends we write (somebody edited it)."""
    mirror: Mirror | None = None
    stable_id: str | None = None
    rejected_ids: tuple[str, ...] = ()
    edited_by: str | None = None
    """Who else wrote it last, if the API server knows."""
    knative: Mapping[str, str] = field(default_factory=dict)
    """In Knative mode, by isvc: the Knative revision that answers for it."""


@dataclass(frozen=True, kw_only=True)
class SlotCounters:
    """Monotone counters of one slot at one source; slot 2 is the mirrored version's.

    `counters` maps a series name to its value: `rq_2xx` … `rq_5xx`, `rq_timeout`, `latency_count`, and cumulative
    `latency_le_<milliseconds>` per bucket edge (such as `latency_le_250`); of a metric's own queries `bad` and `total`. It is empty
    where a source counts for the other version only, as a pod does.
    """

    slot: int
    counters: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Scrape:
    """All counters of our route at one source, read at one instant: a proxy, a pod, or one label set of a query."""

    proxy: str
    at: datetime
    """When they were counted: two readings with the same time are the same one."""
    slots: tuple[SlotCounters, ...]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One answer of the metric provider: scrapes of every source, or why there are none."""

    scrapes: tuple[Scrape, ...] = ()
    source: str = ""
    """Names the provider and its settings: counters of another one are no continuation of these. Empty: always the same one."""
    error: str | None = None
    """Set when any source could not be read: a partial sum is never compared."""
    gap: str | None = None
    """Why there is no scrape although the provider answered."""
    flush: timedelta = timedelta(seconds=5)
    """How often the proxies renew their histograms. Latency blocks are never shorter than two of these."""
    renewal: timedelta = timedelta(0)
    """How often any counter is renewed, if not with every reading. No block is shorter than two of these."""
    own: Mapping[str, "Reading"] = field(default_factory=dict)
    """What is read for a metric instead of this, by its name: a metric may have queries of its own."""

    def of(self, metric: str) -> "Reading":
        """Return what that metric is judged by."""
        return self.own.get(metric, self)


@dataclass(frozen=True, kw_only=True)
class ParityAnswer:
    """What came of asking a candidate its golden inputs in this pass."""

    revision: str
    golden: str | None
    """SHA-256 of the golden set that was read, None if there is none."""
    asked: bool = True
    """False: the candidate cannot answer yet, and only the golden set was read, to be pinned."""
    mismatch: str | None = None
    """Where answers differ, with the numbers; None if they agree."""
    unavailable: tuple[Reason, str] | None = None
    """GoldenMissing or ParityUnavailable, with why; then nothing was compared."""
    absent: bool = False
    """The registry has no golden set for this version."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one comparison of the drift monitor says, with its numbers."""

    signal: Signal = Signal.UNKNOWN
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class DriftReport:
    """One answer of the drift monitor about the versions that have traffic, or why there is none."""

    window: int = 0
    reference: str = ""
    input: Finding = Finding()
    candidate_input: Finding = Finding()
    output: Finding = Finding()
    """Stable's predictions against those it was evaluated with. Tells, and nothing else follows from it."""
    candidate_output: Finding = Finding()
    routing: Finding = Finding()
    prediction: Finding = Finding()
    quality: Finding = Finding()
    ground_truth: Finding = Finding()
    coverage: Finding = Finding()
    """Whether labels come alike for both versions; an alarm means that they cannot be compared."""
    skill: Finding = Finding()
    """Whether stable predicts worse than when it was promoted, by its labels."""
    stale: Finding = Finding()
    """Whether a new model should be trained: severe input drift that lasts, or skill lost since promotion."""
    top: tuple[DriftedFeature, ...] = ()
    trial: str | None = None
    """Id of the revision that is compared with stable; None if nothing is on trial."""
    error: str | None = None
    """Set when the monitor did not answer: then nothing above is known."""


@dataclass(frozen=True, kw_only=True)
class HookCall:
    """One thing to ask or tell a hook. Equal calls are the same call: it is never under way twice."""

    name: str
    type: HookType
    definition: str
    """Hash of the hook's url and metadata."""
    revision: str
    """The revision it is about."""
    notice: Notice | None = None
    """The change of phase that a notify hook is told of."""


@dataclass(frozen=True, kw_only=True)
class HookAnswer:
    """What became of a call."""

    call: HookCall
    passed: bool
    """Whether the answer was 2xx."""
    message: str = ""
    """Why it did not pass."""


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """What the operator knows beyond this ModelDeployment. The defaults let everything go on."""

    others_under_way: int = 0
    """Canaries of other ModelDeployments."""
    limit: int | None = None
    """How many canaries may be under way at the same time; None: any number."""
    freeze_until: datetime | None = None
    """End of the freeze window that is in effect."""
    breaker: str | None = None
    """Why no rollout may go on or give up for now, with numbers."""


@dataclass(frozen=True, kw_only=True)
class Observed:
    """The snapshot."""

    now: datetime
    subject: Subject
    spec: ModelDeploymentSpec
    status: ModelDeploymentStatus
    wanted: Wanted
    services: Mapping[str, Service] = field(default_factory=dict)
    """By name. A missing key means: does not exist."""
    route: Route | None = None
    hostname_taken: str | None = None
    """Which other route gets the requests of our hostnames, in words."""
    reading: Reading | None = None
    parity: ParityAnswer | None = None
    drift: DriftReport | None = None
    """None if the manifest asks for no monitor."""
    hooks: tuple[HookAnswer, ...] = ()
    """Answers of hooks that no status has on record yet."""
    registry: RegistryReport | None = None
    """What the followed alias points to; None if there is none, or it was not looked up yet."""
    registry_answers: tuple[RegistryAnswer, ...] = ()
    """What became of writes into the registry, as far as no status has it on record."""
    run: RunReport | None = None
    """How the last retraining run stands, if it is under way and was asked about."""
    run_answers: tuple[RunAnswer, ...] = ()
    """What became of requests for a run, as far as no status has it on record."""
    fleet: Fleet = Fleet()
    refused: Mapping[str, str] = field(default_factory=dict)
    """By revision: why the API server, or a webhook behind it, does not take its InferenceService or runtime copy, as far as is known."""
    damaged: frozenset[str] = frozenset()
    """Fields of the stored status that could not be read; `status` lacks them."""
    url: str | None = None
