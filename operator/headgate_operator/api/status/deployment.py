"""What Headgate reports and remembers: the `status` of a ModelDeployment.

Status is the operator's only memory: everything a restart must resume with is here, and nothing is kept anywhere else. Lists are bounded
so that it stays below 200 KB. Timestamps are whole-second UTC unless a comment says otherwise.
"""

from pydantic import Field

from headgate_operator.api.model import ApiModel
from headgate_operator.api.status.analysis import AnalysisStatus, Traffic
from headgate_operator.api.status.changes import TrafficChange
from headgate_operator.api.status.conditions import CommandStatus, Condition, Phase
from headgate_operator.api.status.drift import DriftStatus
from headgate_operator.api.status.records import HistoryEntry, Rejected
from headgate_operator.api.status.registry import RegistryStatus
from headgate_operator.api.status.retraining import RetrainingStatus
from headgate_operator.api.status.revisions import Candidate, Draining, HookStatus, Notice, Previous, Stable
from headgate_operator.api.timestamps import Timestamp


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
    traffic_changes: list[TrafficChange] = Field(
        default_factory=list,
        description="Who or what changed traffic, from which evidence; oldest first, at most 6.",
    )
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
