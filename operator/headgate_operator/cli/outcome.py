"""Is the rollout over, and how did it end? `status --wait` asks this once a second; pure, so that a test can ask it anything."""

from dataclasses import dataclass

from headgate_operator.api.status import Condition, ConditionStatus, ConditionType, ModelDeploymentStatus
from headgate_operator.cli.errors import Exit


@dataclass(frozen=True)
class Outcome:
    """How a rollout ended, for the shell and for people."""

    exit_code: Exit
    sentence: str


def outcome(status: ModelDeploymentStatus, generation: int, *, revision: str | None, seen_as_candidate: bool) -> Outcome | None:
    """Return how it ended, None while it goes on.

    With `revision`, how that revision fared; else whether the manifest's own one serves. A watch after promotion is part of the rollout,
    and so is whatever ends by itself (a hold, a suspension) or was asked for (a pause, by a step, a command or the manifest). Only where
    nothing more is going to happen without a person, which the operator reports as Stalled, is it over without a verdict.
    """
    if revision is not None and (refused := _refusal(status, revision)):
        return Outcome(Exit.FAILED, refused)
    if status.observed_generation is None or status.observed_generation < generation:
        return None
    if revision is not None:
        return _of_revision(status, revision, seen_as_candidate=seen_as_candidate)
    if (stalled := _condition(status, ConditionType.STALLED)) is not None:
        return Outcome(Exit.FAILED, f"a person is needed, {stalled.reason}: {stalled.message}")
    if status.candidate is not None or status.previous is not None or _condition(status, ConditionType.RECONCILING):
        return None
    ready = _condition(status, ConditionType.READY)
    if ready is None or status.stable is None:
        return None
    return Outcome(Exit.OK, f"revision {status.stable.id} (version {status.stable.version}) serves all traffic")


def waits_for(status: ModelDeploymentStatus) -> str | None:
    """Say what a rollout that is not over waits for, in the operator's words."""
    moving = _condition(status, ConditionType.RECONCILING)
    return f"{moving.reason}, {moving.message}" if moving is not None else None


def _of_revision(status: ModelDeploymentStatus, revision: str, *, seen_as_candidate: bool) -> Outcome | None:
    if status.candidate is not None and status.candidate.id == revision:
        stalled = _condition(status, ConditionType.STALLED)
        return Outcome(Exit.FAILED, f"a person is needed, {stalled.reason}: {stalled.message}") if stalled else None
    if status.stable is not None and status.stable.id == revision:
        return None if status.previous is not None else Outcome(Exit.OK, f"revision {revision} was promoted and serves")
    if seen_as_candidate:
        return Outcome(Exit.FAILED, f"revision {revision} was withdrawn: the manifest asks for another one")
    return None


def _refusal(status: ModelDeploymentStatus, revision: str) -> str | None:
    for entry in status.rejected:
        if entry.id == revision and (status.candidate is None or status.candidate.id != revision):
            return f"revision {revision} (version {entry.version}) was refused, {entry.reason}: {entry.message}"
    return None


def _condition(status: ModelDeploymentStatus, wanted: ConditionType) -> Condition | None:
    for condition in status.conditions:
        if condition.type is wanted and condition.status is ConditionStatus.TRUE:
            return condition
    return None
