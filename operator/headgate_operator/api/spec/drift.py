"""What the drift monitor watches, and what follows from its verdicts. Drift of the inputs never rolls anything back."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from headgate_operator.api.model import ApiModel
from headgate_operator.api.quantities import Duration

FeatureName = Annotated[str, Field(min_length=1, max_length=128)]


class OnInputDrift(StrEnum):
    """What follows when the world changed: requests differ from the training data, for stable and candidate alike."""

    ALERT = "Alert"
    HOLD = "Hold"
    RETRAIN = "Retrain"


class OnSuspicion(StrEnum):
    """What follows when the monitor speaks against the candidate: it predicts differently on the same inputs, or labels show it worse."""

    ALERT = "Alert"
    HOLD = "Hold"
    ROLLBACK = "Rollback"


class QualityMetric(StrEnum):
    """How predictions are compared with labels."""

    BRIER = "brier"
    LOG_LOSS = "logLoss"
    ACCURACY = "accuracy"


class Reference(ApiModel):
    """The drift reference: what requests looked like in training."""

    uri: str = Field(min_length=1, max_length=1024, description="Storage URI of the reference's folder.")


class Window(ApiModel):
    """How much traffic one verdict is about."""

    rows: int = Field(500, ge=100, le=100_000, description="A window ends when it has this many rows.")
    duration: Duration = Field(timedelta(minutes=15), description="Or when this much time has passed.")
    minimum_rows: int = Field(100, ge=30, le=100_000, description="With fewer rows at its end there is no verdict.")


class DriftFeatures(ApiModel):
    """Which features raise alarms. The model goes on using all of them."""

    include: list[FeatureName] | None = Field(None, min_length=1, max_length=500, description="Only these (default: all).")
    exclude: list[FeatureName] | None = Field(None, max_length=500, description="Not these, such as seasonal ones.")


class Drift(ApiModel):
    """What the drift monitor watches, and what follows."""

    reference: Reference | None = Field(None, description="The drift reference (default: the one stored beside the model).")
    on_input_drift: OnInputDrift = Field(
        OnInputDrift.ALERT, description="When the world changed: Alert, Hold (a rollout waits), or Retrain. Never a rollback."
    )
    on_prediction_drift: OnSuspicion = Field(
        OnSuspicion.ALERT,
        description="When the candidate predicts differently on the same inputs, beyond what was expected: Alert, Hold or Rollback.",
    )
    window: Window = Field(default_factory=Window, description="How much traffic one verdict is about.")
    target_false_alarm_interval: Duration = Field(
        timedelta(days=30), description="Average time between false alarms; significance levels follow from it."
    )
    features: DriftFeatures = Field(default_factory=DriftFeatures, description="Which features raise alarms.")


class GroundTruth(ApiModel):
    """Labels that arrive later."""

    join_on: str = Field(
        "x-request-id", min_length=1, max_length=128, pattern=r"^[A-Za-z0-9-]+$",
        description="Request header by which labels are joined to predictions; without it, the id in the request's body.",
    )  # fmt: skip
    horizon: Duration = Field(timedelta(days=7), description="How long after its prediction a label may come or change.")
    metric: QualityMetric = Field(QualityMetric.BRIER, description="How predictions are compared with labels: brier, logLoss or accuracy.")
    margin: float = Field(0.02, gt=0, lt=1, description="By how much the candidate may be worse than stable, in the metric's unit.")
    on_worse: OnSuspicion = Field(
        OnSuspicion.ROLLBACK, description="When the candidate is worse by more than the margin: Alert, Hold or Rollback."
    )
