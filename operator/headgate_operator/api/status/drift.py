"""What the drift monitor said last, as `status.drift` keeps it."""

from enum import StrEnum

from pydantic import Field

from headgate_operator.api.model import ApiModel


class Signal(StrEnum):
    """What one comparison of the monitor says. Absence of data is Unknown, never Clean."""

    UNKNOWN = "Unknown"
    CLEAN = "Clean"
    DRIFT = "Drift"
    SEVERE = "Severe"

    @property
    def alarms(self) -> bool:
        """Whether something is not as it should be."""
        return self in (Signal.DRIFT, Signal.SEVERE)


class DriftedFeature(ApiModel):
    """A feature that moved."""

    feature: str = Field(max_length=128, description="Its name.")
    distance: float = Field(description="How far: the Kolmogorov-Smirnov distance of numbers, the total variation of categories; 0 to 1.")


class DriftStatus(ApiModel):
    """The monitor's last verdicts. They are about whole windows, so they change seldom."""

    window: int = Field(description="Number of the window, which only grows.")
    reference: str = Field("", max_length=80, description="SHA-256 of the reference that was compared with.")
    input: Signal = Field(Signal.UNKNOWN, description="Stable's requests against the reference.")
    candidate_input: Signal = Field(Signal.UNKNOWN, description="The candidate's requests against the reference.")
    output: Signal = Field(Signal.UNKNOWN, description="Stable's predictions against those it was evaluated with.")
    candidate_output: Signal = Field(Signal.UNKNOWN, description="The candidate's predictions against those it was evaluated with.")
    routing: Signal = Field(Signal.UNKNOWN, description="The candidate's requests against stable's: a difference means unequal clients.")
    prediction: Signal = Field(Signal.UNKNOWN, description="The candidate's predictions against stable's, beyond what was expected.")
    quality: Signal = Field(Signal.UNKNOWN, description="The candidate's data quality against stable's.")
    ground_truth: Signal = Field(Signal.UNKNOWN, description="The candidate's predictions against labels, beside stable's.")
    skill: Signal = Field(Signal.UNKNOWN, description="Stable's skill against labels, beside its skill at promotion.")
    top: list[DriftedFeature] = Field(default_factory=list, max_length=10, description="Features that moved most, in order.")
