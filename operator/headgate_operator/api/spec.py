"""What a user asks for: the `spec` of a ModelDeployment. Every description here reaches `kubectl explain`.

Only fields with an effect are here. Fields under `model` and `predictor` make up the revision id, so none of them has a default that
the API server would fill in: an upgrade must never change an id (rollout/revision.py).
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from headgate_operator.api.model import ApiModel
from headgate_operator.api.quantities import Duration, Share, Weight

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
Name = Annotated[str, Field(min_length=1, max_length=63, pattern=rf"^{_LABEL}$")]
Hostname = Annotated[str, Field(min_length=1, max_length=253, pattern=rf"^(\*\.)?{_LABEL}(\.{_LABEL})*$")]


class Protocol(StrEnum):
    """The inference protocol of a predictor."""

    V1 = "v1"
    V2 = "v2"


class ParityMode(StrEnum):
    """What happens without a golden set."""

    IF_PRESENT = "IfPresent"
    REQUIRED = "Required"
    OFF = "Off"


class ModelFormat(ApiModel):
    """The framework that wrote the model."""

    name: str = Field(min_length=1, max_length=63, description="Framework name as the serving runtime lists it, such as xgboost.")
    version: str | None = Field(None, max_length=32, description="Major version of the framework, as a string.")


class Model(ApiModel):
    """Which model is served, and by what."""

    uri: str = Field(
        min_length=1,
        max_length=1024,
        description="Immutable storage URI that KServe can read, such as s3://models/flight-delay/7. "
        "Not models:/ or mlflow-artifacts:, which KServe accepts and then fails to read.",
    )
    format: ModelFormat = Field(description="The framework that wrote the model.")
    runtime: Name = Field(
        description="Name of the ServingRuntime or ClusterServingRuntime. Always explicit: KServe's own choice changes with priorities."
    )
    protocol: Protocol | None = Field(None, description="Inference protocol: v1 or v2 (default v2).")
    model_name: Name | None = Field(
        None, description="Model name in the request path, the same for every version (default: the name of this object)."
    )


class Replicas(ApiModel):
    """Bounds of a version's replica count. Changing them starts no new revision."""

    min: int | None = Field(None, ge=1, le=1000, description="Fewest replicas of the stable version (default 1).")
    max: int | None = Field(None, ge=1, le=1000, description="Most replicas of a version (default: min, no autoscaling).")


class Predictor(ApiModel):
    """Settings handed to KServe after validation. All optional."""

    replicas: Replicas = Field(default_factory=Replicas, description="Replica bounds.")
    resources: dict[str, Any] | None = Field(None, description="Container resources, as in a Pod.")
    env: list[dict[str, Any]] | None = Field(None, max_length=100, description="Container environment, as in a Pod.")
    args: list[str] | None = Field(None, max_length=100, description="Arguments added to those of the runtime.")
    service_account_name: Name | None = Field(None, description="Service account of the predictor's pods.")


class Gateway(ApiModel):
    """The Gateway that carries the traffic."""

    name: Name = Field(description="Name of the Gateway.")
    namespace: Name = Field(description="Namespace of the Gateway.")


class Serving(ApiModel):
    """How traffic reaches the model."""

    mode: Literal["Standard"] = Field("Standard", description="KServe deployment mode. Immutable.")
    gateway: Gateway | None = Field(None, description="Gateway of the HTTPRoute (default: operator setting).")
    hostnames: list[Hostname] | None = Field(
        None, min_length=1, max_length=8, description="Hostnames of the HTTPRoute (default: <name>.<namespace>.<operator's domain>)."
    )
    request_timeout: Duration = Field(
        timedelta(seconds=60), description="Longest time one request may take; also how long a version drains."
    )


class Step(ApiModel):
    """One step of a canary: a weight and what must be seen at it, or a pause."""

    weight: Annotated[int, Field(ge=1, le=100)] | None = Field(None, description="Share of traffic for the candidate, in whole percents.")
    pause: bool = Field(False, description="true, and no weight: wait here for the command promote@<id>. Pauses count towards no deadline.")
    min_duration: Duration = Field(timedelta(minutes=1), description="Shortest time at this weight.")
    min_requests: int = Field(100, ge=0, le=10_000_000, description="Fewest analysed candidate requests at this weight.")


class OnInsufficientData(StrEnum):
    """What follows when requests were too few for a decision until holdTimeout."""

    HOLD = "Hold"
    ROLLBACK = "Rollback"
    PROMOTE = "Promote"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One weight of a canary, as the engine counts them: pause steps stand between stages."""

    weight: int
    min_duration: timedelta
    min_requests: int
    pause_before: bool
    """Whether a pause step stands before it."""


class Watch(ApiModel):
    """What happens after promotion."""

    duration: Duration = Field(timedelta(hours=1), description="How long the promoted version can still be rolled back on evidence.")
    holdback: Weight = Field(5, description="Percent of traffic the previous version keeps meanwhile, to compare with; at most 50.")


def _default_steps() -> list[Step]:
    return [Step(weight=weight) for weight in (5, 25, 50)]


class Rollout(ApiModel):
    """How a new version takes over."""

    strategy: Literal["Canary"] = Field("Canary", description="How a new version takes over.")
    steps: list[Step] = Field(
        default_factory=_default_steps,
        min_length=1,
        max_length=20,
        description="Steps of the canary, in rising weight, with pauses between them where wanted (default: 5, 25, 50).",
    )
    progress_deadline: Duration = Field(
        timedelta(minutes=30), description="After this long not ready, the candidate is reported as Stalled."
    )
    hold_timeout: Duration = Field(timedelta(hours=1), description="After this long on hold, the rollout is reported as Stalled.")
    on_insufficient_data: OnInsufficientData = Field(
        OnInsufficientData.HOLD,
        description="When requests were too few for a decision until holdTimeout: Hold (and report Stalled), Rollback, or Promote, which "
        "goes on to the next step, and from the last one to promotion, without that evidence. Never against evidence that it is worse.",
    )
    max_duration: Duration | None = Field(
        None, description="Longest time a rollout may take before its candidate is refused; pauses do not count (default: no limit)."
    )
    watch: Watch = Field(default_factory=Watch, description="What happens after promotion.")
    scale_down_delay: Duration = Field(timedelta(minutes=10), description="How long a replaced version is kept warm without traffic.")
    history_limit: int = Field(5, ge=1, le=10, description="How many promoted revisions are kept for a fast return.")

    @property
    def stages(self) -> list[Stage]:
        """The weights of the canary, in order."""
        before = [None, *self.steps]
        return [
            Stage(
                weight=step.weight,
                min_duration=step.min_duration,
                min_requests=step.min_requests,
                pause_before=earlier is not None and earlier.pause,
            )
            for earlier, step in zip(before, self.steps, strict=False)
            if step.weight is not None
        ]

    @property
    def pause_at_end(self) -> bool:
        """Whether a pause step stands between the last weight and promotion."""
        return self.steps[-1].pause


class EnvoyProvider(ApiModel):
    """Counters read from Envoy proxies themselves."""

    addresses: list[Annotated[str, Field(min_length=1, max_length=256, pattern=r"^https?://")]] = Field(
        min_length=1, max_length=32, description="Admin addresses of every proxy of the gateway, such as http://10.0.0.7:19001."
    )
    cluster: str = Field(
        "httproute/{{namespace}}/{{name}}/rule/0/backend/{{slot}}",
        min_length=1,
        max_length=256,
        description="Name of a version's Envoy cluster. Placeholders: {{namespace}} {{name}} {{revision}} {{isvc}} {{slot}}.",
    )
    flush: Duration = Field(timedelta(seconds=5), description="The proxies' stats flush interval.")


class Provider(ApiModel):
    """Where request counters come from."""

    envoy: EnvoyProvider | None = Field(None, description="Direct scrape of Envoy proxies.")


class MetricPreset(StrEnum):
    """Metrics that need no query of the user's own."""

    GATEWAY_ERRORS = "gateway-errors"
    GATEWAY_LATENCY = "gateway-latency"


class Metric(ApiModel):
    """One thing that may not get worse."""

    name: Name = Field(description="Name of the metric in status and Events.")
    preset: MetricPreset = Field(
        description="gateway-errors: answers that are not 2xx or 3xx; gateway-latency: answers slower than slowerThan."
    )
    slower_than: Duration | None = Field(
        None, description="Latency bound of gateway-latency; must be a bucket edge of the proxy's histogram."
    )
    maximum: Share | None = Field(
        None,
        description="Objective: largest bad share (of errors: 5xx only) of a version that may be promoted. "
        "Below it, or below 2% if there is none, a version need not be compared to be good enough.",
    )
    tolerate: float | None = Field(
        None, ge=1, le=10, description="Odds ratio against stable that is still tolerated (default 1.25 for errors, 1.5 for latency)."
    )

    @property
    def good_enough(self) -> float:
        """The bad share below which a version is good enough without being compared: the objective, or 2 %."""
        return self.maximum if self.maximum is not None else 0.02

    @property
    def tolerated_odds_ratio(self) -> float:
        """The odds ratio up to which the candidate counts as not worse."""
        if self.tolerate is not None:
            return self.tolerate
        return 1.25 if self.preset is MetricPreset.GATEWAY_ERRORS else 1.5


def _default_metrics() -> list[Metric]:
    return [
        Metric(name="errors", preset=MetricPreset.GATEWAY_ERRORS),
        Metric(name="latency", preset=MetricPreset.GATEWAY_LATENCY, slower_than=timedelta(milliseconds=250)),
    ]


class Analysis(ApiModel):
    """When is a candidate worse, and when is it good enough."""

    interval: Duration = Field(
        timedelta(seconds=15), description="Correlation time: failures closer together than this count as one burst."
    )
    provider: Provider | None = Field(None, description="Where request counters come from (default: operator setting).")
    false_rollback_rate: Share = Field(0.01, description="Probability that an equally good version is rolled back, over the whole rollout.")
    promotion_confidence: Share = Field(0.95, description="Confidence that a promoted version is not twice as bad and above maximum.")
    require_promotion_evidence: bool = Field(
        True, description="Whether promotion needs evidence that the version is good enough, beyond no evidence that it is worse."
    )
    metrics: list[Metric] = Field(
        default_factory=_default_metrics,
        min_length=1,
        max_length=10,
        description="What may not get worse (default: errors, and answers slower than 250ms).",
    )


class Golden(ApiModel):
    """Where the golden inputs and outputs are."""

    config_map: Annotated[str, Field(min_length=1, max_length=253)] = Field(
        description="ConfigMap in this namespace with the key golden.json."
    )


class Tolerance(ApiModel):
    """How far an answer may be from the golden one: |a - g| <= absolute + relative * |g|."""

    absolute: float = Field(1e-5, ge=0, le=1e6, description="Largest difference in any case.")
    relative: float = Field(1e-4, ge=0, le=1, description="Largest difference as a part of the golden answer.")


class Parity(ApiModel):
    """The same answers as where the model was trained, before any traffic."""

    mode: ParityMode = Field(ParityMode.IF_PRESENT, description="What happens without a golden set: IfPresent, Required or Off.")
    golden: Golden | None = Field(None, description="Where the golden inputs and outputs are.")
    tolerance: Tolerance = Field(default_factory=Tolerance, description="How far an answer may be from the golden one.")


class ModelDeploymentSpec(ApiModel):
    """What a user asks for."""

    model: Model = Field(description="Which model is served, and by what.")
    predictor: Predictor = Field(default_factory=Predictor, description="Settings of the predictor, handed to KServe.")
    serving: Serving = Field(default_factory=Serving, description="How traffic reaches the model.")
    rollout: Rollout = Field(default_factory=Rollout, description="How a new version takes over.")
    analysis: Analysis = Field(default_factory=Analysis, description="When is a candidate worse, and when is it good enough.")
    parity: Parity = Field(default_factory=Parity, description="The same answers as where the model was trained, before any traffic.")

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
    def min_replicas(self) -> int:
        """Fewest replicas of the stable version in effect."""
        return self.predictor.replicas.min or 1

    @property
    def max_replicas(self) -> int:
        """Most replicas of a version in effect."""
        return max(self.predictor.replicas.max or 0, self.min_replicas)
