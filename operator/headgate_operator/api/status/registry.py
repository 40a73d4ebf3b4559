"""What was seen in the model registry and written into it, as `status.registry` keeps it."""

from enum import StrEnum

from pydantic import Field

from headgate_operator.api.model import ApiModel
from headgate_operator.api.timestamps import Timestamp


class Outcome(StrEnum):
    """How a version fared here."""

    PROMOTED = "Promoted"
    REJECTED = "Rejected"


class RegistryVersion(ApiModel):
    """Which version of the registered model a revision is."""

    revision: str = Field(description="Id of the revision.")
    version: str = Field(description="Version in the registry.")


class RegistryMark(ApiModel):
    """One thing that the registry is told: how a version fared (tags), or which version the promoted alias names."""

    version: str = Field(description="Version in the registry.")
    alias: str | None = Field(None, description="The alias that is pointed at it; none if this is about its tags.")
    outcome: Outcome | None = Field(None, description="What its tag headgate.status says.")
    reason: str = Field("", description="What its tag headgate.reason says.")
    at: Timestamp = Field(description="When the registry answered, or failed to.")
    failures: int = Field(0, description="Attempts in a row that failed; 0 once the registry has acknowledged it.")
    message: str = Field("", max_length=512, description="Why the last attempt failed.")


class RegistryStatus(ApiModel):
    """What the alias was last seen to point to. The manifest's revision is made from this while the registry cannot be read."""

    tracking_uri: str = Field(alias="trackingURI", description="Address of the MLflow server.")
    name: str = Field(description="Name of the registered model.")
    alias: str = Field(description="The alias that is followed.")
    version: str = Field(description="The version that it was last seen to point to.")
    uri: str = Field(description="Storage URI of that version.")
    versions: list[RegistryVersion] = Field(default_factory=list, description="Versions of the revisions that this status speaks of.")
    marks: list[RegistryMark] = Field(default_factory=list, description="What was written into the registry.")
