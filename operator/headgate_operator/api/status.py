"""What Headgate reports and remembers: the `status` of a ModelDeployment.

Status is the operator's only memory: everything a restart must resume with is here, and nothing is kept anywhere else. Lists are bounded
so that it stays below 200 KB. Timestamps are whole-second UTC unless a comment says otherwise.
"""

from enum import StrEnum
from typing import Any

from pydantic import Field

from headgate_operator.api.drift_status import DriftStatus
from headgate_operator.api.model import ApiModel
from headgate_operator.api.registry_status import RegistryStatus
from headgate_operator.api.retraining_status import RetrainingStatus
from headgate_operator.api.spec.rollout import HookType
from headgate_operator.api.timestamps import MicroTimestamp, Timestamp


class Phase(StrEnum):
    """One word for people, derived from everything else; nothing ever branches on it."""

    PENDING = "Pending"
    PROGRESSING = "Progressing"
    HOLDING = "Holding"
    PAUSED = "Paused"
    SUSPENDED = "Suspended"
    PROMOTING = "Promoting"
    WATCHING = "Watching"
    HEALTHY = "Healthy"
    ROLLED_BACK = "RolledBack"
    STALLED = "Stalled"


class Verdict(StrEnum):
    """What one metric says about the candidate."""

    WORSE = "Worse"
    NOT_WORSE = "NotWorse"
    OBJECTIVE_MISSED = "ObjectiveMissed"
    UNDECIDED = "Undecided"
    NO_DATA = "NoData"
    PROVIDER_ERROR = "ProviderError"


class Waiver(StrEnum):
    """Which holds of its present step a candidate no longer waits for. Evidence against it is never among them."""

    HOLDS = "Holds"
    DATA = "Data"


class ParityResult(StrEnum):
    """How the parity check of a candidate ended. Absent means: not asked yet. A mismatch refuses the candidate, so it is not kept here."""

    PASSED = "Passed"
    SKIPPED = "Skipped"


class Rendered(ApiModel):
    """The exact children of a revision, rendered once when it started; only these are ever applied again."""

    inference_service: dict[str, Any] = Field(description="As it is applied, without replica bounds and owner.")
    serving_runtime: dict[str, Any] = Field(description="The copy of the runtime that it names.")


class Pinned(ApiModel):
    """What identifies a revision, and where it runs."""

    id: str = Field(description="Revision id: r and 8 hex digits.")
    model_uri: str = Field(description="Storage URI of the model.")
    version: str = Field(description="Version in the model registry, or else the last segment of the model URI; for people.")
    isvc: str = Field(description="Name of the InferenceService.")
    slot: int | None = Field(None, description="Position of its backend in the route, 0 or 1; none once the slot was given up.")


class Stable(Pinned):
    """The version that serves."""

    since: Timestamp = Field(description="Since when it is the stable version.")
    frozen_min: int | None = Field(None, description="Minimum replicas held from a rollout's start until the version that left is gone.")


class HookResult(StrEnum):
    """How a hook stands. Pending: not asked yet, or asked again after a pause."""

    PASSED = "Passed"
    FAILED = "Failed"
    PENDING = "Pending"


class HookStatus(ApiModel):
    """What came of one hook. A success on record is never asked for again."""

    name: str = Field(description="Name of the hook.")
    type: HookType = Field(description="When it is asked.")
    definition: str = Field("", description="Hash of its url and metadata; a hook that was changed is asked anew.")
    attempts: int = Field(0, description="How often it was asked.")
    at: Timestamp = Field(description="When the last answer came, or failed to come.")
    result: HookResult = HookResult.PENDING
    message: str = Field("", max_length=512, description="Why the last attempt failed.")
    number: int | None = Field(None, description="notify: the last phase change that is done with.")


class Notice(ApiModel):
    """One change of phase that notify hooks are told of."""

    number: int = Field(description="Counts the changes of this object.")
    phase: Phase
    revision: str = Field("", description="Id of the candidate, or of the stable revision if there is none.")
    version: str = Field("", description="Last segment of its model URI.")
    reason: str = Field("", description="Why, in one word.")
    message: str = Field("", max_length=512, description="Why, in words.")
    at: Timestamp = Field(description="When the phase changed.")


class Candidate(Pinned):
    """The version on trial. `weight` is the commitment; `traffic` is what the route really says."""

    inputs: dict[str, Any] = Field(description="What the revision id was computed from.")
    rendered: Rendered
    started_at: Timestamp = Field(description="When it became the candidate.")
    step: int = Field(-1, description="Index of the current step among those with a weight; -1 before the first.")
    weight: int = Field(0, description="Percent of traffic it shall have.")
    mirror: int = Field(0, description="Percent of the requests of which it shall get a copy, unseen by clients; then its weight is 0.")
    step_started_at: Timestamp | None = Field(None, description="When the route was seen to carry this step's weight.")
    step_requests: int = Field(0, description="Candidate requests in kept blocks of this step.")
    unready_count: int = Field(0, description="How often it lost its endpoints under traffic.")
    unready: bool = Field(False, description="Weight is 0 until it is ready again; then it returns to its step.")
    suspended: int = Field(0, description="How often it was suspended for failing every request.")
    suspended_since: Timestamp | None = Field(None, description="When it was suspended last.")
    golden: str | None = Field(None, description="SHA-256 of the golden set this revision is checked against.")
    parity: ParityResult | None = None
    known_good: bool = Field(False, description="From the history: parity and readiness only.")
    hold_since: Timestamp | None = Field(None, description="Since when the rollout has been on hold without a break.")
    hold_reason: str | None = Field(None, description="Why the rollout is on hold.")
    reason_since: Timestamp | None = Field(None, description="Since when it has been on hold for that reason.")
    paused: bool = Field(False, description="Whether a person paused it (pause@) and has not resumed it.")
    at_pause: bool = Field(False, description="Whether it waits at a pause step for promote@.")
    pause_passed: bool = Field(False, description="Whether promote@ passed the pause step after its present step.")
    pause_since: Timestamp | None = Field(None, description="Since when it has been paused, by whatever means.")
    paused_seconds: int = Field(0, description="How long it was paused before that; pauses count towards no deadline.")
    waived: Waiver | None = Field(None, description="Holds of the present step that it no longer waits for.")
    promote_now: bool = Field(False, description="Whether a person sent it straight to promotion (promote-full@).")
    return_from: str | None = Field(
        None, description="Id of the stable revision that a person wants to leave (rollback@); it is refused when this one takes over."
    )
    restarts: int = Field(0, description="Container restarts when last looked at under traffic.")
    hooks: list[HookStatus] = Field(default_factory=list, description="What came of its pre-rollout and pre-promotion hooks.")
    disturbed: bool = Field(False, description="Whether pods restarted or were missing since the last block that was not all failures.")

    @property
    def gets_requests(self) -> bool:
        """Whether it shall get traffic, or copies of it."""
        return self.weight > 0 or self.mirror > 0


class Previous(Pinned):
    """During the watch: what a rollback returns to."""

    since: Timestamp = Field(description="When it was replaced.")
    weight: int = Field(0, description="The holdback it keeps; 0 while it has no endpoints.")
    frozen_min: int | None = Field(None, description="Minimum replicas held until the watch ends: a rollback must find its full capacity.")


class Draining(Pinned):
    """Weight 0; waits for answers in flight (then its slot is free), then for scaleDownDelay (then it is deleted)."""

    since: Timestamp = Field(description="When its weight became 0.")
    left_route_at: Timestamp | None = Field(None, description="When the route was seen accepted without it.")


class SideCounts(ApiModel):
    """A count on each side of the comparison."""

    candidate: int = Field(0, description="Of the version on trial.")
    stable: int = Field(0, description="Of the version it is compared with.")


class RefusalEvidence(ApiModel):
    """The numbers of one metric at the moment of a refusal, for whoever draws or compares them; the message says the same in words."""

    metric: str = Field(description="Name of the metric.")
    verdict: Verdict
    evidence: float = Field(description="Natural log of the e-value: of being worse, or of missing the objective if that is the verdict.")
    bound: float = Field(description="Natural log of 1/alpha: the evidence at which it is refused.")
    bad: SideCounts = Field(default_factory=SideCounts)
    total: SideCounts = Field(default_factory=SideCounts)


class Rejected(ApiModel):
    """A refused revision, with its numbers."""

    id: str = Field(description="Id of the revision.")
    model_uri: str = Field("", description="Storage URI of its model.")
    version: str = Field("", description="Last segment of the model URI, for people.")
    reason: str = Field(description="Why, in one word; docs/runbook.md has a section for it.")
    message: str = Field(max_length=1024, description="Why, with the numbers.")
    at: Timestamp = Field(description="When it was refused.")
    evidence: RefusalEvidence | None = Field(None, description="The metric that spoke against it, if it was refused on evidence.")


class HistoryEntry(ApiModel):
    """A promoted revision that can be applied again exactly."""

    id: str = Field(description="Id of the revision.")
    model_uri: str = Field(description="Storage URI of its model.")
    version: str = Field(description="Last segment of the model URI, for people.")
    isvc: str = Field(description="Name of its InferenceService.")
    promoted_at: Timestamp = Field(description="When it became stable.")
    inputs: dict[str, Any] = Field(description="What the revision id was computed from.")
    rendered: Rendered


class Traffic(ApiModel):
    """What the route was seen to say, and how many requests the analysis counted since the candidate's first traffic."""

    id: str = Field(description="Id of the revision.")
    weight: int = Field(description="Percent of traffic in the accepted route.")
    mirror: int = Field(0, description="Percent of the requests of which it gets a copy by the accepted route.")
    requests: int = Field(0, description="Requests that were analysed.")


class Sample(ApiModel):
    """The last reading of one proxy's counters for one slot, the baseline of the open block of all metrics that count the same."""

    metric: str = Field(description="Name of the first metric that counts these series so; all that do share the baseline.")
    proxy: str = Field(description="Address of the proxy.")
    slot: int = Field(description="Position in the route.")
    at: MicroTimestamp = Field(description="When it was read.")
    counters: dict[str, float] = Field(description="Counters by series.")


class Mixture(ApiModel):
    """The rollback e-process: every mixture started so far, weighted and summed per alternative odds ratio (stats/rollback.py)."""

    since: Timestamp = Field(description="When the newest mixture started.")
    started: int = Field(description="How many mixtures were started; the k-th has weight 1/(k(k+1)).")
    untouched: bool = Field(description="Whether no block was counted since the newest started.")
    log_wealth: list[float] = Field(description="One per alternative odds ratio.")
    objective: list[float] = Field(default_factory=list, description="The same for the absolute objective, if there is one.")


class FailStreak(ApiModel):
    """Whole blocks in a row in which every candidate request was bad, and what stable did meanwhile."""

    requests: int = Field(0, description="Candidate requests in a row that were all bad.")
    blocks: int = Field(0, description="Blocks in that row that had a candidate request.")
    stable_bad: int = Field(0, description="Bad requests of the other version since the row began.")
    stable_total: int = Field(0, description="All requests of the other version since the row began.")


class MetricStatus(ApiModel):
    """Evidence about one metric since the candidate's first traffic."""

    name: str = Field(description="Name of the metric.")
    definition: str = Field("", description="What the evidence is about; evidence about anything else is not carried over.")
    verdict: Verdict = Verdict.UNDECIDED
    message: str = Field("", max_length=512, description="The same in words, with the numbers.")
    mixture: Mixture | None = None
    promotion: list[float] = Field(default_factory=list, description="Log-wealths of the promotion e-processes, odds ratio first.")
    promotion_evidence: float = Field(0.0, description="Natural log of the promotion e-value.")
    promotion_bound: float = Field(0.0, description="Natural log of 1/(1 - promotionConfidence).")
    fail_streak: FailStreak = Field(default_factory=FailStreak)
    evidence: float = Field(0.0, description="Natural log of the rollback e-value.")
    bound: float = Field(0.0, description="Natural log of 1/alpha: at this evidence the candidate is rolled back.")
    objective_evidence: float = Field(0.0, description="Natural log of the e-value against the objective; at `bound` it is missed.")
    faults: int = Field(0, description="Bad requests of the candidate as the objective counts them: 5xx only, or slow ones.")
    bad: SideCounts = Field(default_factory=SideCounts)
    total: SideCounts = Field(default_factory=SideCounts)
    requests_needed: int | None = Field(None, description="Expected candidate requests until a decision at present rates.")
    discard_next: bool = Field(True, description="The first block after a weight change is thrown away: both weights were live in it.")
    last_block_end: MicroTimestamp | None = Field(None, description="When the last counted block ended.")


class AnalysisStatus(ApiModel):
    """The comparison under way: candidate against stable, or during the watch stable against previous."""

    candidate: str = Field(description="Id of the revision on trial.")
    candidate_slot: int = Field(description="Its position in the route; 2 while it gets copies only.")
    stable_slot: int = Field(description="Position of the version it is compared with.")
    weight: int = Field(description="Weight the open blocks belong to; a change closes them.")
    mirror: int = Field(
        0, description="Percent of the other version's requests that are copied to the one on trial, which then has no weight."
    )
    last_block_end: MicroTimestamp | None = Field(None, description="When the last block of any metric ended.")
    split: SideCounts = Field(default_factory=SideCounts, description="Requests of each version in the blocks at this weight.")
    silent_requests: int = Field(0, description="Requests to stable, at this weight, since the candidate last got one.")
    samples: list[Sample] = Field(
        default_factory=list, description="Baselines of the open blocks, one for all metrics that count the same."
    )
    metrics: list[MetricStatus] = Field(default_factory=list, description="Evidence by metric.")


class CommandStatus(ApiModel):
    """Acknowledgement of the last command."""

    command: str = Field(description="The command, such as abort@r3f9a1c02.")
    at: Timestamp = Field(description="When it was handled.")
    by: str | None = Field(None, description="Field manager that wrote the annotation, such as kubectl-annotate.")
    result: str = Field(description="Applied, or Ignored and why.")
    removing: bool = Field(
        False, description="Whether the annotation may still be there: seen again, it is this command, and is only removed."
    )


class ConditionStatus(StrEnum):
    """Kubernetes' three-valued truth."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class ConditionType(StrEnum):
    """Ready, Reconciling and Stalled follow kstatus: the last two exist only while they are true."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    CANDIDATE_ACCEPTED = "CandidateAccepted"
    ANALYSIS_AVAILABLE = "AnalysisAvailable"
    INPUT_DRIFT = "InputDrift"
    PREDICTION_DRIFT = "PredictionDrift"
    DATA_QUALITY = "DataQuality"
    MONITOR_AVAILABLE = "MonitorAvailable"
    REGISTRY_AVAILABLE = "RegistryAvailable"


class Condition(ApiModel):
    """A Kubernetes condition."""

    type: ConditionType
    status: ConditionStatus
    reason: str = Field(description="In one word; docs/runbook.md has a section for it.")
    message: str = Field("", max_length=1024, description="In words, for people.")
    observed_generation: int = Field(description="Generation of the manifest that this is about.")
    last_transition_time: Timestamp = Field(description="When the status last changed.")


class ModelDeploymentStatus(ApiModel):
    """What Headgate reports and remembers."""

    observed_generation: int | None = Field(None, description="Generation of the manifest that this is about.")
    phase: Phase = Phase.PENDING
    url: str | None = Field(None, description="Where clients reach the model.")
    stable: Stable | None = None
    candidate: Candidate | None = None
    previous: Previous | None = None
    watch_until: Timestamp | None = Field(None, description="When the watch of the stable version ends.")
    draining: list[Draining] = Field(default_factory=list, description="Replaced versions on their way out.")
    rejected: list[Rejected] = Field(default_factory=list, description="Newest first; at most 20.")
    history: list[HistoryEntry] = Field(default_factory=list, description="Newest first; bounded by historyLimit.")
    traffic: list[Traffic] = Field(default_factory=list, description="What the route was seen to say, by version.")
    analysis: AnalysisStatus | None = None
    drift: DriftStatus | None = None
    registry: RegistryStatus | None = None
    retraining: RetrainingStatus | None = None
    last_command: CommandStatus | None = None
    notices: list[Notice] = Field(default_factory=list, description="Changes of phase for notify hooks, oldest first; at most 10.")
    notified: list[HookStatus] = Field(default_factory=list, description="How far each notify hook was told.")
    conditions: list[Condition] = Field(
        default_factory=list, description="Kubernetes conditions; Ready, Reconciling and Stalled follow kstatus."
    )
