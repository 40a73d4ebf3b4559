"""The runs that were started to train a new model, as `status.retraining` keeps them."""

from enum import StrEnum

from pydantic import Field

from headgate_operator.api.model import ApiModel
from headgate_operator.api.timestamps import Timestamp


class RunState(StrEnum):
    """How a run stands; the words of Kubeflow Pipelines but for the first and the last two."""

    STARTING = "Starting"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    CANCELING = "CANCELING"
    SUCCEEDED = "SUCCEEDED"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    DELETED = "Deleted"
    NOT_STARTED = "NotStarted"

    @property
    def under_way(self) -> bool:
        """Whether something may still come of it."""
        return self in (RunState.STARTING, RunState.PENDING, RunState.RUNNING, RunState.PAUSED, RunState.CANCELING)


class RetrainingStatus(ApiModel):
    """The last run, and when the ones before it were started."""

    last_trigger: str = Field(
        max_length=256, description="Display name of the last run, made of what started it, so that it is never started twice."
    )
    cause: str = Field("", max_length=512, description="What started it, in words.")
    at: Timestamp = Field(description="When it was decided to start it.")
    endpoint: str = Field(description="Address of the Kubeflow Pipelines API that it was started at.")
    last_run_id: str | None = Field(None, max_length=128, description="Id of the last run; none until it is known to exist.")
    state: RunState = RunState.STARTING
    failures: int = Field(0, description="Attempts in a row to start it that failed.")
    tried_at: Timestamp | None = Field(None, description="When the last of these failed.")
    message: str = Field("", max_length=512, description="Why it could not be started, or how it ended.")
    started: list[Timestamp] = Field(
        default_factory=list, max_length=50, description="When the runs of the last seven days were decided on, newest first."
    )
