"""What the operator asks and what it is told, as JSON. The operator has the same types of its own; a contract test compares them."""

import re
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

from headgate_monitor.collector.errors import shown
from headgate_monitor.service.truth import TruthPlan, Truths
from headgate_monitor.truth.losses import Metric
from headgate_monitor.truth.skill import Allowed
from headgate_monitor.truth.trial import Settings
from headgate_monitor.watch.alarm import Outcome, Signal, worst
from headgate_monitor.watch.deployment import Verdicts
from headgate_monitor.watch.settings import Windows

NAME: Final = r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?"
"""Of a ModelDeployment."""

_PART: Final = re.compile(r"([0-9]{1,5})(ms|s|m|h|d)")
_DURATION: Final = rf"({_PART.pattern}){{1,4}}"
_SHARE: Final = r"[0-9]{1,3}(\.[0-9]{1,20})?%"
_MILLISECONDS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_NO_LABELS: Final = Outcome(Signal.UNKNOWN, "the manifest has no groundTruth, so no labels are taken")
_LONGEST_MESSAGE: Final = 1000


def _duration(text: object) -> object:
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str) or not re.fullmatch(_DURATION, text):
        raise ValueError(f"{shown(text)} is not a duration such as 90s, 5m, 1h30m or 30d")
    return timedelta(milliseconds=sum(int(number) * _MILLISECONDS[unit] for number, unit in _PART.findall(text)))


def _written(duration: timedelta) -> str:
    return f"{duration.days}d{duration.seconds}s{duration.microseconds // 1000}ms"


def _share(text: object) -> object:
    if not isinstance(text, str):
        return text
    if not re.fullmatch(_SHARE, text):
        raise ValueError(f"{shown(text)} is not a share such as 5%")
    return float(text[:-1]) / 100


_SHARE_SCHEMA: Final = {
    "anyOf": [{"type": "string", "pattern": f"^{_SHARE}$"}, {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}]
}

Share = Annotated[float, BeforeValidator(_share), Field(gt=0, lt=1), WithJsonSchema(_SHARE_SCHEMA)]

Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(_written, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION}$"}),
]


class _Piece(BaseModel):
    """Unknown fields are ignored: an older monitor may meet a newer operator."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")


class Version(_Piece):
    """A version whose requests are collected."""

    id: str = Field(min_length=1, max_length=64)
    reference: str = Field(max_length=2048)
    """Storage URI of its drift reference."""


class Window(_Piece):
    """How much traffic one verdict is about."""

    rows: int = Field(500, ge=100, le=100_000)
    duration: Duration = timedelta(minutes=15)
    minimum_rows: int = Field(100, ge=30, le=100_000)


class Features(_Piece):
    """Which features raise alarms."""

    include: list[str] | None = Field(None, max_length=500)
    exclude: list[str] | None = Field(None, max_length=500)


class Drift(_Piece):
    """How drift is watched for."""

    window: Window = Window()
    target_false_alarm_interval: Duration = timedelta(days=30)
    features: Features = Features()


class GroundTruth(_Piece):
    """How labels are joined and what is judged by them."""

    join_on: str = Field("x-request-id", min_length=1, max_length=128)
    horizon: Duration = timedelta(days=7)
    metric: Metric = Metric.BRIER
    margin: float = Field(0.02, gt=0, lt=1)


class Triggers(_Piece):
    """What makes the stable version stale."""

    input_drift: bool = True
    skill_drop: Share | None = None
    accuracy_drop: Share | None = None


class Question(_Piece):
    """These versions, compared in this way."""

    stable: Version
    trial: Version | None = None
    trial_weight: int = Field(0, ge=0, le=100)
    drift: Drift | None = None
    ground_truth: GroundTruth | None = None
    """None: no labels are taken."""
    error_rate: float = Field(0.01, gt=0, lt=1)
    """How likely labels may convict a version that is worse by no more than the margin."""
    retraining: Triggers | None = None
    """None: nothing follows from a stale version."""

    @property
    def windows(self) -> Windows:
        """How traffic is cut into windows."""
        drift = self.drift or Drift()
        return Windows(
            rows=drift.window.rows,
            seconds=max(1.0, drift.window.duration.total_seconds()),
            minimum_rows=drift.window.minimum_rows,
            false_alarm_seconds=max(1.0, drift.target_false_alarm_interval.total_seconds()),
            include=None if drift.features.include is None else frozenset(drift.features.include),
            exclude=frozenset(drift.features.exclude or ()),
        )

    @property
    def truth(self) -> TruthPlan | None:
        """What is judged by labels; None if nothing is."""
        asked, triggers = self.ground_truth, self.retraining or Triggers()
        if asked is None:
            return None
        return TruthPlan(
            stable=self.stable.id,
            trial=self.trial.id if self.trial else None,
            weight=self.trial_weight,
            horizon=max(1.0, asked.horizon.total_seconds()),
            settings=Settings(asked.metric, asked.margin, self.error_rate),
            allowed=Allowed(triggers.skill_drop, triggers.accuracy_drop),
        )


class Verdict(_Piece):
    """What one comparison says."""

    signal: Signal = Signal.UNKNOWN
    message: str = ""


class DriftedFeature(_Piece):
    """A feature that moved."""

    feature: str
    distance: float


class Answer(_Piece):
    """What finished windows say about the question's versions."""

    format: Literal[1] = 1
    window: int
    reference: str = ""
    input: Verdict = Verdict()
    candidate_input: Verdict = Verdict()
    output: Verdict = Verdict()
    """Stable's predictions against those of its reference."""
    candidate_output: Verdict = Verdict()
    routing: Verdict = Verdict()
    prediction: Verdict = Verdict()
    quality: Verdict = Verdict()
    ground_truth: Verdict = Verdict()
    coverage: Verdict = Verdict()
    """Whether labels come alike for both versions; if not, they are not compared."""
    skill: Verdict = Verdict()
    """Whether stable predicts worse than when it was promoted."""
    stale: Verdict = Verdict()
    top: list[DriftedFeature] = Field(default_factory=list)


def answer(question: Question, verdicts: Verdicts, reference: str, truths: Truths | None) -> Answer:
    """Return the verdicts as they are told; `reference` is the digest of stable's, `truths` what labels say, if any are taken."""
    skill = truths.skill if truths else _NO_LABELS
    return Answer(
        window=verdicts.window,
        reference=reference,
        input=_told(verdicts.input),
        candidate_input=_told(verdicts.candidate_input),
        output=_told(verdicts.output),
        candidate_output=_told(verdicts.candidate_output),
        routing=_told(verdicts.routing),
        prediction=_told(verdicts.prediction),
        quality=_told(verdicts.quality),
        ground_truth=_told(truths.ground_truth if truths else _NO_LABELS),
        coverage=_told(truths.coverage if truths else _NO_LABELS),
        skill=_told(skill),
        stale=_told(_stale(question.retraining, verdicts.stale, skill)),
        top=[DriftedFeature(feature=name[:128], distance=distance) for name, distance in verdicts.top],
    )


def _stale(wanted: Triggers | None, drift: Outcome, skill: Outcome) -> Outcome:
    """Either is reason enough for a new model; where one is not known, nothing is called in order."""
    if wanted is None:
        return Outcome(Signal.UNKNOWN, "the manifest has nothing retrained")
    asked = [drift] if wanted.input_drift else []
    if not Allowed(wanted.skill_drop, wanted.accuracy_drop).anything:
        asked.append(skill)
    if not asked:
        return Outcome(Signal.UNKNOWN, "the manifest has nothing retrained on drift or skill")
    signal = worst(asked).signal
    return Outcome(signal, "; ".join(outcome.message for outcome in asked if outcome.signal is signal))


def _told(outcome: Outcome) -> Verdict:
    return Verdict(signal=outcome.signal, message=outcome.message[:_LONGEST_MESSAGE])
