"""How a new version takes over: strategy, steps, deadlines, watch, hooks."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final, NamedTuple

from pydantic import Field

from headgate_operator.api.model import ApiModel
from headgate_operator.api.quantities import Duration, Weight
from headgate_operator.api.spec.common import Name, Url


class Strategy(StrEnum):
    """How a new version takes over."""

    CANARY = "Canary"
    BLUE_GREEN = "BlueGreen"
    SHADOW = "Shadow"


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


class Stage(NamedTuple):
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


DEFAULT_WEIGHTS: Final = (5, 25, 50)


def _default_steps() -> list[Step]:
    return [Step(weight=weight) for weight in DEFAULT_WEIGHTS]


class HookType(StrEnum):
    """When a hook is asked, and whether its answer counts."""

    PRE_ROLLOUT = "pre-rollout"
    PRE_PROMOTION = "pre-promotion"
    NOTIFY = "notify"


class Hook(ApiModel):
    """A web hook. It gets a POST with a JSON body of name, namespace, phase, checksum and metadata."""

    name: Name = Field(description="Name of the hook in status and Events.")
    type: HookType = Field(
        description="pre-rollout: must answer 2xx before the first request; pre-promotion: must answer 2xx before promotion; "
        "notify: is told of every phase, and its answer changes nothing."
    )
    url: Url = Field(description="Where it listens.")
    timeout: Duration = Field(timedelta(seconds=10), description="Longest time an answer may take.")
    retries: int = Field(2, ge=0, le=10, description="How often it is asked again, with growing pauses, before its answer counts as no.")
    metadata: dict[str, Annotated[str, Field(max_length=1024)]] = Field(
        default_factory=dict, max_length=32, description="Sent along as it is. No secrets: manifests are read by many."
    )


class Rollout(ApiModel):
    """How a new version takes over."""

    strategy: Strategy = Field(
        Strategy.CANARY,
        description="Canary: live traffic in steps. BlueGreen: judged on mirrored traffic, then one switch. Shadow: mirrored traffic "
        "only; never takes over by itself.",
    )
    steps: list[Step] = Field(
        default_factory=_default_steps,
        min_length=1,
        max_length=20,
        description="Steps of the canary, in rising weight, with pauses between them where wanted (default: 5, 25, 50). BlueGreen and "
        "Shadow have one step of mirrored traffic, as long and with as many requests as these together, and a pause at its end if any is.",
    )
    shadow_percent: int = Field(
        100, ge=1, le=100, description="BlueGreen, Shadow: percent of the requests that are mirrored; their answers reach no client."
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
        None,
        description="Longest time a rollout may take before its candidate is refused; pauses and outages of the metrics do not count "
        "(default: no limit).",
    )
    watch: Watch = Field(default_factory=Watch, description="What happens after promotion.")
    scale_down_delay: Duration = Field(timedelta(minutes=10), description="How long a replaced version is kept warm without traffic.")
    history_limit: int = Field(5, ge=1, le=10, description="How many promoted revisions are kept for a fast return.")
    hooks: list[Hook] = Field(default_factory=list, max_length=10, description="Web hooks that are asked or told on the way.")

    @property
    def stages(self) -> list[Stage]:
        """The weights of the canary, in order; of the other strategies the one stage without weight."""
        if self.strategy is not Strategy.CANARY:
            return [self._mirrored()]
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
        """Whether a pause step stands between the last stage and promotion."""
        if self.strategy is not Strategy.CANARY:
            return any(step.pause for step in self.steps)
        return self.steps[-1].pause

    def _mirrored(self) -> Stage:
        weighted = [step for step in self.steps if step.weight is not None]
        return Stage(
            weight=0,
            min_duration=sum((step.min_duration for step in weighted), timedelta()),
            min_requests=sum(step.min_requests for step in weighted),
            pause_before=False,
        )
