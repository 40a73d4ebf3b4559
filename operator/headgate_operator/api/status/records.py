"""Revisions that are over: refused ones with their numbers, promoted ones that can come back."""

from typing import Any

from pydantic import Field

from headgate_operator.api.model import ApiModel
from headgate_operator.api.status.analysis import SideCounts, Verdict
from headgate_operator.api.status.revisions import Rendered
from headgate_operator.api.timestamps import Timestamp


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
