"""The last changes of traffic: what the audit log writes down.

They are stored in the same write as the decision itself, so that a crash between a decision and its line in the log loses neither.
"""

from enum import StrEnum

from pydantic import Field

from headgate_operator.api.model import ApiModel
from headgate_operator.api.status.analysis import SideCounts, Verdict
from headgate_operator.api.timestamps import Timestamp


class ChangeKind(StrEnum):
    """Decided: the operator committed itself. Carried: the gateway was seen to do so. Edited: somebody else changed the route."""

    DECIDED = "Decided"
    CARRIED = "Carried"
    EDITED = "Edited"


class TrafficShare(ApiModel):
    """What one version gets."""

    id: str = Field(description="Id of the revision.")
    weight: int = Field(description="Percent of the traffic.")
    mirror: int = Field(0, description="Percent of the requests of which it gets a copy.")


class ChangeEvidence(ApiModel):
    """What one metric said when the change was decided."""

    metric: str = Field(description="Name of the metric.")
    verdict: Verdict
    evidence: float = Field(description="Natural log of the e-value of being worse.")
    bound: float = Field(description="The evidence at which the version on trial is rolled back.")
    promotion_evidence: float = Field(0.0, description="Natural log of the e-value of being good enough.")
    promotion_bound: float = Field(0.0, description="The evidence that a promotion needs.")
    bad: SideCounts = Field(default_factory=SideCounts)
    total: SideCounts = Field(default_factory=SideCounts)


class TrafficChange(ApiModel):
    """One change of who gets which share."""

    number: int = Field(description="Counts the changes of this object.")
    kind: ChangeKind
    at: Timestamp = Field(description="When it was decided or seen.")
    generation: int = Field(description="Generation of the manifest at that time.")
    before: list[TrafficShare] = Field(default_factory=list, description="Versions with a share before it.")
    after: list[TrafficShare] = Field(default_factory=list, description="Versions with a share after it.")
    stable_before: str | None = Field(None, description="Id of the stable revision before it.")
    stable: str | None = Field(None, description="Id of the stable revision after it.")
    reason: str = Field(description="Why, in one word; docs/runbook.md has a section for it.")
    message: str = Field("", max_length=512, description="Why, in words.")
    actor: str = Field(
        description="Field manager of whoever wanted it: of the command, of the manifest or of the edit; headgate if the evidence did, "
        "unknown if the API server does not tell."
    )
    command: str | None = Field(None, description="The command that it follows from, such as abort@r3f9a1c02.")
    evidence: list[ChangeEvidence] = Field(default_factory=list, description="Evidence by metric at that time.")
