"""What a user asks for: the `spec` of a ModelDeployment. Every description here reaches `kubectl explain`.

Only fields with an effect are here. Fields under `model` and `predictor` make up the revision id, so none of them has a default that
the API server would fill in: an upgrade must never change an id (rollout/revision.py).
"""

from pydantic import Field

from headgate_operator.api.model import ApiModel
from headgate_operator.api.spec.analysis import Analysis
from headgate_operator.api.spec.common import Url
from headgate_operator.api.spec.drift import Drift, GroundTruth
from headgate_operator.api.spec.model import Model, Protocol
from headgate_operator.api.spec.parity import Parity
from headgate_operator.api.spec.predictor import Predictor
from headgate_operator.api.spec.retraining import Retraining
from headgate_operator.api.spec.rollout import Rollout
from headgate_operator.api.spec.serving import Serving


class Owner(ApiModel):
    """Who answers for a model."""

    team: str | None = Field(None, min_length=1, max_length=128, description="Name of the team.")
    contact: str | None = Field(None, min_length=1, max_length=256, description="How to reach it, such as a mail address or a channel.")
    runbook: Url | None = Field(None, description="What to do when this model is in trouble.")


class ModelDeploymentSpec(ApiModel):
    """What a user asks for."""

    owner: Owner | None = Field(None, description="Who answers for this model; shown in Events and alerts.")
    model: Model = Field(description="Which model is served, and by what.")
    predictor: Predictor = Field(default_factory=Predictor, description="Settings of the predictor, handed to KServe.")
    serving: Serving = Field(default_factory=Serving, description="How traffic reaches the model.")
    rollout: Rollout = Field(default_factory=Rollout, description="How a new version takes over.")
    analysis: Analysis = Field(default_factory=Analysis, description="When is a candidate worse, and when is it good enough.")
    parity: Parity = Field(default_factory=Parity, description="The same answers as where the model was trained, before any traffic.")
    drift: Drift | None = Field(None, description="What the drift monitor watches, and what follows (default: nothing is watched).")
    ground_truth: GroundTruth | None = Field(
        None, description="Labels that arrive later, sent to the drift monitor by their owner (default: none do)."
    )
    retraining: Retraining | None = Field(None, description="When a new model is trained without anybody asking (default: never).")
    paused: bool = Field(
        False,
        description="Freezes the weights where they are and starts nothing; serving goes on. A version that turns out to be worse is "
        "still rolled back, and so it is by abort@<id>, by rollback@<id>, or by going back in the manifest.",
    )

    @property
    def protocol(self) -> Protocol:
        """The inference protocol in effect."""
        return self.model.protocol or Protocol.V2

    @property
    def observes_payloads(self) -> bool:
        """Whether requests and answers are sent to the monitor. Only then does KServe put its agent into the request path."""
        return self.drift is not None or self.ground_truth is not None

    @property
    def min_replicas(self) -> int:
        """Fewest replicas of the stable version in effect."""
        return self.predictor.replicas.min or 1

    @property
    def max_replicas(self) -> int:
        """Most replicas of a version in effect."""
        return max(self.predictor.replicas.max or 0, self.min_replicas)
