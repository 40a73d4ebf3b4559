"""What a revision is remembered by, and what a candidate has been through."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from headgate_operator.api.model import ApiModel
from headgate_operator.api.spec.rollout import HookType
from headgate_operator.api.status.conditions import Phase
from headgate_operator.api.timestamps import Timestamp


class Waiver(StrEnum):
    """Which holds of its present step a candidate no longer waits for. Evidence against it is never among them."""

    HOLDS = "Holds"
    DATA = "Data"


class ParityResult(StrEnum):
    """How the parity check of a candidate ended. Absent means: not asked yet. A mismatch refuses the candidate, so it is not kept here."""

    PASSED = "Passed"
    SKIPPED = "Skipped"


class Rendered(ApiModel):
    """The exact children of a revision, rendered once when it started; only these are ever applied again."""

    inference_service: dict[str, Any] = Field(description="As it is applied, without replica bounds and owner.")
    serving_runtime: dict[str, Any] = Field(description="The copy of the runtime that it names.")


class Pinned(ApiModel):
    """What identifies a revision, and where it runs."""

    id: str = Field(description="Revision id: r and 8 hex digits.")
    model_uri: str = Field(description="Storage URI of the model.")
    version: str = Field(description="Version in the model registry, or else the last segment of the model URI; for people.")
    isvc: str = Field(description="Name of the InferenceService.")
    slot: int | None = Field(None, description="Position of its backend in the route, 0 or 1; none once the slot was given up.")


class Stable(Pinned):
    """The version that serves."""

    since: Timestamp = Field(description="Since when it is the stable version.")
    frozen_min: int | None = Field(None, description="Minimum replicas held from a rollout's start until the version that left is gone.")


class HookResult(StrEnum):
    """How a hook stands. Pending: not asked yet, or asked again after a pause."""

    PASSED = "Passed"
    FAILED = "Failed"
    PENDING = "Pending"


class HookStatus(ApiModel):
    """What came of one hook. A success on record is never asked for again."""

    name: str = Field(description="Name of the hook.")
    type: HookType = Field(description="When it is asked.")
    definition: str = Field("", description="Hash of its url and metadata; a hook that was changed is asked anew.")
    attempts: int = Field(0, description="How often it was asked.")
    at: Timestamp = Field(description="When the last answer came, or failed to come.")
    result: HookResult = HookResult.PENDING
    message: str = Field("", max_length=512, description="Why the last attempt failed.")
    number: int | None = Field(None, description="notify: the last phase change that is done with.")


class Notice(ApiModel):
    """One change of phase that notify hooks are told of."""

    number: int = Field(description="Counts the changes of this object.")
    phase: Phase
    revision: str = Field("", description="Id of the candidate, or of the stable revision if there is none.")
    version: str = Field("", description="Last segment of its model URI.")
    reason: str = Field("", description="Why, in one word.")
    message: str = Field("", max_length=512, description="Why, in words.")
    at: Timestamp = Field(description="When the phase changed.")


class Candidate(Pinned):
    """The version on trial. `weight` is the commitment; `traffic` is what the route really says."""

    inputs: dict[str, Any] = Field(description="What the revision id was computed from.")
    rendered: Rendered
    started_at: Timestamp = Field(description="When it became the candidate.")
    step: int = Field(-1, description="Index of the current step among those with a weight; -1 before the first.")
    weight: int = Field(0, description="Percent of traffic it shall have.")
    mirror: int = Field(0, description="Percent of the requests of which it shall get a copy, unseen by clients; then its weight is 0.")
    step_started_at: Timestamp | None = Field(None, description="When the route was seen to carry this step's weight.")
    step_requests: int = Field(0, description="Candidate requests in kept blocks of this step.")
    unready_count: int = Field(0, description="How often it lost its endpoints under traffic.")
    unready: bool = Field(False, description="Weight is 0 until it is ready again; then it returns to its step.")
    suspended: int = Field(0, description="How often it was suspended for failing every request.")
    suspended_since: Timestamp | None = Field(None, description="When it was suspended last.")
    golden: str | None = Field(None, description="SHA-256 of the golden set this revision is checked against.")
    parity: ParityResult | None = None
    known_good: bool = Field(False, description="From the history: parity and readiness only.")
    hold_since: Timestamp | None = Field(None, description="Since when the rollout has been on hold without a break.")
    hold_reason: str | None = Field(None, description="Why the rollout is on hold.")
    reason_since: Timestamp | None = Field(None, description="Since when it has been on hold for that reason.")
    paused: bool = Field(False, description="Whether a person paused it (pause@) and has not resumed it.")
    at_pause: bool = Field(False, description="Whether it waits at a pause step for promote@.")
    pause_passed: bool = Field(False, description="Whether promote@ passed the pause step after its present step.")
    pause_since: Timestamp | None = Field(
        None, description="Since when it has been paused, by whatever means, or without readable metrics."
    )
    paused_seconds: int = Field(0, description="How long it was so before that; such time counts towards no deadline.")
    waived: Waiver | None = Field(None, description="Holds of the present step that it no longer waits for.")
    promote_now: bool = Field(False, description="Whether a person sent it straight to promotion (promote-full@).")
    return_from: str | None = Field(
        None, description="Id of the stable revision that a person wants to leave (rollback@); it is refused when this one takes over."
    )
    restarts: int = Field(0, description="Container restarts when last looked at under traffic.")
    hooks: list[HookStatus] = Field(default_factory=list, description="What came of its pre-rollout and pre-promotion hooks.")
    disturbed: bool = Field(False, description="Whether pods restarted or were missing since the last block that was not all failures.")

    @property
    def gets_requests(self) -> bool:
        """Whether it shall get traffic, or copies of it."""
        return self.weight > 0 or self.mirror > 0


class Previous(Pinned):
    """During the watch: what a rollback returns to."""

    since: Timestamp = Field(description="When it was replaced.")
    weight: int = Field(0, description="The holdback it keeps; 0 while it has no endpoints.")
    frozen_min: int | None = Field(None, description="Minimum replicas held until the watch ends: a rollback must find its full capacity.")


class Draining(Pinned):
    """Weight 0; waits for answers in flight (then its slot is free), then for scaleDownDelay (then it is deleted)."""

    since: Timestamp = Field(description="When its weight became 0.")
    left_route_at: Timestamp | None = Field(None, description="When the route was seen accepted without it.")
