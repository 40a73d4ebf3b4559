"""How things stand, in words of Kubernetes and in one for people; and the acknowledgement of commands."""

from enum import StrEnum

from pydantic import Field

from headgate_operator.api.model import ApiModel
from headgate_operator.api.timestamps import Timestamp


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
    GROUND_TRUTH = "GroundTruth"
    SKILL_DROP = "SkillDrop"
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
